/** Tiles of products with q8_0 and q4_0 weights: activations become integers once, in a kernel of their own. */
import { Size } from "../../axes/size.js";
import { add, constant, min, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { dropAhead, sinkOf, type Ahead } from "../micro/ahead.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import { quantizeBlocks, type QuantizedActivations } from "../micro/quantize.js";
import {
  aheadBytes,
  q4Tiles,
  q8Tiles,
  unpackedBuffers,
  unpackedTile,
  unpackTile,
  type TokenRow,
  type WeightTile,
} from "../micro/quantized-tile.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import type { Product, ProductInput } from "./product.js";
import { storedRow, storedRowsKernel } from "./product-rows.js";
import { inPasses, pairs, storeSums, type TilePart, type TileWriter } from "./product-tiles.js";
import { elements, type Stored } from "./tensor.js";

type BlockStorage = "q8_0" | "q4_0";

/** Blocks of a tile that are unpacked at a time: 16 KiB, which stay in the first cache beside the rows. */
const blocksOfPass: Readonly<Record<BlockStorage, number>> = { q8_0: 16, q4_0: 32 };

interface QuantizedInput {
  readonly quants: Stored;
  readonly scales: Stored;
  readonly sums: Stored | undefined;
}

/** Activations as integers, once for all products that read them. */
function quantized(entry: EntryLowering, input: ProductInput, depth: number, kind: "i16" | "i8"): QuantizedInput {
  return entry.remembered(`quantized ${input.stored.id} ${kind}`, () => {
    const rows = elements(input.storedRows);
    const line = (wish: string, size: Size, dtype: "f32" | "i32"): Stored =>
      entry.allocate(wish, dtype, [{ name: "n", size }]);
    const blocks = rows.times(Size.of(depth / blockElements));
    // Places of i16 and i8 numbers, counted in words of 4 bytes.
    const result: QuantizedInput = {
      quants: line("quants", rows.times(Size.of(kind === "i16" ? depth / 2 : depth / 4)), "i32"),
      scales: line("quant_scales", blocks, "f32"),
      sums: kind === "i8" ? line("quant_sums", blocks, "i32") : undefined,
    };
    const perBlock = Math.max(1, Math.round(8192 / depth));
    storedRowsKernel(entry, input, perBlock, "activations to integers", (emitter, x) => {
      const target = handles(emitter, result, kind, "write");
      const { builder } = emitter;
      return (start, row) =>
        quantizeBlocks(builder, x, start, target, builder.let("q_start", mul(row, depth)), depth / blockElements);
    });
    return result;
  });
}

function handles(
  emitter: Emitter,
  input: QuantizedInput,
  kind: "i16" | "i8",
  access: "read" | "write",
): QuantizedActivations {
  return {
    quants: emitter.buffer(input.quants.place, kind, access),
    scales: emitter.buffer(input.scales.place, "f32", access),
    ...(input.sums ? { sums: emitter.buffer(input.sums.place, "i32", access) } : {}),
  };
}

export function quantizedTile(entry: EntryLowering, product: Product): (emitter: Emitter) => TileWriter {
  const { layout, input, weight } = product;
  const { depth } = layout;
  const storage = layout.storage as BlockStorage;
  const four = storage === "q4_0";
  const blocks = depth / blockElements;
  const activations = quantized(entry, input, depth, four ? "i8" : "i16");
  return (emitter) => {
    const { builder } = emitter;
    const bytes = emitter.buffer(weight.place, four ? "u8" : "i8", "read");
    const from = handles(emitter, activations, four ? "i8" : "i16", "read");
    const tileOf = (tile: Expression): WeightTile => {
      const start = builder.let("record", mul(tile, layout.tileBytes));
      return { bytes, start, blocks };
    };
    const tokens = (list: readonly Coordinate[]): readonly TokenRow[] =>
      list.map((row) => {
        const number = storedRow(emitter, input, row);
        return { from, start: builder.let("q_start", mul(emitter.index(number), depth)) };
      });
    return {
      together: 1,
      few: ({ tiles, rows, scratch, at }) => {
        const sums = (four ? q4Tiles : q8Tiles)(builder, tiles.map(tileOf), tokens(rows));
        sums.forEach((tile, i) => {
          const lines = at.map((line) => constant(line + i * tileRows));
          storeSums(emitter, scratch, lines, tile);
        });
      },
      many: ({ first: tile, next }) => {
        const place = tileOf(tile);
        const nextTile = tileOf(next);
        const buffers = unpackedBuffers(builder, storage, Math.min(blocks, blocksOfPass[storage]));
        const recordBytes = layout.tileBytes / blocks;
        const pass = (part: TilePart, first: Expression, end: Expression, isFirst: boolean): void => {
          const unpacked = { ...buffers, from: first, to: end };
          unpackTile(builder, place, unpacked);
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
            const sums = unpackedTile(builder, unpacked, tokens(list), isFirst ? undefined : before, ahead);
            storeSums(emitter, part.scratch, lines, sums);
          });
          dropAhead(builder, sink, part.scratch, part.spare);
        };
        return (part) => inPasses(emitter, blocks, blocksOfPass[storage], (...range) => pass(part, ...range));
      },
    };
  };
}
