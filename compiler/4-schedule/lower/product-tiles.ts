/** Writes the sums of one tile of 16 outputs for some rows into scratch memory, by the micro-kernel of the format. */
import { Size } from "../../axes/size.js";
import { add, block, constant, min, mul, rem, sub } from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { registerType } from "../kernel-types.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { f32Tile, panelVector, unpackPanel } from "../micro/f32-tile.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import { quantizeBlocks, type QuantizedActivations } from "../micro/quantize.js";
import {
  q4Tiles,
  q8Tile,
  q8Tiles,
  unpackedBlockBytes,
  unpackedQ4Tile,
  unpackQ4,
  type TokenRow,
  type WeightTile,
} from "../micro/quantized-tile.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowCoordinates } from "./nest.js";
import type { Product, ProductInput } from "./product.js";
import { elements, type Stored } from "./tensor.js";

/** Rows whose sums are held at a time. */
export const rowsInScratch = 64;
/** Columns multiplied before the next rows are taken: 512 x 16 floats stay in the first cache. */
const depthOfPass = 512;

export interface TilePart {
  readonly from: Expression;
  readonly to: Expression;
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums begin, row by row. */
  readonly at: number;
}
/** One row and a few tiles side by side. */
export interface FewTiles {
  /** Numbers of the tiles, batch included. */
  readonly tiles: readonly Expression[];
  readonly row: Coordinate;
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums begin, 16 for each tile. */
  readonly at: number;
}
/** The ways to write sums, inside of a kernel. */
export interface TileWriter {
  /** For few rows: several tiles side by side keep more of the memory busy than one after the other. */
  few(part: FewTiles): void;
  /** For many rows: what belongs to the tile is done once, then parts of the rows follow. */
  many(tile: Expression): (part: TilePart) => void;
}

/** Rows in groups of `size`, then one by one. */
function groups(
  emitter: Emitter,
  part: TilePart,
  size: number,
  body: (rows: readonly Coordinate[], lines: readonly Expression[]) => void,
): void {
  const { builder } = emitter;
  const count = sub(part.to, part.from);
  const whole = size === 1 ? part.to : builder.let("whole", sub(part.to, rem(count, constant(size))));
  const lines = (register: Expression, n: number): readonly Expression[] =>
    Array.from({ length: n }, (_, i) =>
      builder.let("line", add(mul(sub(add(register, i), part.from), tileRows), part.at)),
    );
  emitter.loop("rows", part.from, whole, size, undefined, (row, register) =>
    body(
      Array.from({ length: size }, (_, i) => row.plus(Coordinate.number(i))),
      lines(register, size),
    ),
  );
  if (size > 1) {
    emitter.loop("rows", whole, part.to, 1, undefined, (row, register) => body([row], lines(register, 1)));
  }
}

function storeSums(
  emitter: Emitter,
  scratch: BufferHandle,
  lines: readonly Expression[],
  sums: readonly (readonly Variable[])[],
): void {
  sums.forEach((row, i) =>
    row.forEach((sum, vector) => emitter.builder.store(scratch, add(lines[i]!, 4 * vector), sum.get)),
  );
}

/** Coordinates of the activations of a row of the product. */
function inputAt(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinates {
  return input.at(emitter, rowCoordinates(input.rows, row));
}

export function prepareTile(entry: EntryLowering, product: Product): (emitter: Emitter) => TileWriter {
  switch (product.layout.storage) {
    case "q8_0":
    case "q4_0":
      return quantizedTile(entry, product);
    default:
      return denseTile(product, product.layout.storage);
  }
}

/** Columns that one of several panels is read for before the next one is. */
const depthOfTurn = 64;

function denseTile(product: Product, storage: DenseStorage): (emitter: Emitter) => TileWriter {
  const { layout, input, weight } = product;
  const { depth } = layout;
  const panelElements = layout.tileBytes / denseBytes[storage];
  return (emitter) => {
    const { builder } = emitter;
    const panels = emitter.buffer(weight.place, storage, "read");
    const x = emitter.buffer(input.stored.place, "f32", "read");
    const panelOf = (tile: Expression): Expression => builder.let("panel", mul(tile, panelElements));
    return {
      few: ({ tiles, row, scratch, at }) => {
        const starts = tiles.map(panelOf);
        const rowAt = builder.let("x_start", emitter.index(rowStart(emitter, input, row)));
        const left = (_: number, k: Expression): Expression => builder.load(x, add(rowAt, k));
        const sums = tiles.map(() => [[0, 1, 2, 3].map(() => builder.variable("sum", 0, registerType("f32", 4)))]);
        const turn = (from: Expression | number, to: Expression | number): void =>
          starts.forEach((start, i) => {
            const right = panelVector(builder, panels, start);
            f32Tile(builder, { rows: 1, vectors: 4, lanes: 4, from, to, left, right, into: sums[i]! });
          });
        if (depth <= depthOfTurn) turn(0, depth);
        else {
          emitter.loop("turn", 0, depth, depthOfTurn, undefined, (_, from) =>
            turn(from, builder.let("to", min(add(from, depthOfTurn), depth))),
          );
        }
        sums.forEach(([list], i) => storeSums(emitter, scratch, [constant(at + i * tileRows)], [list!]));
      },
      many: (tile) => {
        const start = panelOf(tile);
        const floats =
          storage === "f32" ? undefined : builder.blockBuffer("floats", "f32", "local", depthOfPass * tileRows);
        const pass = (part: TilePart, from: Expression, to: Expression, isFirst: boolean): void => {
          // Halves are turned into floats once for all rows of the part.
          if (floats) unpackPanel(builder, panels, start, from, to, floats);
          const right = floats
            ? panelVector(builder, floats, builder.let("unpacked", mul(from, -tileRows)))
            : panelVector(builder, panels, start);
          groups(emitter, part, 2, (rows, lines) => {
            const starts = rows.map((row) => builder.let("x_start", emitter.index(rowStart(emitter, input, row))));
            const left = (row: number, k: Expression): Expression => builder.load(x, add(starts[row]!, k));
            const before = (row: number, vector: number): Expression =>
              builder.load(part.scratch, add(lines[row]!, 4 * vector), { lanes: 4 });
            const shape = { rows: rows.length, vectors: 4, lanes: 4, from, to, left, right };
            const sums = f32Tile(builder, isFirst ? shape : { ...shape, start: before });
            storeSums(emitter, part.scratch, lines, sums);
          });
        };
        return (part) => {
          pass(part, constant(0), constant(Math.min(depth, depthOfPass)), true);
          if (depth <= depthOfPass) return;
          emitter.loop("pass", depthOfPass, depth, depthOfPass, undefined, (_, from) =>
            pass(part, from, builder.let("to", min(add(from, depthOfPass), depth)), false),
          );
        };
      },
    };
  };
}

/** Element of the activations where a row begins. */
export function rowStart(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinate {
  const at = new Map(inputAt(emitter, input, row));
  for (const axis of input.stored.axes) if (!at.has(axis.name)) at.set(axis.name, Coordinate.number(0));
  return input.stored.address(at);
}

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
    const emitter = entry.emitter("quantize", `${entry.label}: activations to integers`);
    const { builder } = emitter;
    const live = input.storedRows.find((axis) => axis.live);
    const others = elements(input.storedRows.filter((axis) => axis !== live));
    const count = live ? mul(live.live!.read(emitter, new Map()), emitter.size(others)) : emitter.size(rows);
    const x = emitter.buffer(input.stored.place, "f32", "read");
    const target = handles(emitter, result, kind, "write");
    const first = builder.let("first", mul(block, perBlock));
    emitter.loop("row", first, min(add(first, perBlock), count), 1, rows, (row, register) => {
      const at = new Map(rowCoordinates(input.storedRows, row));
      for (const axis of input.stored.axes) if (!at.has(axis.name)) at.set(axis.name, Coordinate.number(0));
      const from = builder.let("x_start", emitter.index(input.stored.address(at)));
      const to = builder.let("q_start", mul(register, depth));
      quantizeBlocks(builder, x, from, target, to, depth / blockElements);
    });
    entry.launch(emitter, rows.ceilDividedBy(Size.of(perBlock)));
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

function quantizedTile(entry: EntryLowering, product: Product): (emitter: Emitter) => TileWriter {
  const { layout, input, weight } = product;
  const four = layout.storage === "q4_0";
  const { depth } = layout;
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
      few: ({ tiles, row, scratch, at }) => {
        const sums = (four ? q4Tiles : q8Tiles)(builder, tiles.map(tileOf), tokens([row]));
        sums.forEach(([list], i) => storeSums(emitter, scratch, [constant(at + i * tileRows)], [list!]));
      },
      many: (tile) => {
        const place = tileOf(tile);
        const unpacked = four ? builder.blockBuffer("unpacked", "i8", "local", blocks * unpackedBlockBytes) : undefined;
        if (unpacked) unpackQ4(builder, place, unpacked);
        return (part) =>
          groups(emitter, part, 2, (list, lines) => {
            const rows = tokens(list);
            const sums = unpacked ? unpackedQ4Tile(builder, place, unpacked, rows) : q8Tile(builder, place, rows);
            storeSums(emitter, part.scratch, lines, sums);
          });
      },
    };
  };
}

/** Number of the stored row behind a row of the product. */
export function storedRow(emitter: Emitter, input: ProductInput, row: Coordinate): Coordinate {
  const at = inputAt(emitter, input, row);
  return input.storedRows.reduce((sum, axis) => sum.times(axis.size).plus(at.get(axis.name)!), Coordinate.number(0));
}
