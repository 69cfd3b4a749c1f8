/** Tiles of products with q8_0 and q4_0 weights: activations become integers once, in a kernel of their own. */
import { Size } from "../../axes/size.js";
import { add, min, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { dropAhead, sinkOf, type Ahead } from "../micro/ahead.js";
import type { BlockDots, TokenRow } from "../micro/block-sums.js";
import { byteDots, type ByteDots } from "../micro/byte-dots.js";
import { blockElements, recordsOf } from "../micro/layouts.js";
import { quantizeBlocks, type QuantizedActivations } from "../micro/quantize.js";
import {
  aheadBytes,
  packedTiles,
  unpackedBuffers,
  unpackedTile,
  unpackTile,
  type WeightTile,
} from "../micro/quantized-tile.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import type { Product, ProductInput } from "./product.js";
import { storedRow, storedRowsKernel } from "./product-rows.js";
import { inPasses, pairs, storeSums, type TilePart, type TileWriter } from "./product-tiles.js";
import { elements, type Stored } from "./tensor.js";

/** Blocks of a tile that are unpacked at a time: 16 KiB, which stay in the first cache beside the rows. */
const blocksOfPass: Readonly<Record<BlockDots["unpacked"], number>> = { i16: 16, i8: 32 };

interface QuantizedInput {
  /** Elements from one row to the next, whole blocks. */
  readonly stride: number;
  readonly quants: Stored;
  readonly scales: Stored;
  readonly starts: Stored | undefined;
}

/**
 * Elements from one row of integers to the next. Words of the same columns of several rows are read together: rows that
 * lie a multiple of 2 KiB apart have one set of the first cache in common, so these are a block further apart.
 */
const rowStride = (depth: number, bytes: number): number =>
  (depth * bytes) % 2048 === 0 ? depth + blockElements : depth;

/** Activations as integers, once for all products that read them. */
function quantized(
  entry: EntryLowering,
  input: ProductInput,
  depth: number,
  storage: BlockDots["storage"],
  form: ByteDots,
): QuantizedInput {
  return entry.remembered(`quantized ${input.stored.id} ${storage}`, () => {
    const rows = elements(input.storedRows);
    const line = (wish: string, size: Size, dtype: "f32" | "i32"): Stored =>
      entry.allocate(wish, dtype, [{ name: "n", size }]);
    const bytes = form.quants === "i16" ? 2 : 1;
    const stride = rowStride(depth, bytes);
    const blocks = rows.times(Size.of(stride / blockElements));
    // Places of i16 and i8 numbers, counted in words of 4 bytes.
    const result: QuantizedInput = {
      stride,
      quants: line("quants", rows.times(Size.of((stride * bytes) / 4)), "i32"),
      scales: line("quant_scales", blocks, "f32"),
      starts: form.offset === undefined ? undefined : line("quant_starts", blocks, "i32"),
    };
    const perBlock = Math.max(1, Math.round(8192 / depth));
    storedRowsKernel(entry, input, perBlock, "activations to integers", (emitter, x) => {
      const { starts, ...places } = handles(emitter, result, form, "write");
      const { offset } = form;
      const target = { ...places, ...(starts && offset !== undefined ? { starts: { buffer: starts, offset } } : {}) };
      const { builder } = emitter;
      return (start, row) => {
        const to = builder.let("q_start", mul(row, stride));
        quantizeBlocks(builder, x, start, target, to, depth / blockElements);
      };
    });
    return result;
  });
}

function handles(
  emitter: Emitter,
  input: QuantizedInput,
  form: ByteDots,
  access: "read" | "write",
): QuantizedActivations {
  return {
    quants: emitter.buffer(input.quants.place, form.quants, access),
    scales: emitter.buffer(input.scales.place, "f32", access),
    ...(input.starts ? { starts: emitter.buffer(input.starts.place, "i32", access) } : {}),
  };
}

export function quantizedTile(entry: EntryLowering, product: Product): (emitter: Emitter) => TileWriter {
  const { layout, input, weight } = product;
  const { depth } = layout;
  const storage = layout.storage as BlockDots["storage"];
  const blocks = depth / blockElements;
  const form = byteDots(storage, entry.program.target);
  const activations = quantized(entry, input, depth, storage, form);
  return (emitter) => {
    const { builder } = emitter;
    const bytes = emitter.buffer(weight.place, recordsOf[storage].element, "read");
    const from = handles(emitter, activations, form, "read");
    const dots = form.open(builder);
    const tileOf = (tile: Expression): WeightTile => {
      const start = builder.let("record", mul(tile, layout.tileBytes));
      return { bytes, start, blocks };
    };
    const tokens = (list: readonly Coordinate[]): readonly TokenRow[] =>
      list.map((row) => {
        const number = storedRow(emitter, input, row);
        return { from, start: builder.let("q_start", mul(emitter.index(number), activations.stride)) };
      });
    return {
      together: 1,
      few: ({ tiles, tile, rows, scratch, at }) => {
        const start = (number: Expression): Expression =>
          builder.let("tile_start", mul(tile(number), layout.tileBytes));
        const beside = { bytes, count: tiles.length, start, blocks, sums: scratch, at: (row: number) => at[row]! };
        packedTiles(builder, dots, beside, tokens(rows));
      },
      many: ({ first: tile, next }) => {
        const place = tileOf(tile);
        const nextTile = tileOf(next);
        const most = blocksOfPass[dots.unpacked];
        const buffers = unpackedBuffers(builder, dots, Math.min(blocks, most));
        const recordBytes = layout.tileBytes / blocks;
        const pass = (part: TilePart, first: Expression, end: Expression, isFirst: boolean): void => {
          const unpacked = { ...buffers, from: first, to: end };
          unpackTile(builder, dots, place, unpacked);
          const sink = sinkOf(builder);
          const count = builder.let("block_count", sub(end, first));
          const furthest = builder.let("furthest", mul(count, recordBytes - aheadBytes));
          const nextStart = builder.let("next_start", add(nextTile.start, mul(first, recordBytes)));
          pairs(emitter, part, (list, lines, row) => {
            // Each group of rows reads another part of the same blocks of the next tile.
            const reached = min(mul(row, mul(count, aheadBytes / 2)), furthest);
            const ahead: Ahead = { buffer: bytes, start: builder.let("ahead_start", add(nextStart, reached)), sink };
            const before = (token: number, vector: number): Expression =>
              builder.load(part.scratch, add(lines[token]!, 4 * vector), { lanes: 4 });
            const sums = unpackedTile(builder, dots, unpacked, tokens(list), isFirst ? undefined : before, ahead);
            storeSums(emitter, part.scratch, lines, sums);
          });
          dropAhead(builder, sink, part.scratch, part.spare);
        };
        return (part) => inPasses(emitter, blocks, most, (...range) => pass(part, ...range));
      },
    };
  };
}
