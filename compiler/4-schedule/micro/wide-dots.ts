/**
 * Sums of products of bytes with wide records (`wide-layouts.ts`): outputs side by side, each lane a sum of four bytes a
 * step. The unsigned bytes are the weights, the signed ones a word of activations that all outputs share; a sum starts
 * with the offset of the weights times the sum of the activations, so nothing has to be taken off.
 *
 * Where the processor adds four products to a lane (`quads`), a sum is a chain of such steps. Where it does so with signed
 * bytes only (`signed`), offsets are taken off the weights, but where their bytes are small. Where it multiplies pairs
 * to 16 bits, weights are taken in halves of 4 bits: eight steps with bytes of 0..15 and -127..127 stay below
 * 8 * 2 * 15 * 127 = 30480, so that one step widens them for a block of 32.
 */
import {
  add,
  and,
  bitcast,
  constant,
  dotPairs,
  dotPairsI8,
  dotQuads,
  dotQuadsUnsigned,
  mul,
  shru,
  shuffle,
  splat,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { activationStarts, recordRows, type WideQuants } from "./wide-layouts.js";

/** Records of one tile of 16 rows. */
export interface WideTile {
  readonly format: WideQuants;
  /** u8. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
}

/** A row of activations: i8 groups. */
export interface WideRow {
  readonly bytes: BufferHandle;
  /** Byte of the first group. */
  readonly start: Expression;
}

export const halves = [0, 1] as const;

/** Groups of four columns in half a record. */
export const words = 8;

/** Vectors of one tile. */
export const tileVectors = ({ lanes }: WideShapes): readonly number[] =>
  Array.from({ length: recordRows / lanes }, (_, vector) => vector);

/** Words of activations from word `from` behind byte `at` on, each for all outputs, by their numbers. */
export function repeatedWords(
  k: KernelBuilder,
  { lanes, byLane }: WideShapes,
  { bytes }: WideRow,
  at: Expression,
  from = 0,
): (word: Expression | number) => Expression {
  if (!byLane) {
    return (word) => {
      const loaded = k.load(bytes, add(add(at, mul(4, word)), 4 * from), { as: "i32" });
      return k.let("x", bitcast(splat(loaded, lanes), "i8"));
    };
  }
  const loaded = new Map<number, Expression>();
  return (word) => {
    if (typeof word !== "number") throw new RangeError("lanes are taken by number, not in a loop");
    const first = word - (word % lanes);
    const words = loaded.get(first) ?? k.let("x", k.load(bytes, add(at, 4 * (from + first)), { lanes, as: "i32" }));
    loaded.set(first, words);
    return bitcast(shuffle(words, words, Array<number>(lanes).fill(word - first)), "i8");
  };
}

/** Words of weights side by side. */
export const quantsAt = (k: KernelBuilder, { lanes }: WideShapes, bytes: BufferHandle, at: Expression): Expression =>
  k.let("w", k.load(bytes, at, { lanes: 4 * lanes, element: "i8" }));

/** f16 scales as f32. */
export const scalesAt = (k: KernelBuilder, { lanes }: WideShapes, bytes: BufferHandle, at: Expression): Expression =>
  k.let("w_scale", k.load(bytes, at, { lanes, as: "f16", finite: true }));

/** -128 times the sum of half a record of activations, whose bytes begin at `record`. */
export const startAt = (
  k: KernelBuilder,
  { lanes }: WideShapes,
  { bytes }: WideRow,
  record: Expression,
  half: number,
): Expression => k.let("start", splat(k.load(bytes, add(record, activationStarts + 4 * half), { as: "i32" }), lanes));

/** The four low bits of each byte. */
export const lowHalf = (bytes: Expression): Expression => and(bytes, 15);

/** The four high bits of each byte: 16 bits are shifted at a time, because no processor shifts bytes. */
export const highHalf = (bytes: Expression): Expression => and(bitcast(shru(bitcast(bytes, "i16"), 4), "i8"), 15);

/** A sum of products of one row and one vector of outputs, four bytes a lane and step. */
export interface DotSum {
  readonly step: (x: Expression, weights: Expression) => void;
  /** The sums so far as i32, `times` as large. */
  readonly value: (times?: number) => Expression;
}

/** A sum that begins with `start`; where pairs are added it begins with zero. */
export function dotSum(k: KernelBuilder, { lanes, quads, signed }: WideShapes, start?: Expression): DotSum {
  if (quads) {
    let sum = start ?? constant(0, registerType("i32", lanes));
    return {
      step: (x, weights) =>
        void (sum = k.let("n", signed ? dotQuads(weights, x, sum, false) : dotQuadsUnsigned(x, weights, sum))),
      value: () => sum,
    };
  }
  const pairs = k.variable("n", 0, registerType("i16", 2 * lanes));
  return {
    step: (x, weights) => pairs.set(add(pairs.get, dotPairsI8(x, weights))),
    value: (times = 1) => dotPairs(pairs.get, constant(times, pairs.get.type)),
  };
}

/**
 * `count` steps. Chains of four products keep their order; pairs would be multiplied far ahead of their sums, in more
 * registers than there are, so they get a loop.
 */
export function eachStep(
  k: KernelBuilder,
  { quads }: WideShapes,
  count: number,
  body: (step: Expression | number) => void,
): void {
  if (quads) for (let step = 0; step < count; step++) body(step);
  else k.loop("step", 0, count, 1, body);
}
