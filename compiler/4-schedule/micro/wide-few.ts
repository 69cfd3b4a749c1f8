/**
 * Integer products of one row with wide records, a few tiles side by side: bound by the reading of the weights, each of
 * which is read once and unpacked in registers.
 */
import { add, and, constant, convert, fma, mul, shr, splat, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import {
  halves,
  highHalf,
  lowHalf,
  quantsAt,
  repeated,
  scalesAt,
  startAt,
  dotSum,
  eachStep,
  tileVectors,
  words,
  type WideRow,
  type WideTile,
} from "./wide-dots.js";
import {
  activationBytes,
  activationGroupBytes,
  activationScale,
  groupRecords,
  halfBytes,
  recordScaleBytes,
  wideRecordBytes,
} from "./wide-layouts.js";

/** The integer sums of half a record, whose quants begin at byte `at`; the activations of the record at byte `x`. */
function halfSum(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: WideTile,
  at: Expression,
  row: WideRow,
  x: Expression,
  half: 0 | 1,
): Expression {
  const { quads } = shapes;
  const start = startAt(k, shapes, row, x, half);
  const first = add(x, half * 4 * words);
  const word = (index: Expression | number, more: number): Expression =>
    repeated(k, shapes, row, add(add(first, mul(4, index)), 4 * more));
  const weights = (step: Expression | number): Expression => quantsAt(k, shapes, tile.bytes, add(at, mul(64, step)));
  if (tile.format === "q8_0" && quads) {
    // Two chains, because each step waits for the one before.
    const [even, odd] = [dotSum(k, shapes, start), dotSum(k, shapes)];
    for (let j = 0; j < words; j += 2) {
      even.step(word(j, 0), weights(j));
      odd.step(word(j, 1), weights(j + 1));
    }
    return add(even.value(), odd.value());
  }
  if (tile.format === "q8_0") {
    const [low, high] = [dotSum(k, shapes), dotSum(k, shapes)];
    eachStep(k, shapes, words, (step) => {
      const [x_word, both] = [word(step, 0), weights(step)];
      low.step(x_word, lowHalf(both));
      high.step(x_word, highHalf(both));
    });
    return add(add(low.value(), high.value(16)), start);
  }
  // The high bits stay where they are, 16 times as large: one shift of the sum instead of one for each word.
  const [low, high] = [dotSum(k, shapes), dotSum(k, shapes, start)];
  eachStep(k, shapes, words / 2, (step) => {
    const both = weights(step);
    low.step(word(mul(2, step), 0), lowHalf(both));
    high.step(word(mul(2, step), 1), quads ? and(both, -16) : highHalf(both));
  });
  return quads ? add(low.value(), shr(high.value(), 4)) : add(add(low.value(), high.value()), shr(start, 4));
}

/** [tile][vector] sums of one row; `records` is K / 64. */
export function wideFew(
  k: KernelBuilder,
  shapes: WideShapes,
  tiles: readonly WideTile[],
  row: WideRow,
  records: number,
): readonly (readonly Variable[])[] {
  const { lanes } = shapes;
  const vectors = tileVectors(shapes);
  const sums = tiles.map(() => vectors.map(() => k.variable("sum", 0, registerType("f32", lanes))));
  const group = (number: Operand, count: number): void => {
    const x = k.let("x_group", add(row.start, mul(number, activationGroupBytes)));
    const x_scale = k.let("x_scale", splat(k.load(row.bytes, add(x, activationScale), { as: "f32" }), lanes));
    const first = k.let("first", mul(number, groupRecords));
    k.loop("record", 0, count, 1, (record) => {
      const xAt = k.let("x_at", add(x, mul(record, activationBytes)));
      tiles.forEach((tile, t) => {
        const at = k.let("at", add(tile.start, mul(add(first, record), wideRecordBytes(tile.format))));
        for (const half of halves) {
          for (const vector of vectors) {
            const quants = add(at, recordScaleBytes + half * halfBytes[tile.format] + 4 * lanes * vector);
            const integers = halfSum(k, shapes, tile, quants, row, xAt, half);
            const scales = scalesAt(k, shapes, tile.bytes, add(at, 32 * half + 2 * lanes * vector));
            const sum = sums[t]![vector]!;
            sum.set(fma(convert(integers, "f32"), mul(scales, x_scale), sum.get));
          }
        }
      });
    });
  };
  const whole = Math.floor(records / groupRecords);
  k.loop("group", 0, whole, 1, (number) => group(number, groupRecords));
  if (records % groupRecords > 0) group(constant(whole), records % groupRecords);
  return sums;
}
