/**
 * Integer products of a few rows with wide records: bound by the reading of the weights, each of which is read once and
 * unpacked in registers. One tile comes after the other, in the order of memory, so that what is asked for ahead of a
 * tile is the beginning of the next one.
 */
import { add, and, constant, convert, fma, mul, shr, shru, splat, xor, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { askAhead } from "./ahead.js";
import {
  halves,
  highHalf,
  lowHalf,
  quantsAt,
  repeatedWords,
  scalesAt,
  startAt,
  dotSum,
  eachStep,
  tileVectors,
  words,
  type DotSum,
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

/** A row, and the byte where its activations of the record begin. */
interface RecordOfRow {
  readonly row: WideRow;
  readonly x: Expression;
}

/** The integer sums of half a record with each row, whose quants begin at byte `at`. */
function halfSums(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: WideTile,
  at: Expression,
  rows: readonly RecordOfRow[],
  half: 0 | 1,
): readonly Expression[] {
  const { quads } = shapes;
  const starts = rows.map(({ row, x }) => startAt(k, shapes, row, x, half));
  const word = ({ row, x }: RecordOfRow, index: Expression | number, more: number): Expression =>
    repeatedWords(k, shapes, row, add(add(add(x, half * 4 * words), mul(4, index)), 4 * more))(0);
  const weights = (step: Expression | number): Expression => quantsAt(k, shapes, tile.bytes, add(at, mul(64, step)));
  /** Two chains for each row, because each step waits for the one before. */
  const chains = (first: boolean, second: boolean): readonly (readonly [DotSum, DotSum])[] =>
    starts.map((start) => [
      dotSum(k, shapes, first ? start : undefined),
      dotSum(k, shapes, second ? start : undefined),
    ]);
  if (tile.format === "q8_0" && quads) {
    const sums = chains(true, false);
    for (let j = 0; j < words; j += 2) {
      const [even, odd] = [weights(j), weights(j + 1)];
      rows.forEach((row, i) => {
        sums[i]![0].step(word(row, j, 0), even);
        sums[i]![1].step(word(row, j, 1), odd);
      });
    }
    return sums.map(([even, odd]) => add(even.value(), odd.value()));
  }
  if (tile.format === "q8_0") {
    const sums = chains(false, false);
    eachStep(k, shapes, words, (step) => {
      const both = weights(step);
      rows.forEach((row, i) => {
        const x_word = word(row, step, 0);
        sums[i]![0].step(x_word, lowHalf(both));
        sums[i]![1].step(x_word, highHalf(both));
      });
    });
    return sums.map(([low, high], i) => add(add(low.value(), high.value(16)), starts[i]!));
  }
  // The high bits stay where they are, 16 times as large: one shift of the sum instead of one for each word.
  const sums = chains(false, true);
  eachStep(k, shapes, words / 2, (step) => {
    const both = weights(step);
    const low = k.let("low", lowHalf(both));
    const high = k.let("high", quads ? and(both, -16) : highHalf(both));
    rows.forEach((row, i) => {
      sums[i]![0].step(word(row, mul(2, step), 0), low);
      sums[i]![1].step(word(row, mul(2, step), 1), high);
    });
  });
  return sums.map(([low, high], i) =>
    quads ? add(low.value(), shr(high.value(), 4)) : add(add(low.value(), high.value()), shr(starts[i]!, 4)),
  );
}

/**
 * The integer sums of half a record with each row, for all vectors of the tile together, which share the lanes of the
 * activations; products are signed. The quants of the half begin at byte `at`. The loop keeps the code generator from
 * loading more ahead than there are registers for.
 */
function signedSums(
  k: KernelBuilder,
  shapes: WideShapes,
  { format, bytes }: WideTile,
  at: Expression,
  rows: readonly RecordOfRow[],
  half: 0 | 1,
): readonly (readonly Expression[])[] {
  const { lanes } = shapes;
  const vectors = tileVectors(shapes);
  // Four bits are small enough with their offset of 8, which the sum begins with.
  const sums = rows.map(({ row, x }) => {
    const start = format === "q4_0" ? k.let("start", shr(startAt(k, shapes, row, x, half), 4)) : 0;
    return vectors.map(() => k.variable("n", start, registerType("i32", lanes)));
  });
  const wordsOf = (both: Expression): readonly Expression[] =>
    format === "q4_0" ? [lowHalf(both), shru(both, 4)] : [xor(both, -128)];
  const lines = (halfBytes[format] / 64 / words) * lanes;
  k.loop("part", 0, words / lanes, 1, (part) => {
    const from = k.let("from", add(at, mul(part, 64 * lines)));
    const xs = rows.map(({ row, x }) => {
      const place = k.let("x_part", add(x, mul(part, 4 * lanes)));
      return repeatedWords(k, shapes, row, place, half * words);
    });
    const chains = sums.map((list) => list.map((sum) => dotSum(k, shapes, sum.get)));
    for (let line = 0; line < lines; line++) {
      for (const vector of vectors) {
        const own = wordsOf(quantsAt(k, shapes, bytes, add(from, 64 * line + 4 * lanes * vector)));
        own.forEach((weights, i) => {
          const word = k.let("w", weights);
          chains.forEach((list, row) => list[vector]!.step(xs[row]!(own.length * line + i), word));
        });
      }
    }
    sums.forEach((list, row) => list.forEach((sum, vector) => sum.set(chains[row]![vector]!.value())));
  });
  return sums.map((list) => list.map((sum) => sum.get));
}

/**
 * How many rows are multiplied with the same reading of the weights, largest first; 1 is the last. A row takes four
 * vectors of the 32 that processors with products of four have; twelve where all vectors of a tile are multiplied together.
 */
export const fewRowsTogether = ({ quads, signed }: WideShapes): readonly number[] =>
  signed ? [2, 1] : quads ? [4, 3, 2, 1] : [1];

/** [row][vector] sums of a few rows and one tile; `records` is K / 64. */
export function wideFew(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: WideTile,
  rows: readonly WideRow[],
  records: number,
): readonly (readonly Variable[])[] {
  const { lanes } = shapes;
  const vectors = tileVectors(shapes);
  const sums = rows.map(() => vectors.map(() => k.variable("sum", 0, registerType("f32", lanes))));
  const size = wideRecordBytes(tile.format);
  const group = (number: Operand, count: number): void => {
    const xs = rows.map(({ start }) => k.let("x_group", add(start, mul(number, activationGroupBytes))));
    /** Without the scales of the rows. */
    const ofGroup = rows.map(() => vectors.map(() => k.variable("group", 0, registerType("f32", lanes))));
    const scalesOfRows = rows.map(({ bytes }, i) =>
      k.let("x_scale", splat(k.load(bytes, add(xs[i]!, activationScale), { as: "f32" }), lanes)),
    );
    const first = k.let("first", mul(number, groupRecords));
    k.loop("record", 0, count, 1, (record) => {
      const of = rows.map((row, i) => ({ row, x: k.let("x_at", add(xs[i]!, mul(record, activationBytes))) }));
      const at = k.let("at", add(tile.start, mul(add(first, record), size)));
      askAhead(k, tile.bytes, at, size);
      for (const half of halves) {
        const quants = add(at, recordScaleBytes + half * halfBytes[tile.format]);
        const together = shapes.signed && signedSums(k, shapes, tile, quants, of, half);
        for (const vector of vectors) {
          const integers = together
            ? together.map((list) => list[vector]!)
            : halfSums(k, shapes, tile, add(quants, 4 * lanes * vector), of, half);
          const scales = scalesAt(k, shapes, tile.bytes, add(at, 32 * half + 2 * lanes * vector));
          rows.forEach((_, i) => {
            const sum = ofGroup[i]![vector]!;
            sum.set(fma(convert(integers[i]!, "f32"), scales, sum.get));
          });
        }
      }
    });
    sums.forEach((list, i) => list.forEach((sum, v) => sum.set(fma(ofGroup[i]![v]!.get, scalesOfRows[i]!, sum.get))));
  };
  const whole = Math.floor(records / groupRecords);
  k.loop("group", 0, whole, 1, (number) => group(number, groupRecords));
  if (records % groupRecords > 0) group(constant(whole), records % groupRecords);
  return sums;
}
