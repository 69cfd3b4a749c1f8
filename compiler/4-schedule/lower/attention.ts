/**
 * `attend`: for each query one walk over blocks of keys with a running greatest score and sum (online softmax; Milakov
 * and Gimelshein 2018, Dao et al. 2022), so scores never lie in memory. Only keys in the intervals that the mask allows
 * are visited.
 */
import type { AttendAttrs } from "../../2-graph/ir.js";
import { add, compare, constant, div, exp, max, min, mul, select, sub, and, not } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { Coordinate } from "./coordinate.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import type { KeyInterval } from "./mask-intervals.js";
import { vectorLoop } from "./nest.js";
import { reduced } from "./reduction.js";
import { rowKernel } from "./selection.js";
import { elements, type Stored, type Tensor } from "./tensor.js";

/** Keys whose scores are held at a time. */
const keyBlock = 64;

export interface AttendCall {
  readonly attrs: AttendAttrs;
  readonly q: Stored;
  readonly k: Stored;
  readonly v: Stored;
  readonly sinks: Tensor | undefined;
  readonly keep: Tensor | undefined;
  /** Where keys may lie for a query at a position; an interval says whether the predicate must be asked inside it. */
  readonly intervals: (emitter: Emitter, query: Expression) => readonly KeyInterval[];
  /** The mask predicate at two positions. */
  readonly mask: ((emitter: Emitter, query: Expression, key: Expression) => Expression) | undefined;
}

const plus = (at: Coordinates, axis: string, c: Coordinate): Coordinates => new Map([...at, [axis, c]]);

export function attend(entry: EntryLowering, call: AttendCall): Stored {
  const { attrs, q, k, v } = call;
  const value = v.axis(attrs.valueAxis);
  const depth = q.axis(attrs.contracted);
  const axes = q.axes.map((axis) => (axis.name === attrs.contracted ? { ...value } : axis));
  const result = entry.allocate("attend", "f32", axes);
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted);
  const keys = k.axis(attrs.keyAxis).size;
  // The store is never asked: sums over the depth are written where they are read.
  const score = reduced("dot", [q, k], [depth.name], (source) => entry.store(source));
  rowKernel(entry, "attend", rows, 1, (emitter, at) => {
    const { builder } = emitter;
    const queryPosition = builder.let(
      "query",
      add(emitter.index(at.get(attrs.queryAxis)!), emitter.size(attrs.queryOffset)),
    );
    const scores = builder.blockBuffer("scores", "f32", "local", keyBlock);
    const width = elements([value]).constant!;
    const sum = builder.blockBuffer("sum", "f32", "local", width);
    const lanesLoop = (body: (c: Coordinate) => void): void =>
      vectorLoop(emitter, value, constant(0), constant(width), width % emitter.lanes === 0, body);
    const partial = (c: Coordinate): Expression =>
      builder.load(
        sum,
        emitter.scalar(() => emitter.index(c)),
        { lanes: emitter.vector?.lanes ?? 1 },
      );
    const keepPartial = (c: Coordinate, x: Expression): void =>
      builder.store(
        sum,
        emitter.scalar(() => emitter.index(c)),
        wide(emitter, x),
      );
    lanesLoop((c) => keepPartial(c, constant(0, f32)));
    const sink = call.sinks?.read(emitter, at);
    const top = builder.variable("top", sink ?? constant(-Infinity, f32));
    const total = builder.variable("total", constant(sink ? 1 : 0, f32));
    const intervals = call.intervals(emitter, queryPosition);
    for (const [number, interval] of intervals.entries()) {
      const from = builder.let("from", max(interval.from, 0));
      const to = builder.let("to", min(interval.to, emitter.size(keys)));
      emitter.loop("block", from, to, keyBlock, keys, (_, blockStart) => {
        const end = builder.let("end", min(add(blockStart, keyBlock), to));
        const blockTop = builder.variable("block_top", constant(-Infinity, f32));
        emitter.loop(attrs.keyAxis, blockStart, end, 1, keys, (key, register) => {
          const place = plus(at, attrs.keyAxis, key);
          const raw = mul(score.read(emitter, place), constant(attrs.scale, f32));
          const allowed = [
            ...(call.mask && !interval.exact ? [call.mask(emitter, queryPosition, register)] : []),
            ...(call.keep ? [call.keep.read(emitter, place)] : []),
            // What an earlier interval has counted is not counted again.
            ...intervals
              .slice(0, number)
              .map((other) => not(and(compare("ge", register, other.from), compare("lt", register, other.to)))),
          ];
          const masked = allowed.length === 0 ? raw : select(allowed.reduce(and), raw, constant(-Infinity, f32));
          const x = builder.let("score", masked);
          builder.store(scores, sub(register, blockStart), x);
          blockTop.set(max(blockTop.get, x));
        });
        // A NaN score must reach the result, so only a top that is -inf for sure skips the block.
        emitter.guard(compare("ne", blockTop.get, -Infinity), () => {
          const nextTop = builder.let("next_top", max(top.get, blockTop.get));
          const shrink = builder.let(
            "shrink",
            select(compare("eq", top.get, -Infinity), constant(0, f32), exp(sub(top.get, nextTop))),
          );
          total.set(mul(total.get, shrink));
          lanesLoop((c) => keepPartial(c, mul(partial(c), shrink)));
          emitter.loop(attrs.keyAxis, blockStart, end, 1, keys, (key, register) => {
            const power = builder.let("power", exp(sub(builder.load(scores, sub(register, blockStart)), nextTop)));
            total.set(add(total.get, power));
            lanesLoop((c) => {
              const place = plus(plus(at, attrs.keyAxis, key), attrs.valueAxis, c);
              keepPartial(c, add(partial(c), mul(wide(emitter, v.read(emitter, place)), power)));
            });
          });
          top.set(nextTop);
        });
      });
    }
    const scale = builder.let(
      "scale",
      select(compare("eq", total.get, 0), constant(0, f32), div(constant(1, f32), total.get)),
    );
    const out = emitter.buffer(result.place, "f32", "write");
    lanesLoop((c) => {
      const address = emitter.scalar(() => emitter.index(result.address(plus(at, attrs.valueAxis, c))));
      builder.store(out, address, mul(partial(c), scale));
    });
  });
  return result;
}

function wide(emitter: Emitter, x: Expression): Expression {
  const lanes = emitter.vector?.lanes ?? 1;
  if (x.type.lanes === lanes) return x;
  return x.kind === "constant"
    ? { ...x, type: { ...x.type, lanes } }
    : { kind: "splat", operand: x, type: { ...x.type, lanes } };
}
