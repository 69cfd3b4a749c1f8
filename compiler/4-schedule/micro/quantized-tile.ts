/**
 * Register tiles of integer products for block-quantized weights: 16 rows of the weight (four vectors) times a few
 * tokens. A block of 32 is summed in integers, exactly; then the sums are scaled into f32.
 */
import { add, constant, convert, fma, mul, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { lineBytes, readAhead, type Ahead } from "./ahead.js";
import { blockOf, vectors, type BlockDots, type Integers, type Sums, type TokenRow } from "./block-sums.js";
import { blockElements, recordsOf, tileRows } from "./layouts.js";

/** Records of one tile of 16 rows. */
export interface WeightTile {
  /** i8 (q8) or u8 (q4) bytes. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
  /** K / 32. */
  readonly blocks: Operand;
}

/**
 * Bytes that are read ahead with each block, by a word of their line: several groups of tokens share the next tile. A word
 * that memory must bring holds up what comes behind it, so a processor that goes through lines slowly enough to bring the
 * next ones by itself waits less: by twos, tiles of 16 rows took 1.05 times as long.
 */
export const aheadBytes = lineBytes;

const f32x4 = registerType("f32", 4);

/** The scales of the activations of a block, for each token. */
const activationScales = (k: KernelBuilder, tokens: readonly TokenRow[], block: Expression): readonly Expression[] =>
  tokens.map(({ from, start }) => k.let("x_scale", splat(k.load(from.scales, add(blockOf(start), block)), 4)));

/** sums += integers * weight scale * activation scale, for all tokens and vectors of a block. */
function scaleBlock(
  k: KernelBuilder,
  tokens: readonly TokenRow[],
  weightScale: (vector: number) => Expression,
  block: Expression,
  integers: Integers,
  sums: Sums,
): void {
  const scales = activationScales(k, tokens, block);
  for (const vector of vectors) {
    const scale = k.let("w_scale", weightScale(vector));
    tokens.forEach((_, token) => {
      const sum = sums[token]![vector]!;
      sum.set(fma(convert(integers(token, vector), "f32"), mul(scale, scales[token]!), sum.get));
    });
  }
}

/** Four scales of a record. */
const recordScale =
  (k: KernelBuilder, bytes: BufferHandle, record: Expression) =>
  (vector: number): Expression =>
    k.load(bytes, add(record, vector * 8), { lanes: 4, as: "f16", finite: true });

/** Some tiles of packed weights, and where their sums go. */
export interface TilesBeside {
  readonly bytes: BufferHandle;
  readonly count: number;
  /** Byte of the first record of a tile. */
  readonly start: (tile: Expression) => Expression;
  /** K / 32. */
  readonly blocks: Operand;
  /** f32. */
  readonly sums: BufferHandle;
  /** Element of `sums` where those of a token begin: 16 for each tile. */
  readonly at: (token: number) => number;
}

/**
 * Sums of packed weights, which are unpacked as they are read, for a few tokens: one record of each tile in turn. On
 * processors of Intel four tiles side by side keep more of the memory busy than one after the other: one token reached 84%
 * instead of 52% of the rate of plain reads. One code serves all tiles, with sums in memory: of four copies V8 had no
 * registers left for addresses, and q4 took 1.2 times as long for one token and 1.4 times for two.
 */
export function packedTiles(k: KernelBuilder, dots: BlockDots, tiles: TilesBeside, tokens: readonly TokenRow[]): void {
  const { bytes, count, sums } = tiles;
  const zeros = splat(constant(0, registerType("f32")), 4);
  tokens.forEach((_, token) =>
    k.loop("cleared", 0, count * tileRows, 4, (n) => k.store(sums, add(n, tiles.at(token)), zeros)),
  );
  k.loop("block", 0, tiles.blocks, 1, (block) => {
    const starts = tokens.map(({ start }) => k.let("x_start", add(start, mul(block, blockElements))));
    const recordAt = k.let("record_at", mul(block, recordsOf[dots.storage].bytes));
    k.loop("tile", 0, count, 1, (tile) => {
      const record = k.let("record", add(tiles.start(tile), recordAt));
      const line = k.let("line", mul(tile, tileRows));
      const scales = activationScales(k, tokens, block);
      const weightScale = recordScale(k, bytes, record);
      const together = dots.together(tokens.length);
      for (let first = 0; first < vectors.length; first += together) {
        const integers = dots.packed(k, tokens, { bytes, record, block, starts }, first);
        for (const vector of vectors.slice(first, first + together)) {
          const scale = k.let("w_scale", weightScale(vector));
          tokens.forEach((_, token) => {
            const at = add(line, tiles.at(token) + 4 * vector);
            const sum = k.load(sums, at, { lanes: 4 });
            k.store(sums, at, fma(convert(integers(token, vector), "f32"), mul(scale, scales[token]!), sum));
          });
        }
      }
    });
  });
}

/** Integers of one block of 16 rows. */
const tileBlock = tileRows * blockElements;

/** Blocks `from..to` of a tile, unpacked for many tokens. */
export interface UnpackedTile {
  /** Numbers, block by block, as the dot products take them. */
  readonly quants: BufferHandle;
  /** f32: the scales of 16 rows for each block. */
  readonly scales: BufferHandle;
  readonly from: Operand;
  readonly to: Operand;
}

/** Memory of a block of the grid for the unpacked form of up to `blocks` blocks. */
export function unpackedBuffers(
  k: KernelBuilder,
  { unpacked }: BlockDots,
  blocks: number,
): Pick<UnpackedTile, "quants" | "scales"> {
  return {
    quants: k.blockBuffer("unpacked", unpacked, "local", blocks * tileBlock),
    scales: k.blockBuffer("unpacked_scales", "f32", "local", blocks * tileRows),
  };
}

/**
 * Unpack the numbers of a tile once for all groups of tokens, and scales to f32. The groups then read what their dot
 * products take, and V8 has registers for one more token.
 */
export function unpackTile(k: KernelBuilder, dots: BlockDots, weights: WeightTile, target: UnpackedTile): void {
  const { bytes } = weights;
  k.loop("block", target.from, target.to, 1, (block) => {
    const record = k.let("record", add(weights.start, mul(block, recordsOf[dots.storage].bytes)));
    const number = k.let("number", sub(block, target.from));
    const scale = recordScale(k, bytes, record);
    for (const vector of vectors) k.store(target.scales, add(mul(number, tileRows), 4 * vector), scale(vector));
    dots.unpack(k, bytes, record, target.quants, k.let("to", mul(number, tileBlock)));
  });
}

/**
 * [token][vector] sums of an unpacked tile, on top of `start`.
 *
 * @param ahead What to read along, `aheadBytes` further with each block, from where block `from` would be 0.
 */
export function unpackedTile(
  k: KernelBuilder,
  dots: BlockDots,
  tile: UnpackedTile,
  tokens: readonly TokenRow[],
  start?: (token: number, vector: number) => Expression,
  ahead?: Ahead,
): Sums {
  const sums = tokens.map((_, token) => vectors.map((vector) => k.variable("sum", start?.(token, vector) ?? 0, f32x4)));
  k.loop("block", tile.from, tile.to, 1, (block) => {
    const number = k.let("number", sub(block, tile.from));
    const starts = tokens.map((row) => k.let("x_start", add(row.start, mul(block, blockElements))));
    const first = k.let("first", mul(number, tileBlock));
    const integers = dots.sums(k, tokens, { quants: tile.quants, first, block, starts });
    const scale = (vector: number): Expression =>
      k.load(tile.scales, add(mul(number, tileRows), 4 * vector), { lanes: 4 });
    scaleBlock(k, tokens, scale, block, integers, sums);
    if (ahead) readAhead(k, ahead, number, aheadBytes);
  });
  return sums;
}
