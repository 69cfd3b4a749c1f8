/**
 * Register tiles of integer products for block-quantized weights: 16 rows of the weight (four vectors) times a few
 * tokens. A block of 32 is summed in integers, exactly; then the sums are scaled into f32.
 */
import {
  add,
  and,
  bitcast,
  constant,
  convert,
  dotPairs,
  dotPairsI8,
  fma,
  mul,
  shru,
  splat,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { blockElements, q4RecordBytes, q8RecordBytes, scaleBytes } from "./layouts.js";
import { readAhead, type Ahead } from "./ahead.js";
import type { QuantizedActivations } from "./quantize.js";

/** Records of one tile of 16 rows. */
export interface WeightTile {
  /** i8 (q8) or u8 (q4) bytes. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
  /** K / 32. */
  readonly blocks: Operand;
  /** What to read along: `aheadBytes` further with each block. */
  readonly ahead?: Ahead | undefined;
}

/** Bytes of a line that a cache holds. */
const lineBytes = 64;
/** Bytes that are read ahead with each block, a word of each line: several groups of tokens share the next tile. */
export const aheadBytes = 2 * lineBytes;

/** One token: the element where its activations start, a multiple of 32. */
export interface TokenRow {
  readonly start: Expression;
  readonly from: QuantizedActivations;
}

const vectors = [0, 1, 2, 3] as const;
const i32x4 = registerType("i32", 4);
const f32x4 = registerType("f32", 4);
const i16x8 = registerType("i16", 8);

type Sums = readonly (readonly Variable[])[];

const variables = (k: KernelBuilder, name: string, tokens: number, type: typeof f32x4): Sums =>
  Array.from({ length: tokens }, () => vectors.map(() => k.variable(name, 0, type)));

/** sums += integers * weight scale * activation scale, for all tokens and vectors of a block. */
function scaleBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  weights: { readonly bytes: BufferHandle; readonly record: Expression },
  block: Expression,
  integers: (token: number, vector: number) => Expression,
  sums: Sums,
): void {
  const activationScales = tokens.map(({ from, start }) =>
    k.let("x_scale", splat(k.load(from.scales, add(blockOf(start), block)), 4)),
  );
  for (const vector of vectors) {
    const at = add(weights.record, vector * 8);
    const scale = k.let("w_scale", k.load(weights.bytes, at, { lanes: 4, as: "f16", finite: true }));
    tokens.forEach((_, token) => {
      const sum = sums[token]![vector]!;
      sum.set(fma(convert(integers(token, vector), "f32"), mul(scale, activationScales[token]!), sum.get));
    });
  }
}

/** The number of the block in which an element lies. */
const blockOf = (start: Expression): Expression => ({
  kind: "binary",
  op: "shru",
  left: start,
  right: constant(Math.log2(blockElements)),
  type: start.type,
});

/** Where a record begins, and where the activations of its block begin for each token. */
interface BlockPlace {
  readonly bytes: BufferHandle;
  readonly record: Expression;
  readonly block: Expression;
  readonly starts: readonly Expression[];
}

/**
 * All blocks of several tiles, one record of each tile in turn. Reading four tiles side by side instead of one after the
 * other keeps more of the memory busy: one token reaches 84% instead of 52% of the rate of plain reads.
 */
function overBlocks(
  k: KernelBuilder,
  weights: readonly WeightTile[],
  recordBytes: number,
  tokens: readonly TokenRow[],
  integersOf: (place: BlockPlace) => (token: number, vector: number) => Expression,
): readonly Sums[] {
  const sums = weights.map(() => variables(k, "sum", tokens.length, f32x4));
  k.loop("block", 0, weights[0]!.blocks, 1, (block) => {
    const starts = tokens.map(({ start }) => k.let("x_start", add(start, mul(block, blockElements))));
    weights.forEach(({ bytes, start }, tile) => {
      const record = k.let("record", add(start, mul(block, recordBytes)));
      const integers = integersOf({ bytes, record, block, starts });
      scaleBlock(k, tokens, { bytes, record }, block, integers, sums[tile]!);
    });
    for (const { ahead } of weights) {
      if (!ahead) continue;
      for (let line = 0; line < aheadBytes; line += lineBytes) readAhead(k, ahead, block, aheadBytes, line);
    }
  });
  return sums;
}

/** [tile][token][vector] sums of q8 weights times i16 activations. Exact per block for all values. */
export function q8Tiles(
  k: KernelBuilder,
  weights: readonly WeightTile[],
  tokens: readonly TokenRow[],
): readonly Sums[] {
  return overBlocks(k, weights, q8RecordBytes, tokens, ({ bytes, record, starts }) => {
    const integers = variables(k, "integer", tokens.length, i32x4);
    k.loop("pair", 0, blockElements / 2, 1, (pair) => {
      const quants = vectors.map((vector) => {
        const at = add(add(record, mul(pair, 32)), scaleBytes + vector * 8);
        return k.let("w", k.load(bytes, at, { lanes: 8, element: "i16" }));
      });
      tokens.forEach(({ from }, token) => {
        const two = k.load(from.quants, add(starts[token]!, mul(pair, 2)), { as: "i32" });
        const x = k.let("x", bitcast(splat(two, 4), "i16"));
        for (const vector of vectors) {
          const sum = integers[token]![vector]!;
          sum.set(add(sum.get, dotPairs(quants[vector]!, x)));
        }
      });
    });
    return (token, vector) => integers[token]![vector]!.get;
  });
}

/** One tile: [token][vector]. */
export const q8Tile = (k: KernelBuilder, weights: WeightTile, tokens: readonly TokenRow[]): Sums =>
  q8Tiles(k, [weights], tokens)[0]!;

/** 8 * sum of the activations of a block comes off, because the weights are stored plus 8. */
function withoutOffset(k: KernelBuilder, { from, start }: TokenRow, block: Expression): Expression {
  if (!from.sums) throw new TypeError("4-bit weights need the sums of the activations");
  return k.let("offset", splat(mul(k.load(from.sums, add(blockOf(start), block)), -8), 4));
}

/** Sums of i16 pairs as i32, less the offset. */
const total = (pairs: Expression, offset: Expression): Expression =>
  add(dotPairs(pairs, constant(1, registerType("i16", 8))), offset);

/** Four activations, the same for each of four rows. */
const fourTimes = (k: KernelBuilder, { from }: TokenRow, at: Expression): Expression =>
  k.let("x", bitcast(splat(k.load(from.quants, at, { as: "i32" }), 4), "i8"));

/** Integers of a block from sums of i16 pairs. */
function withoutOffsets(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  block: Expression,
  pairs: Sums,
): (token: number, vector: number) => Expression {
  const offsets = tokens.map((row) => withoutOffset(k, row, block));
  return (token, vector) => total(pairs[token]![vector]!.get, offsets[token]!);
}

/**
 * [tile][token][vector] sums of packed q4 weights times i8 activations, for a few tokens: unpacks as it goes. Eight
 * products of at most 15 * 127 in pairs stay below 2^15, so a block is summed in i16.
 */
export function q4Tiles(
  k: KernelBuilder,
  weights: readonly WeightTile[],
  tokens: readonly TokenRow[],
): readonly Sums[] {
  const low = constant(15, registerType("i8", 16));
  return overBlocks(k, weights, q4RecordBytes, tokens, ({ bytes, record, block, starts }) => {
    const pairs = variables(k, "pairs", tokens.length, i16x8);
    k.loop("eight", 0, 4, 1, (eight) => {
      const activations = tokens.map((row, token) => {
        const at = add(starts[token]!, mul(eight, 8));
        return [fourTimes(k, row, at), fourTimes(k, row, add(at, 4))] as const;
      });
      for (const vector of vectors) {
        const at = add(add(record, mul(eight, 64)), scaleBytes + vector * 16);
        const quants = k.let("w", k.load(bytes, at, { lanes: 16, element: "i8" }));
        const lows = k.let("low", and(quants, low));
        const highs = k.let("high", and(bitcast(shru(bitcast(quants, "i16"), 4), "i8"), low));
        activations.forEach(([first, second], token) => {
          const sum = pairs[token]![vector]!;
          sum.set(add(add(sum.get, dotPairsI8(first, lows)), dotPairsI8(second, highs)));
        });
      }
    });
    return withoutOffsets(k, tokens, block, pairs);
  });
}

/** One tile: [token][vector]. */
export const q4Tile = (k: KernelBuilder, weights: WeightTile, tokens: readonly TokenRow[]): Sums =>
  q4Tiles(k, [weights], tokens)[0]!;

/** Bytes of one block of 16 unpacked rows. */
export const unpackedBlockBytes = 512;

/**
 * Unpack the 4-bit quants of a tile into `target` (i8, `unpackedBlockBytes` a block): for each four k four vectors of
 * four rows. Worth it when several groups of tokens read the tile.
 */
export function unpackQ4(k: KernelBuilder, weights: WeightTile, target: BufferHandle): void {
  const low = constant(15, registerType("i8", 16));
  k.loop("block", 0, weights.blocks, 1, (block) => {
    const record = k.let("record", add(weights.start, mul(block, q4RecordBytes)));
    const to = k.let("to", mul(block, unpackedBlockBytes));
    k.loop("sixteen", 0, 16, 1, (sixteen) => {
      const at = add(add(record, mul(sixteen, 16)), scaleBytes);
      const quants = k.let("w", k.load(weights.bytes, at, { lanes: 16, element: "i8" }));
      // Vector `sixteen % 4` of the eight k number `sixteen / 4`: its lower four k first.
      const place = add(add(to, mul(shru(sixteen, 2), 128)), mul(and(sixteen, 3), 16));
      k.store(target, place, and(quants, low));
      k.store(target, add(place, 64), and(bitcast(shru(bitcast(quants, "i16"), 4), "i8"), low));
    });
  });
}

/** [token][vector] sums of unpacked 4-bit weights; `weights` still holds the scales. */
export function unpackedQ4Tile(
  k: KernelBuilder,
  weights: WeightTile,
  unpacked: BufferHandle,
  tokens: readonly TokenRow[],
): Sums {
  const [sums] = overBlocks(k, [weights], q4RecordBytes, tokens, ({ block, starts }) => {
    const bytes = k.let("bytes", mul(block, unpackedBlockBytes));
    const pairs = variables(k, "pairs", tokens.length, i16x8);
    k.loop("four", 0, blockElements / 4, 1, (four) => {
      const quants = vectors.map((vector) =>
        k.let("w", k.load(unpacked, add(add(bytes, mul(four, 64)), vector * 16), { lanes: 16, element: "i8" })),
      );
      tokens.forEach((row, token) => {
        const x = fourTimes(k, row, add(starts[token]!, mul(four, 4)));
        for (const vector of vectors) {
          const sum = pairs[token]![vector]!;
          sum.set(add(sum.get, dotPairsI8(x, quants[vector]!)));
        }
      });
    });
    return withoutOffsets(k, tokens, block, pairs);
  });
  return sums!;
}
