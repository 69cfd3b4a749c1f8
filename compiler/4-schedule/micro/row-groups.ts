/** Rows in groups that are multiplied together. */
import { add, compare, constant, div, max, min, mul, rem, select, sub } from "../kernel-expressions.js";
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

/** Rows in as few parts as hold no more than some each, which differ by one row at most. */
export interface EvenParts {
  readonly count: Expression;
  /** Where a part begins, and the one before it ends. */
  readonly start: (part: Expression) => Expression;
  /** Rows of the shorter parts, and how many parts have one more. */
  readonly shorter: Expression;
  readonly longer: Expression;
}

/** Rows `from..to` in parts of `largest` rows at most. */
export function evenParts(k: KernelBuilder, from: Expression, to: Expression, largest: number): EvenParts {
  const rows = k.let("rows", sub(to, from));
  const count = k.let("parts", max(div(add(rows, largest - 1), largest), 1));
  const shorter = k.let("shorter", div(rows, count));
  const longer = k.let("longer", sub(rows, mul(shorter, count)));
  const start = (part: Expression): Expression =>
    k.let("part_start", add(add(mul(part, shorter), min(part, longer)), from));
  return { count, start, shorter, longer };
}

/** What the rows of groups are when there are more than `largest` rows in even parts; largest first. */
export const evenSizes = (largest: number): readonly number[] =>
  Array.from({ length: Math.floor(largest / 2) + 1 }, (_, i) => largest - i);

/**
 * As `inRowGroups`, for more than `largest` rows, in even parts: a group of one or two rows would wait for the weights as
 * long as one of four.
 */
export function inEvenGroups(
  k: KernelBuilder,
  from: Expression,
  to: Expression,
  largest: number,
  groups: (from: Expression, to: Expression, size: number) => void,
): void {
  const { count, shorter, longer } = evenParts(k, from, to, largest);
  let next = from;
  for (const size of evenSizes(largest)) {
    const longerOnes = select(compare("eq", shorter, size - 1), longer, constant(0));
    const now = select(compare("eq", shorter, size), sub(count, longer), longerOnes);
    const end = k.let("end", add(next, mul(now, size)));
    groups(next, end, size);
    next = end;
  }
}
