/** The kernel of one or more products with the same activations and the formula around them. */
import { Size } from "../../axes/size.js";
import { add, block, compare, div, min, mul, rem, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { isGpu } from "../../targets/index.js";
import { isBlocked } from "../layout/layouts.js";
import { isWide } from "../layout/wide.js";
import { tileRows } from "../micro/layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { writeGpuProducts } from "./gpu-product.js";
import { denseTile } from "./product-dense.js";
import { quantizedTile } from "./product-quantized.js";
import { finishRow, rowRange, type FinishedProducts, type RowRange } from "./product-rows.js";
import { Sketching } from "./product-sketch.js";
import { mostRowsTogether, rowsInScratch, type TileWriter } from "./product-tiles.js";
import { writeWideKernel } from "./product-wide.js";
import type { Product } from "./product.js";
import { rowCount } from "./product.js";
import type { Stored, Tensor } from "./tensor.js";

/** Bytes of weights that one block walks through, at least: some microseconds. */
const blockBytes = 49_152;
/** Rows of one block, when the weights are read again for the next ones. */
const blockRows = 120;
/** Rows up to which the reading of the weights is all that counts: each of these counts has a way of its own. */
const fewRows = mostRowsTogether;
/** Tiles read side by side for few rows. */
const tilesBeside = 4;
/** Blocks of a matrix, at least, where blocks grow so that tiles come together. */
const leastBlocks = 6;

/** Write `source` with the products in it at hand, when its form allows; false when a plain loop nest must do it. */
export function writeProducts(entry: EntryLowering, source: Tensor, target: Stored): boolean {
  const all = [...new Set(source.products)] as Product[];
  const [first] = all;
  if (!first) return false;
  const mine = all.filter((product) => product.input === first.input && isAlike(product, first));
  const names = new Set(first.axes.map((axis) => axis.name));
  const fits = target.axes.length === names.size && target.axes.every((axis) => names.has(axis.name));
  if (!fits || source.hoists.length > 0) {
    // What is not an element by element formula reads its products in memory.
    for (const product of all) product.owner!.force();
    return source.products.length > 0 ? writeProducts(entry, source, target) : false;
  }
  for (const product of all) if (!mine.includes(product)) product.owner!.force();
  writeKernel(entry, source, target, mine);
  return true;
}

function isAlike(a: Product, b: Product): boolean {
  const names = (product: Product): string => product.axes.map((axis) => axis.name).join(",");
  return (
    names(a) === names(b) &&
    a.layout.height === b.layout.height &&
    // One kernel of wide tiles reads its activations either as floats or as integers.
    (a.layout.name === "wide-panels") === (b.layout.name === "wide-panels") &&
    a.experts?.grouping === b.experts?.grouping &&
    a.experts?.bank === b.experts?.bank
  );
}

/** The way to write the sums of a product, and what comes before the kernel. */
function prepareTile(entry: EntryLowering, product: Product): (emitter: Emitter) => TileWriter {
  const { storage } = product.layout;
  return isBlocked(storage) ? quantizedTile(entry, product) : denseTile(product, storage);
}

function writeKernel(entry: EntryLowering, source: Tensor, target: Stored, products: readonly Product[]): void {
  if (isGpu(entry.program.target)) return writeGpuProducts(entry, source, target, products);
  if (isWide(products[0]!.layout.name)) return writeWideKernel(entry, source, target, products);
  // Activations are quantized by kernels of their own, which come first.
  const writers = products.map((product) => prepareTile(entry, product));
  const { sketched } = entry.program;
  const sketch = sketchOf(open(entry, source, target, products, writers));
  const known = sketched.find(sketch.kernel);
  if (known !== undefined) return entry.launchKept(known, sketch.kernel, sketch.origins, sketch.grid);
  const work = open(entry, source, target, products, writers);
  const upTo = (rows: number): void => {
    if (rows > fewRows) return many(work);
    work.emitter.guard(
      compare("le", work.count, rows),
      () => few(work, rows),
      () => upTo(rows + 1),
    );
  };
  upTo(1);
  sketched.add(sketch.kernel, work.emitter.finish(), entry.launch(work.emitter, work.grid));
}

/** The kernel without its tiles, what it launches, and how many blocks. */
function sketchOf(work: Work) {
  const { emitter, products, together, grid } = work;
  const sketching = new Sketching(emitter);
  few({ ...work, writers: work.writers.map((writer, i) => sketching.writer(writer, products[i]!)) }, 1);
  return { kernel: sketching.finish(products, together), origins: emitter.origins, grid };
}

/** A kernel up to where it asks how many rows there are. */
function open(
  entry: EntryLowering,
  source: Tensor,
  target: Stored,
  products: readonly Product[],
  writers: readonly ((emitter: Emitter) => TileWriter)[],
): Work {
  const [first] = products as readonly [Product, ...Product[]];
  const { tiles } = first.layout;
  const emitter = entry.emitter(products.length > 1 ? "products" : "product");
  const { builder } = emitter;
  const ready = writers.map((writer) => writer(emitter));
  const together = Math.min(...ready.map((writer) => writer.together));
  const bytes = products.reduce((sum, product) => sum + product.layout.tileBytes, 0);
  const enough = Math.max(1, Math.round(blockBytes / bytes / tilesBeside)) * tilesBeside;
  // Blocks of whole runs, where that leaves work for all threads.
  const whole = Math.ceil(enough / (tilesBeside * together)) * tilesBeside * together;
  const perBlock = tiles >= whole * leastBlocks || (first.experts && tiles >= whole) ? whole : enough;
  const chunks = Math.ceil(tiles / perBlock);
  const range = rowRange(emitter, first, builder.let("group", div(block, chunks)), blockRows);
  const firstTile = builder.let("first_tile", mul(rem(block, chunks), perBlock));
  const endTile = builder.let("end_tile", min(add(firstTile, perBlock), tiles));
  const spare = products.length * together * rowsInScratch * tileRows;
  const scratch = builder.blockBuffer("sums", "f32", "local", spare + 4);
  const count = builder.let("row_count", sub(range.to, range.from));
  const grid = range.grid.times(Size.of(chunks));
  const tilesOf = { together, firstTile, endTile };
  return { emitter, source, target, products, writers: ready, scratch, spare, range, count, grid, ...tilesOf };
}

interface Work extends FinishedProducts {
  readonly writers: readonly TileWriter[];
  readonly range: RowRange;
  /** Element of `scratch` behind all sums, which nobody reads. */
  readonly spare: number;
  /** Rows of the block. */
  readonly count: Expression;
  /** Blocks of a call. */
  readonly grid: Size;
  /** Tiles taken at once for many rows. */
  readonly together: number;
  readonly firstTile: Expression;
  readonly endTile: Expression;
}

/** One, two or three rows together, several tiles at a time: bound by the reading of the weights. */
function few(work: Work, rows: number): void {
  const { emitter, products, writers, scratch, range } = work;
  const { builder } = emitter;
  const { tiles, height } = products[0]!.layout;
  const width = tilesBeside * tileRows;
  emitter.loop("tile", work.firstTile, work.endTile, tilesBeside, undefined, (_, tile) => {
    // Behind the last tile the last one is read again; nothing of that is stored.
    const numberOf = (index: Operand): Expression =>
      builder.let("tile_number", add(mul(range.matrix, tiles), min(add(tile, index), tiles - 1)));
    const numbers = Array.from({ length: tilesBeside }, (_, i) => numberOf(i));
    const column = builder.let("column", mul(tile, tileRows));
    const last = builder.let("last", min(add(column, width), height));
    const stride = rows * width;
    emitter.loop("group", range.from, range.to, rows, rowCount(products[0]!.input), (first, register) => {
      const list = Array.from({ length: rows }, (_, i) => first.plus(Coordinate.number(i)));
      writers.forEach((writer, i) => {
        const at = list.map((_, row) => i * stride + row * width);
        writer.few({ tiles: numbers, tile: numberOf, rows: list, scratch, at });
      });
      emitter.loop("row", register, add(register, rows), 1, rowCount(products[0]!.input), (row, number) => {
        const line = builder.let("line", mul(sub(number, register), width));
        finishRow(work, { line, stride, row, column, last });
      });
    });
  });
}

/** All rows of a few tiles at a time: each weight is read once and used from the cache. */
function many(work: Work): void {
  const { emitter, firstTile, endTile, together } = work;
  if (together === 1) return manyBy(work, 1, firstTile, endTile);
  const rest = rem(sub(endTile, firstTile), together);
  const whole = emitter.builder.let("whole_runs", sub(endTile, rest));
  manyBy(work, together, firstTile, whole);
  manyBy(work, 1, whole, endTile);
}

/** Tiles `from..to` by runs of `size`, all rows in parts. */
function manyBy(work: Work, size: number, from: Expression, to: Expression): void {
  const { emitter, products, writers, scratch, spare, range } = work;
  const { builder } = emitter;
  const { tiles, height, batch } = products[0]!.layout;
  const width = size * tileRows;
  const stride = rowsInScratch * width;
  const all = batch.reduce((count, axis) => count * axis.size, tiles);
  emitter.loop("tile", from, to, size, undefined, (_, tile) => {
    const place = builder.let("tile_number", add(mul(range.matrix, tiles), tile));
    // The tiles of the next expert follow, so the next tiles are the next ones in memory.
    const next = builder.let("next", min(add(place, size), all - size));
    const loaded = writers.map((writer) => writer.many({ first: place, count: size, next }));
    const column = builder.let("column", mul(tile, tileRows));
    const last = builder.let("last", min(add(column, width), height));
    emitter.loop("part", range.from, range.to, rowsInScratch, undefined, (_, part) => {
      const end = builder.let("part_end", min(add(part, rowsInScratch), range.to));
      loaded.forEach((write, i) => write({ from: part, to: end, scratch, at: i * stride, spare }));
      emitter.loop("row", part, end, 1, rowCount(products[0]!.input), (row, register) => {
        const line = builder.let("line", mul(sub(register, part), width));
        finishRow(work, { line, stride, row, column, last });
      });
    });
  });
}
