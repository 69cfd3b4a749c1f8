/** The walk over blocks of keys, in the order of the keys, and the sums that both kernels of attention keep. */
import type { Size } from "../../axes/size.js";
import { add, and, compare, min, mul, not, or, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { Emitter } from "./emitter.js";
import type { BlockMask, BlockSpan, Positions } from "./mask-blocks.js";

/** One visited block: keys from `start` on, `count` of them. */
export interface KeyBlock {
  readonly start: Expression;
  readonly count: Expression;
  /** True when every pair is allowed by the mask, so that it need not be asked. */
  readonly full: Expression;
}

/** Name of a register that a kernel makes for each block whose values it takes in; tests count blocks by it. */
export const visitMark = "visited_keys";

/**
 * Runs `body` for each block of `width` keys that the mask may allow for one of the queries. A block in several
 * intervals is visited once.
 */
export function visitBlocks(
  emitter: Emitter,
  mask: BlockMask,
  queries: Positions,
  keys: Size,
  width: number,
  body: (block: KeyBlock) => void,
): void {
  const { builder } = emitter;
  const spans = mask.spans(emitter, queries, keys, width);
  const pick = (number: Expression, end: (span: BlockSpan) => Expression): Expression =>
    spans.slice(1).reduce((rest, span, i) => select(compare("eq", number, i + 1), end(span), rest), end(spans[0]!));
  if (spans.length === 0) return;
  emitter.loop("span", 0, spans.length, 1, undefined, (_, span) => {
    const from = builder.let(
      "from",
      pick(span, (each) => each.from),
    );
    const to = builder.let(
      "to",
      pick(span, (each) => each.to),
    );
    emitter.loop("block", from, to, 1, undefined, (__, number) => {
      const start = builder.let("start", mul(number, width));
      const end = builder.let("end", min(add(start, width), emitter.size(keys)));
      const { empty, full } = mask.truth(emitter, queries, { low: start, high: builder.let("last", sub(end, 1)) });
      const seen = spans.slice(0, -1).map((earlier, index) => {
        const inside = and(compare("ge", number, earlier.from), compare("lt", number, earlier.to));
        return and(compare("gt", span, index), inside);
      });
      const skip = [empty, ...seen].reduce(either);
      const visit = (): void => {
        const count = builder.let("block_keys", sub(end, start));
        body({ start, count, full: builder.let("full", full) });
      };
      if (skip.kind === "constant") {
        if (skip.value === 0) visit();
      } else emitter.guard(not(skip), visit);
    });
  });
}

/** `or` that knows constants. */
export function either(a: Expression, b: Expression): Expression {
  if (a.kind === "constant") return a.value === 0 ? b : a;
  if (b.kind === "constant") return b.value === 0 ? a : b;
  return or(a, b);
}
