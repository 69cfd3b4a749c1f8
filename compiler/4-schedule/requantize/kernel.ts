/**
 * Stored numbers to blocks of q8_0 or q4_0 as a kernel, quant for quant what `checkpoints/blocks.ts` writes: all
 * arithmetic is f32, rounded after every step. What cannot be quantized (NaN, infinities, numbers beyond an f16 scale)
 * is told by the largest magnitude that was met.
 */
import {
  abs,
  add,
  and,
  bitcast,
  block,
  compare,
  constant,
  convert,
  div,
  join,
  max,
  min,
  mul,
  or,
  reduce,
  select,
  shl,
  shuffle,
  sub,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression, Kernel } from "../kernel-ir.js";
import { KernelBuilder, type BufferHandle } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { STORAGE } from "../../checkpoints/storage.js";
import type { StorageType } from "../../checkpoints/types.js";
import { magnitude } from "../micro/quantize.js";
import { blockReaders, type Values } from "./readers.js";

export type BlockTarget = "q8_0" | "q4_0";

/** Values of a run: those of one written block. */
export const runValues = 32;

const i32x4 = registerType("i32", 4);
const i32 = registerType("i32");

const largestOf = (values: Values): Expression =>
  reduce(
    "max",
    values.map(magnitude).reduce((all, one) => max(all, one)),
  );

/** 1 / scale, 0 for an empty block. It is infinite for some subnormal scales. */
const inverseOf = (scale: Expression): Expression =>
  select(compare("eq", scale, 0), constant(0, scale.type), div(constant(1, scale.type), scale));

/** Half away from zero, up to 127: of the magnitude; then the sign. NaN gives 0. */
function writeQ8(k: KernelBuilder, values: Values, bits: Expression, out: BufferHandle, at: Expression): void {
  const scale = k.let("scale", div(bitcast(bits, "f32"), 127));
  const inverse = k.let("inverse", inverseOf(scale));
  k.store(out, at, scale, { as: "f16" });
  const quants = values.map((value) => {
    const scaled = k.let("scaled", mul(value, inverse));
    const size = k.let("size", min(abs(scaled), 127));
    const whole = k.let("whole", convert(size, "i32"));
    const isUp = compare("ge", sub(size, convert(whole, "f32")), 0.5);
    const rounded = k.let("rounded", add(whole, convert(isUp, "i32")));
    const isNegative = compare("lt", bitcast(value, "i32"), 0);
    return select(isNegative, sub(constant(0, i32x4), rounded), rounded);
  });
  for (const first of [0, 4]) k.store(out, add(at, 2 + 4 * first), lowBytes(quants.slice(first, first + 4)));
}

/** The low byte of each lane of four vectors, side by side. */
function lowBytes(vectors: Values): Expression {
  const [a, b, c, d] = vectors.map((vector) => bitcast(vector, "i8"));
  const low = [0, 4, 8, 12, 16, 20, 24, 28];
  const two = (x: Expression, y: Expression): Expression => shuffle(x, y, [...low, ...low]);
  return shuffle(two(a!, b!), two(c!, d!), [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}

/** The extreme value, the first of equals, becomes quant 0: the range -8..7 has one more step below zero. */
function writeQ4(k: KernelBuilder, values: Values, bits: Expression, out: BufferHandle, at: Expression): void {
  const none = 2 * runValues;
  const places = values.map((value, v) => {
    const isLargest = compare("eq", magnitude(value), bits);
    // Place and sign in one number, so that the least is the first.
    const sign = convert(compare("lt", bitcast(value, "i32"), 0), "i32");
    return select(isLargest, or(lanes(8 * v), sign), none);
  });
  const first = k.let(
    "first",
    reduce(
      "min",
      places.reduce((all, one) => min(all, one)),
    ),
  );
  const bound = bitcast(bits, "f32");
  const isNegative = compare("ne", and(first, 1), 0);
  const scale = k.let("scale", div(select(isNegative, bound, mul(bound, -1)), 8));
  const inverse = k.let("inverse", inverseOf(scale));
  k.store(out, at, scale, { as: "f16" });
  const quantOf = (value: Expression): Expression => {
    const shifted = add(mul(value, inverse), 8.5);
    return min(max(convert(shifted, "i32"), 0), 15);
  };
  const quants = values.map(quantOf);
  k.store(out, add(at, 2), lowBytes([0, 1, 2, 3].map((v) => or(quants[v]!, shl(quants[v + 4]!, 4)))));
}

/** first, first + 2, first + 4, first + 6 */
const lanes = (first: number): Expression => join([0, 2, 4, 6].map((step) => constant(first + step)));

const writers = { q8_0: writeQ8, q4_0: writeQ4 } as const;

/** Whether numbers of this type become blocks by a kernel. */
export const isRequantizable = (from: StorageType): boolean => blockReaders[from] !== undefined;

/**
 * Grid: a block for each block of `from` (32 values for plain types). Buffers: stored bytes; blocks; one i32, which
 * becomes the bits of the largest magnitude when that is more.
 *
 * @throws RangeError for types that no kernel reads (`isRequantizable`).
 */
export function requantizeKernel(from: StorageType, to: BlockTarget): Kernel {
  const read = blockReaders[from];
  if (!read) throw new RangeError(`no kernel reads ${from}`);
  const k = new KernelBuilder(`${from}_to_${to}`, { doc: `${from} to ${to}` });
  const source = k.buffer("source", "u8", "read");
  const target = k.buffer("target", "i8", "write");
  const most = k.buffer("most", "i32", "readwrite");
  const { blockValues, blockBytes } = STORAGE[from];
  const runs = Math.max(1, blockValues / runValues);
  const bytes = blockValues === 1 ? runValues * blockBytes : blockBytes;
  const at = k.let("at", mul(block, bytes));
  const size = STORAGE[to].blockBytes;
  const largest = k.variable("largest", k.load(most, 0), i32);
  read({ k, buffer: source, at }, (values, run) => {
    const kept = values.map((value) => k.let("value", value));
    const bits = k.let("bits", largestOf(kept));
    largest.set(max(largest.get, bits));
    const place: Operand = add(mul(block, runs * size), run * size);
    writers[to](k, kept, bits, target, k.let("place", place));
  });
  k.store(most, 0, largest.get);
  return k.finish();
}
