/** Attention of one query at a time: what a call with few tokens needs. */
import type { Size } from "../../axes/size.js";
import { add, and, compare, constant, div, max, mul, select, splat, sub } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32, i32, registerType } from "../kernel-types.js";
import { f32Tile } from "../micro/f32-tile.js";
import type { Driver } from "../plan.js";
import { plus, type Attention } from "./attention.js";
import { either, visitBlocks, visitMark } from "./attention-blocks.js";
import { weightOfKey } from "./attention-powers.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { reduced } from "./reduction.js";
import { loadNumbers } from "./stored-blocks.js";
import { rowKernel } from "./selection.js";
import { elements, type Stored } from "./tensor.js";

/** Keys whose scores are held at a time. */
const keyBlock = 64;
/** Vectors of the result that are summed side by side. */
const vectorsBeside = 4;

/** @param share 1 when this kernel is the one for the call, else 0. */
export function attendRows(entry: EntryLowering, call: Attention, share: Size, on?: Driver): void {
  const { attrs, q, k, v, result } = call;
  const value = v.axis(attrs.valueAxis);
  const width = elements([value]).constant!;
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted);
  const keys = k.axis(attrs.keyAxis).size;
  // The store is never asked: sums over the depth are written where they are read.
  const score = reduced("dot", [q, k], [attrs.contracted], (source) => entry.store(source));
  const body = (emitter: Emitter, at: Coordinates): void => {
    const { builder, lanes } = emitter;
    const query = builder.let("query", add(emitter.index(at.get(attrs.queryAxis)!), emitter.size(attrs.queryOffset)));
    // Room for a vector behind the last score.
    const scores = builder.blockBuffer("scores", "f32", "local", keyBlock + lanes);
    const places = builder.blockBuffer("places", "i32", "local", keyBlock);
    const sums = builder.blockBuffer("sums", "f32", "local", width);
    emitter.loop("c", 0, width, 1, undefined, (_, c) => builder.store(sums, c, 0));
    const sink = call.sinks?.read(emitter, at);
    const top = builder.variable("top", sink ?? constant(-Infinity, f32));
    const total = builder.variable("total", constant(sink ? 1 : 0, f32));
    visitBlocks(emitter, call.blocks, { low: query, high: query }, keys, keyBlock, (block) => {
      const blockTop = builder.variable("block_top", constant(-Infinity, f32));
      const kept = builder.variable("kept", 0, i32);
      emitter.loop(attrs.keyAxis, block.start, add(block.start, block.count), 1, keys, (key, register) => {
        const place = plus(at, attrs.keyAxis, key);
        const visit = (): void => {
          const x = builder.let("score", mul(score.read(emitter, place), constant(attrs.scale, f32)));
          builder.store(scores, kept.get, x);
          builder.store(places, kept.get, register);
          kept.set(add(kept.get, 1));
          blockTop.set(max(blockTop.get, x));
        };
        const allowed = [
          ...(call.mask ? [either(block.full, call.mask(emitter, query, register))] : []),
          ...(call.keep ? [call.keep.read(emitter, place)] : []),
        ];
        if (allowed.length === 0) visit();
        else emitter.guard(allowed.reduce(and), visit);
      });
      // A NaN score must reach the result, so only a top that is -inf for sure skips the block.
      emitter.guard(compare("ne", blockTop.get, -Infinity), () => {
        const count = builder.let(visitMark, kept.get);
        const nextTop = builder.let("next_top", max(top.get, blockTop.get));
        const lowest = compare("eq", top.get, -Infinity);
        const shrink = builder.let(
          "shrink",
          select(lowest, constant(0, f32), weightOfKey(builder, sub(top.get, nextTop))),
        );
        top.set(nextTop);
        total.set(add(mul(total.get, shrink), exponentials(emitter, scores, count, nextTop)));
        addValues(emitter, { v, at, attrs, scores, places, sums, count, shrink, width });
      });
    });
    const isEmpty = compare("eq", total.get, 0);
    const scale = builder.let("scale", select(isEmpty, constant(0, f32), div(constant(1, f32), total.get)));
    const out = emitter.buffer(result.place, "f32", "write");
    emitter.loop("c", 0, width, 1, value.size, (c, register) => {
      const address = emitter.index(result.address(plus(at, attrs.valueAxis, c)));
      builder.store(out, address, mul(builder.load(sums, register), scale));
    });
  };
  rowKernel(entry, "attend", rows, 1, body, { share, on });
}

/** Scores become powers of e relative to `top`; their sum. */
function exponentials(emitter: Emitter, scores: BufferHandle, count: Expression, top: Expression): Expression {
  const { builder, lanes } = emitter;
  const type = registerType("f32", lanes);
  builder.store(scores, count, constant(-Infinity, type));
  const sum = builder.variable("sum", constant(0, type), type);
  emitter.loop("score", 0, count, lanes, undefined, (_, at) => {
    const power = builder.let(
      "power",
      weightOfKey(builder, sub(builder.load(scores, at, { lanes }), splat(top, lanes))),
    );
    builder.store(scores, at, power);
    sum.set(add(sum.get, power));
  });
  return builder.let("whole", lanes === 1 ? sum.get : { kind: "reduce", op: "add", operand: sum.get, type: f32 });
}

interface Values {
  readonly v: Stored;
  readonly at: Coordinates;
  readonly attrs: Attention["attrs"];
  readonly scores: BufferHandle;
  readonly places: BufferHandle;
  readonly sums: BufferHandle;
  readonly count: Expression;
  readonly shrink: Expression;
  readonly width: number;
}

/** sums = sums * shrink + scores @ v, some columns at a time in registers. */
function addValues(emitter: Emitter, values: Values): void {
  const { builder, lanes } = emitter;
  const { v, at, attrs, scores, places, sums, width } = values;
  const start = plus(plus(at, attrs.keyAxis, Coordinate.zero), attrs.valueAxis, Coordinate.zero);
  const base = emitter.index(v.address(start));
  const step = emitter.size(v.strides.get(attrs.keyAxis)!);
  const chunk = (column: Expression, vectors: number, own: number): void => {
    const tile = f32Tile(builder, {
      rows: 1,
      vectors,
      lanes: own,
      from: 0,
      to: values.count,
      left: (_, key) => builder.load(scores, key),
      right: (vector, key) => {
        const row = vector === 0 ? builder.let("value_row", add(mul(builder.load(places, key), step), column)) : last;
        last = row;
        return loadNumbers(emitter, v, add(add(base, row), vector * own), own);
      },
      start: (_, vector) =>
        mul(builder.load(sums, add(column, vector * own), { lanes: own }), splat(values.shrink, own)),
    });
    tile[0]!.forEach((sum, vector) => builder.store(sums, add(column, vector * own), sum.get));
  };
  let last: Expression = base;
  const wide = vectorsBeside * lanes;
  const whole = width - (width % wide);
  if (whole > 0) emitter.loop("column", 0, whole, wide, undefined, (_, c) => chunk(c, vectorsBeside, lanes));
  const vectors = Math.floor((width - whole) / lanes);
  if (vectors > 0) chunk(constant(whole), vectors, lanes);
  const rest = width - whole - vectors * lanes;
  if (rest > 0) chunk(constant(width - rest), rest, 1);
}
