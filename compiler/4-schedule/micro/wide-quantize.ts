/**
 * Activations to the integer records of native products: by groups of 256, q = round(x * 127 / max|x|) half to even,
 * scale = max|x| / 127; an all-zero group has scale 0.
 */
import { add, constant, div, max, mul, shuffle, splat, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { blockElements } from "./layouts.js";
import { blockBound, magnitude, quantsOf } from "./quantize.js";
import {
  activationBytes,
  activationGroupBytes,
  activationScale,
  activationStarts,
  groupColumns,
  groupRecords,
  recordColumns,
} from "./wide-layouts.js";

/** Lanes 2i and 2i + 1 of `a`, then of `b`, added: half as many sums, side by side. */
function neighbourSums(a: Expression, b: Expression): Expression {
  const lanes = Array.from({ length: a.type.lanes }, (_, lane) => 2 * lane);
  return add(
    shuffle(a, b, lanes),
    shuffle(
      a,
      b,
      lanes.map((lane) => lane + 1),
    ),
  );
}

/** The sum of all lanes of `a` and that of all lanes of `b`, in two lanes. */
function twoSums(k: KernelBuilder, a: Expression, b: Expression): Expression {
  let sums = k.let("sums", neighbourSums(a, b));
  while (sums.type.lanes > 2) {
    const half = Array.from({ length: sums.type.lanes / 2 }, (_, lane) => 2 * lane);
    const odd = half.map((lane) => lane + 1);
    sums = k.let("sums", add(shuffle(sums, sums, half), shuffle(sums, sums, odd)));
  }
  return sums;
}

/**
 * Quantize `columns` elements (a multiple of 32) from element `from` of `source` to the groups from byte `to` of
 * `target` (i8). A last record with one block only ends in zeros.
 */
export function quantizeRecords(
  k: KernelBuilder,
  source: BufferHandle,
  from: Operand,
  columns: number,
  target: BufferHandle,
  to: Operand,
  lanes: WideShapes["lanes"],
): void {
  const vectors = blockElements / lanes;
  const at = (x: Expression, count: number): readonly Expression[] =>
    Array.from({ length: count }, (_, i) => k.let("x", k.load(source, add(x, i * lanes), { lanes })));
  const zero = splat(constant(0), lanes);
  /** A record of one or two blocks. */
  const record = (x: Expression, place: Expression, blocks: number, inverse: Expression): void => {
    const totals = [0, 1].map((block) => {
      const numbers =
        block < blocks
          ? at(add(x, block * blockElements), vectors).map((part) => quantsOf(k, part, inverse))
          : Array<Expression>(vectors).fill(zero);
      numbers.forEach((quants, i) => k.store(target, add(place, block * blockElements + i * lanes), quants));
      return k.let(
        "total",
        numbers.reduce((a, b) => add(a, b)),
      );
    });
    const sums = twoSums(k, totals[0]!, totals[1]!);
    k.store(target, add(place, activationStarts), mul(sums, -128), { as: "i32" });
  };
  const group = (x: Expression, place: Expression, columnsNow: number): void => {
    const whole = Math.floor(columnsNow / recordColumns);
    const rest = columnsNow % recordColumns;
    const largest = k.variable("largest", 0, registerType("i32", lanes));
    const look = (start: Expression, count: number): void =>
      largest.set([largest.get, ...at(start, count).map(magnitude)].reduce((a, b) => max(a, b)));
    k.loop("record", 0, whole, 1, (index) => look(add(mul(index, recordColumns), x), 2 * vectors));
    if (rest > 0) look(add(x, whole * recordColumns), vectors);
    const { bound, inverse } = blockBound(k, largest.get);
    k.store(target, add(place, activationScale), div(bound, 127), { as: "f32" });
    k.loop("record", 0, whole, 1, (index) =>
      record(
        k.let("x_at", add(mul(index, recordColumns), x)),
        k.let("to", add(mul(index, activationBytes), place)),
        2,
        inverse,
      ),
    );
    if (rest > 0) record(add(x, whole * recordColumns), add(place, whole * activationBytes), 1, inverse);
  };
  const whole = Math.floor(columns / groupColumns);
  const start = (index: Operand): readonly [Expression, Expression] => [
    k.let("x_from", add(mul(index, groupColumns), from)),
    k.let("group_at", add(mul(index, activationGroupBytes), to)),
  ];
  k.loop("group", 0, whole, 1, (index) => group(...start(index), groupRecords * recordColumns));
  if (columns % groupColumns > 0) group(...start(constant(whole)), columns % groupColumns);
}
