/**
 * What tiles of block-quantized weights ask of the instructions for integers: the exact sums of products of a block of 32
 * columns, for 16 rows of the weight (four vectors) and a few tokens. `pair-dots.ts` and `quad-dots.ts` are the two answers.
 */
import { add, bitcast, constant, splat } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { blockElements } from "./layouts.js";
import type { QuantizedActivations } from "./quantize.js";

/** Vectors of four rows that a tile has. */
export const vectors = [0, 1, 2, 3] as const;

export const i32x4 = registerType("i32", 4);
export const sixteenBytes = { lanes: 16, element: "i8" } as const;

/** One token: the element where its activations start, a multiple of 32. */
export interface TokenRow {
  readonly start: Expression;
  readonly from: QuantizedActivations;
}

/** [token][vector]. */
export type Sums = readonly (readonly Variable[])[];

/** The sums of a block as integers (i32x4). */
export type Integers = (token: number, vector: number) => Expression;

/** Where a record begins, and where the activations of its block begin for each token. */
export interface BlockPlace {
  readonly bytes: BufferHandle;
  readonly record: Expression;
  readonly block: Expression;
  readonly starts: readonly Expression[];
}

/** Where the unpacked integers of a block begin, and its activations for each token. */
export interface UnpackedPlace {
  readonly quants: BufferHandle;
  readonly first: Expression;
  readonly block: Expression;
  readonly starts: readonly Expression[];
}

/** Sums of blocks by one kind of instruction, for one storage, in one kernel. */
export interface BlockDots {
  readonly storage: "q8_0" | "q4_0";
  /** What unpacked weights are. */
  readonly unpacked: "i16" | "i8";
  /** Vectors whose sums of a record as it is stored stay in registers for so many tokens: all, or half of them. */
  together(tokens: number): 2 | 4;
  /** Sums of a record as it is stored, of all vectors or of the `together` ones from `first` on. */
  packed(k: KernelBuilder, tokens: readonly TokenRow[], place: BlockPlace, first: number): Integers;
  /** Writes the numbers of a record from element `to` of `target` on, as `sums` reads them. */
  unpack(k: KernelBuilder, bytes: BufferHandle, record: Expression, target: BufferHandle, to: Expression): void;
  /** Sums of an unpacked block. */
  sums(k: KernelBuilder, tokens: readonly TokenRow[], place: UnpackedPlace): Integers;
}

/** The number of the block in which an element lies. */
export const blockOf = (start: Expression): Expression => ({
  kind: "binary",
  op: "shru",
  left: start,
  right: constant(Math.log2(blockElements)),
  type: start.type,
});

/** Four activations, the same for each of four rows. */
export const fourTimes = (k: KernelBuilder, { from }: TokenRow, at: Expression): Expression =>
  k.let("x", bitcast(splat(k.load(from.quants, at, { as: "i32" }), 4), "i8"));

/** What takes the offset of the weights off the sums of a block. */
export function withoutOffset(k: KernelBuilder, { from, start }: TokenRow, block: Expression): Expression {
  if (!from.starts) throw new TypeError("weights with an offset need the sums of the activations");
  return k.let("offset", splat(k.load(from.starts, add(blockOf(start), block)), 4));
}
