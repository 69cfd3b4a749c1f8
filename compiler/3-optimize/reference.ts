/** The page `docs/reference/passes.md`: what each pass does, the order and its reasons, and what schedules find. */
import type { Pass } from "./pass.js";
import { passes } from "./passes.js";

/** Every order that a pass of the table promises: `first` runs before `second`. */
export function orders(
  table: readonly Pass[],
): readonly { readonly first: string; readonly second: string; readonly reason: string }[] {
  return table.flatMap((pass) => [
    ...(pass.after ?? []).map(({ pass: first, reason }) => ({ first, second: pass.name, reason })),
    ...(pass.before ?? []).map(({ pass: second, reason }) => ({ first: pass.name, second, reason })),
  ]);
}

/** The page as Markdown. */
export function passesPage(): string {
  const rows = passes.map(
    (pass, index) =>
      `### ${index + 1}. \`${pass.name}\`\n\n${pass.doc}\n${pass.off === undefined ? "" : `\nOff unless asked for: ${pass.off}.\n`}`,
  );
  const reasons = orders(passes).map(({ first, second, reason }) => `- \`${first}\` before \`${second}\`: ${reason}.`);
  return `# Passes

<!-- Written by test/optimize/reference.test.ts from compiler/3-optimize/. Do not edit; run it with --update. -->

Between the graph that a \`.moe\` file becomes and the one that kernels are made for, these passes run in this order.
Each gives a program with the same results, bit by bit unless it says otherwise. \`moec inspect --ir=<pass>\` shows the
graph after one of them. How to write one: [add a pass](../add-a-pass.md).

${rows.join("\n")}
## Why this order

Checked when the table is loaded:

${reasons.join("\n")}

## What is fused, and where

Passes fuse nothing. The schedule does: a value stays a formula until it must lie in memory, so what is computed element
by element, and a reduction that belongs to a whole row (a norm, a softmax), stands inside the kernel that needs it, and
products take the formula behind them (bias, activation, residual, weight of a route) into their last step. What a formula
holds and several readers need is computed once and kept. \`moec inspect --kernels\` shows the result.

Whether a block of an attention is empty, full or partial follows from its mask by interval analysis of the predicate
(comparisons of sums of query and key position, sizes, quotients, remainders, joined by and, or, not).
`;
}
