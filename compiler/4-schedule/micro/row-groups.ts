/** Rows in groups that are multiplied together. */
import { constant, rem, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder } from "../kernel-builder.js";

/**
 * Rows `from..to` in groups of these sizes, largest first, the last of which is 1: `groups` writes what is done with the
 * rows from one number to another, which are whole groups of a size.
 */
export function inRowGroups(
  k: KernelBuilder,
  from: Expression,
  to: Expression,
  sizes: readonly number[],
  groups: (from: Expression, to: Expression, size: number) => void,
): void {
  let next = from;
  for (const size of sizes) {
    const end = size === 1 ? to : k.let("end", sub(to, rem(sub(to, next), constant(size))));
    groups(next, end, size);
    next = end;
  }
}
