/** What the kernels for few and for many rows with `k-layouts.ts` share: runs as bytes, scales, and sums of products. */
import {
  add,
  and,
  bitcast,
  constant,
  dotPairs,
  dotPairsI8,
  mul,
  or,
  shl,
  shru,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import {
  hasSuperblocks,
  highBitsAt,
  kFormats,
  kRecordBytes,
  minimumAt,
  minimumFactorAt,
  quantsStart,
  runBytes,
  scaleAt,
  type KFormat,
  type KRecords,
} from "./k-layouts.js";
import { dotSum, highHalf, lowHalf, quantsAt, scalesAt, words } from "./wide-dots.js";
import { groupRecords } from "./wide-layouts.js";

/** Records of one tile of 16 rows. */
export interface KTile {
  readonly format: KRecords;
  /** u8. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
}

/** Lanes of bytes moved by some bits, to higher places for more than 0; the bits that are not asked for are rubbish. */
function moved(bytes: Expression, by: number): Expression {
  if (by === 0) return bytes;
  const pairs = bitcast(bytes, "i16");
  return bitcast(by > 0 ? shl(pairs, by) : shru(pairs, -by), "i8");
}

/** The eight words of a run, a byte for each quant; `at` is the byte of the run's quants (and of the vector of rows). */
export function runWords(
  k: KernelBuilder,
  shapes: WideShapes,
  { highBits }: KFormat,
  bytes: BufferHandle,
  at: Expression,
): readonly Expression[] {
  const high = Array.from({ length: highBits }, (_, group) =>
    quantsAt(k, shapes, bytes, add(at, highBitsAt + 64 * group)),
  );
  const mask = highBits === 1 ? 16 : 48;
  /** The higher bits of a word, in their places above the four low ones. */
  const above = (word: number): Expression => {
    const perGroup = words / highBits;
    return and(moved(high[Math.floor(word / perGroup)]!, 4 - highBits * (word % perGroup)), mask);
  };
  const low = Array.from({ length: words / 2 }, (_, c) => quantsAt(k, shapes, bytes, add(at, 64 * c)));
  return Array.from({ length: words }, (_, word) => {
    const both = low[word >> 1]!;
    const own = word % 2 === 0 ? lowHalf(both) : highHalf(both);
    return k.let("u", highBits === 0 ? own : or(own, above(word)));
  });
}

/** A sum of products of words of activations and bytes of weights. */
export interface Chain {
  readonly step: (x: Expression, weights: Expression) => void;
  readonly value: () => Expression;
}

/**
 * A sum that begins with `start`. Where pairs are added, a step brings at most 2 * 127 times the largest quant, so that
 * 8, 4 or 2 steps of 4, 5 or 6 bits stay within 16 bits.
 */
export function chain(
  k: KernelBuilder,
  shapes: WideShapes,
  { highBits }: KFormat,
  start: Expression = constant(0, registerType("i32", shapes.lanes)),
): Chain {
  if (shapes.quads) return dotSum(k, shapes, start);
  let sum = start;
  let [pairs, steps]: [Expression | undefined, number] = [undefined, 0];
  const widen = (): void => {
    if (pairs) sum = k.let("n", add(sum, dotPairs(pairs, constant(1, pairs.type))));
    [pairs, steps] = [undefined, 0];
  };
  return {
    step: (x, weights) => {
      const both = dotPairsI8(x, weights);
      pairs = k.let("pairs", pairs ? add(pairs, both) : both);
      if (++steps === 8 >> highBits) widen();
    },
    value: () => {
      widen();
      return sum;
    },
  };
}

/** Two runs of a tile that lie behind each other, 64 columns. Each place is a byte; all but the first move by pairs. */
export interface RunPair {
  readonly record: Expression;
  readonly scales: Expression;
  readonly minimums: Expression;
  readonly quants: Expression;
}

/** Pair `pair` of group `group` of 256 columns. */
export function pairOf(k: KernelBuilder, tile: KTile, group: Operand, pair: Expression): RunPair {
  const format = kFormats[tile.format];
  const size = kRecordBytes(tile.format);
  if (!hasSuperblocks(format)) {
    const record = k.let("record", add(tile.start, mul(add(mul(group, groupRecords), pair), size)));
    return { record, scales: record, minimums: record, quants: add(record, quantsStart(format)) };
  }
  const record = k.let("record", add(tile.start, mul(group, size)));
  const on = (wish: string, bytes: number): Expression => k.let(wish, add(record, mul(pair, bytes)));
  return {
    record,
    scales: on("scales", scaleAt(format, 2) - scaleAt(format, 0)),
    minimums: on("minimums", minimumAt(format, 2) - minimumAt(format, 0)),
    quants: add(on("quants", 2 * runBytes(format)), quantsStart(format)),
  };
}

/** The words of one run of a pair, for a vector of rows. */
export const pairWords = (
  k: KernelBuilder,
  shapes: WideShapes,
  { format, bytes }: KTile,
  pair: RunPair,
  half: 0 | 1,
  vector: number,
): readonly Expression[] => {
  const own = kFormats[format];
  return runWords(k, shapes, own, bytes, add(pair.quants, half * runBytes(own) + 4 * shapes.lanes * vector));
};

/** Small whole numbers of some rows, or the f16 numbers of blocks; `at` is the byte of those of the tile. */
function factorsAt(k: KernelBuilder, shapes: WideShapes, tile: KTile, at: Expression, vector: number): Expression {
  const { lanes } = shapes;
  const own = kFormats[tile.format];
  if (!hasSuperblocks(own)) return scalesAt(k, shapes, tile.bytes, add(at, 2 * lanes * vector));
  // Scales of q6_K have a sign.
  const as = own.scales === 2 ? "i8" : "u8";
  return k.let("factor", k.load(tile.bytes, add(at, lanes * vector), { lanes, as }));
}

/** The scales of a run of a pair, or of a half of it: whole numbers in super-blocks, else f32. */
export const scalesOf = (
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  pair: RunPair,
  half: 0 | 1,
  part: number,
  vector: number,
): Expression => factorsAt(k, shapes, tile, add(pair.scales, scaleAt(kFormats[tile.format], half, part)), vector);

/** Its minima. */
export const minimumsOf = (
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  pair: RunPair,
  half: 0 | 1,
  vector: number,
): Expression => factorsAt(k, shapes, tile, add(pair.minimums, minimumAt(kFormats[tile.format], half)), vector);

/** What the whole numbers of a super-block are times: its `d` or its `n`. */
export const superFactor = (
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  record: Expression,
  of: "scales" | "minimums",
  vector: number,
): Expression =>
  scalesAt(k, shapes, tile.bytes, add(record, (of === "scales" ? 0 : minimumFactorAt) + 2 * shapes.lanes * vector));
