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
  sub,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { blockElements, q4RecordBytes, q8RecordBytes, scaleBytes, tileRows } from "./layouts.js";
import { lineBytes, readAhead, type Ahead } from "./ahead.js";
import type { QuantizedActivations } from "./quantize.js";
import { highHalf, lowHalf } from "./wide-dots.js";

/** Records of one tile of 16 rows. */
export interface WeightTile {
  /** i8 (q8) or u8 (q4) bytes. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
  /** K / 32. */
  readonly blocks: Operand;
}

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

const sixteenBytes = { lanes: 16, element: "i8" } as const;

type Sums = readonly (readonly Variable[])[];

const variables = (k: KernelBuilder, name: string, tokens: number, type: typeof f32x4): Sums =>
  Array.from({ length: tokens }, () => vectors.map(() => k.variable(name, 0, type)));

/** sums += integers * weight scale * activation scale, for all tokens and vectors of a block. */
function scaleBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  weightScale: (vector: number) => Expression,
  block: Expression,
  integers: (token: number, vector: number) => Expression,
  sums: Sums,
): void {
  const activationScales = tokens.map(({ from, start }) =>
    k.let("x_scale", splat(k.load(from.scales, add(blockOf(start), block)), 4)),
  );
  for (const vector of vectors) {
    const scale = k.let("w_scale", weightScale(vector));
    tokens.forEach((_, token) => {
      const sum = sums[token]![vector]!;
      sum.set(fma(convert(integers(token, vector), "f32"), mul(scale, activationScales[token]!), sum.get));
    });
  }
}

/** Four scales of a record. */
const recordScale =
  (k: KernelBuilder, bytes: BufferHandle, record: Expression) =>
  (vector: number): Expression =>
    k.load(bytes, add(record, vector * 8), { lanes: 4, as: "f16", finite: true });

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
      scaleBlock(k, tokens, recordScale(k, bytes, record), block, integers, sums[tile]!);
    });
  });
  return sums;
}

/** Sums of a block of i16 weights, which come eight by eight for two k, times i16 activations. Exact for all values. */
function pairsOfBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  starts: readonly Expression[],
  weights: (pair: Expression, vector: number) => Expression,
): (token: number, vector: number) => Expression {
  const integers = variables(k, "integer", tokens.length, i32x4);
  k.loop("pair", 0, blockElements / 2, 1, (pair) => {
    const quants = vectors.map((vector) => k.let("w", weights(pair, vector)));
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
}

/** [tile][token][vector] sums of q8 weights times i16 activations, for a few tokens. */
export function q8Tiles(
  k: KernelBuilder,
  weights: readonly WeightTile[],
  tokens: readonly TokenRow[],
): readonly Sums[] {
  return overBlocks(k, weights, q8RecordBytes, tokens, ({ bytes, record, starts }) =>
    pairsOfBlock(k, tokens, starts, (pair, vector) =>
      k.load(bytes, add(add(record, mul(pair, 32)), scaleBytes + vector * 8), { lanes: 8, element: "i16" }),
    ),
  );
}

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
  return overBlocks(k, weights, q4RecordBytes, tokens, ({ bytes, record, block, starts }) => {
    const pairs = variables(k, "pairs", tokens.length, i16x8);
    k.loop("eight", 0, 4, 1, (eight) => {
      const activations = tokens.map((row, token) => {
        const at = add(starts[token]!, mul(eight, 8));
        return [fourTimes(k, row, at), fourTimes(k, row, add(at, 4))] as const;
      });
      for (const vector of vectors) {
        const at = add(add(record, mul(eight, 64)), scaleBytes + vector * 16);
        const quants = k.let("w", k.load(bytes, at, sixteenBytes));
        const lows = k.let("low", lowHalf(quants));
        const highs = k.let("high", highHalf(quants));
        activations.forEach(([first, second], token) => {
          const sum = pairs[token]![vector]!;
          sum.set(add(add(sum.get, dotPairsI8(first, lows)), dotPairsI8(second, highs)));
        });
      }
    });
    return withoutOffsets(k, tokens, block, pairs);
  });
}

/** Integers of one block of 16 rows. */
const tileBlock = tileRows * blockElements;

/** Blocks `from..to` of a tile, unpacked for many tokens. */
export interface UnpackedTile {
  /** i16 (q8) or i8 (q4): for each two or four k four vectors of four rows. */
  readonly quants: BufferHandle;
  /** f32: the scales of 16 rows for each block. */
  readonly scales: BufferHandle;
  readonly from: Operand;
  readonly to: Operand;
}

/** Memory of a block of the grid for the unpacked form of up to `blocks` blocks. */
export function unpackedBuffers(
  k: KernelBuilder,
  storage: "q8_0" | "q4_0",
  blocks: number,
): Pick<UnpackedTile, "quants" | "scales"> {
  return {
    quants: k.blockBuffer("unpacked", storage === "q8_0" ? "i16" : "i8", "local", blocks * tileBlock),
    scales: k.blockBuffer("unpacked_scales", "f32", "local", blocks * tileRows),
  };
}

/**
 * Unpack the numbers of a tile once for all groups of tokens: bytes of q8 to i16, nibbles of q4 to bytes, scales to f32.
 * The groups then read what their dot products take, and V8 has registers for one more token.
 */
export function unpackTile(k: KernelBuilder, weights: WeightTile, target: UnpackedTile): void {
  const four = target.quants.element === "i8";
  const { bytes } = weights;
  k.loop("block", target.from, target.to, 1, (block) => {
    const record = k.let("record", add(weights.start, mul(block, four ? q4RecordBytes : q8RecordBytes)));
    const number = k.let("number", sub(block, target.from));
    const scale = recordScale(k, bytes, record);
    for (const vector of vectors) k.store(target.scales, add(mul(number, tileRows), 4 * vector), scale(vector));
    const to = k.let("to", mul(number, tileBlock));
    if (four) {
      k.loop("sixteen", 0, 16, 1, (sixteen) => {
        const quants = k.let("w", k.load(bytes, add(add(record, mul(sixteen, 16)), scaleBytes), sixteenBytes));
        // Vector `sixteen % 4` of the eight k number `sixteen / 4`: its lower four k first.
        const place = add(add(to, mul(shru(sixteen, 2), 128)), mul(and(sixteen, 3), 16));
        k.store(target.quants, place, lowHalf(quants));
        k.store(target.quants, add(place, 64), highHalf(quants));
      });
    } else {
      k.loop("pair", 0, tileBlock, 4 * 8, (pair) => {
        for (const vector of vectors) {
          const at = add(pair, 8 * vector);
          const two = k.load(bytes, add(add(record, at), scaleBytes), { lanes: 8, element: "i16" });
          k.store(target.quants, add(to, at), two);
        }
      });
    }
  });
}

/**
 * [token][vector] sums of an unpacked tile, on top of `start`.
 *
 * @param ahead What to read along, `aheadBytes` further with each block, from where block `from` would be 0.
 */
export function unpackedTile(
  k: KernelBuilder,
  tile: UnpackedTile,
  tokens: readonly TokenRow[],
  start?: (token: number, vector: number) => Expression,
  ahead?: Ahead,
): Sums {
  const sums = tokens.map((_, token) => vectors.map((vector) => k.variable("sum", start?.(token, vector) ?? 0, f32x4)));
  k.loop("block", tile.from, tile.to, 1, (block) => {
    const number = k.let("number", sub(block, tile.from));
    const starts = tokens.map((row) => k.let("x_start", add(row.start, mul(block, blockElements))));
    const place = { quants: tile.quants, first: k.let("first", mul(number, tileBlock)), block, starts };
    const integers = tile.quants.element === "i8" ? bytesOfBlock(k, tokens, place) : wordsOfBlock(k, tokens, place);
    const scale = (vector: number): Expression =>
      k.load(tile.scales, add(mul(number, tileRows), 4 * vector), { lanes: 4 });
    scaleBlock(k, tokens, scale, block, integers, sums);
    if (!ahead) return;
    for (let line = 0; line < aheadBytes; line += lineBytes) readAhead(k, ahead, number, aheadBytes, line);
  });
  return sums;
}

/** Where the unpacked integers of a block begin, and its activations for each token. */
interface UnpackedPlace {
  readonly quants: BufferHandle;
  readonly first: Expression;
  readonly block: Expression;
  readonly starts: readonly Expression[];
}

/** Sums of i8 products of a block. */
function bytesOfBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  { quants, first, block, starts }: UnpackedPlace,
): (token: number, vector: number) => Expression {
  const pairs = variables(k, "pairs", tokens.length, i16x8);
  k.loop("four", 0, blockElements / 4, 1, (four) => {
    const w = vectors.map((vector) =>
      k.let("w", k.load(quants, add(add(first, mul(four, 64)), vector * 16), sixteenBytes)),
    );
    tokens.forEach((row, token) => {
      const x = fourTimes(k, row, add(starts[token]!, mul(four, 4)));
      for (const vector of vectors) {
        const sum = pairs[token]![vector]!;
        sum.set(add(sum.get, dotPairsI8(x, w[vector]!)));
      }
    });
  });
  return withoutOffsets(k, tokens, block, pairs);
}

/** Sums of i16 products of a block. */
function wordsOfBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  { quants, first, starts }: UnpackedPlace,
): (token: number, vector: number) => Expression {
  return pairsOfBlock(k, tokens, starts, (pair, vector) =>
    k.load(quants, add(add(first, mul(pair, 32)), vector * 8), { lanes: 8, element: "i16" }),
  );
}
