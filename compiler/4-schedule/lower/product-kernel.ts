/** The kernel of one or more products with the same activations and the formula around them. */
import { Size } from "../../axes/size.js";
import {
  add,
  block,
  compare,
  constant,
  convert,
  div,
  min,
  mul,
  rem,
  select,
  splat,
  sub,
} from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { isGpu } from "../../targets/index.js";
import { isWide } from "../layout/wide.js";
import { tileRows } from "../micro/layouts.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { writeGpuProducts } from "./gpu-product.js";
import { listedExperts } from "./grouping.js";
import { rowCoordinates, vectorLoop } from "./nest.js";
import type { Product } from "./product.js";
import { rowCount } from "./product.js";
import { prepareTile, rowsInScratch, type TileWriter } from "./product-tiles.js";
import { writeWideKernel } from "./product-wide.js";
import { elements, type Stored, type Tensor } from "./tensor.js";

/** Bytes of weights that one block walks through, at least: some microseconds. */
const blockBytes = 49_152;
/** Rows of one block, when the weights are read again for the next ones. */
const blockRows = 120;
/** Rows up to which the reading of the weights is all that counts. */
const fewRows = 3;
/** Tiles read side by side for few rows. */
const tilesBeside = 4;

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

export interface RowRange {
  readonly from: Expression;
  readonly to: Expression;
  /** Which matrix of the batch. */
  readonly matrix: Expression;
  readonly grid: Size;
}

function writeKernel(entry: EntryLowering, source: Tensor, target: Stored, products: readonly Product[]): void {
  if (isGpu(entry.program.target)) return writeGpuProducts(entry, source, target, products);
  if (isWide(products[0]!.layout.name)) return writeWideKernel(entry, source, target, products);
  const [first] = products as readonly [Product, ...Product[]];
  const { tiles } = first.layout;
  // Activations are quantized by kernels of their own, which come first.
  const writers = products.map((product) => prepareTile(entry, product));
  const emitter = entry.emitter(products.length > 1 ? "products" : "product");
  const { builder } = emitter;
  const bytes = products.reduce((sum, product) => sum + product.layout.tileBytes, 0);
  const perBlock = Math.max(1, Math.round(blockBytes / bytes / tilesBeside)) * tilesBeside;
  const chunks = Math.ceil(tiles / perBlock);
  const range = rowRange(emitter, first, builder.let("group", div(block, chunks)));
  const firstTile = builder.let("first_tile", mul(rem(block, chunks), perBlock));
  const endTile = builder.let("end_tile", min(add(firstTile, perBlock), tiles));
  const scratch = builder.blockBuffer("sums", "f32", "local", products.length * rowsInScratch * tileRows + 4);
  const ready = writers.map((writer) => writer(emitter));
  const work: Work = { emitter, source, target, products, writers: ready, scratch, range, firstTile, endTile };
  const count = builder.let("row_count", sub(range.to, range.from));
  const upTo = (rows: number): void => {
    if (rows > fewRows) return many(work);
    emitter.guard(
      compare("le", count, rows),
      () => few(work, rows),
      () => upTo(rows + 1),
    );
  };
  upTo(1);
  entry.launch(emitter, range.grid.times(Size.of(chunks)));
}

/** Products whose sums lie in scratch memory, and the formula over them. */
export interface FinishedProducts {
  readonly emitter: Emitter;
  readonly source: Tensor;
  readonly target: Stored;
  readonly products: readonly Product[];
  readonly scratch: BufferHandle;
}
interface Work extends FinishedProducts {
  readonly writers: readonly TileWriter[];
  readonly range: RowRange;
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
    const numbers = Array.from({ length: tilesBeside }, (_, i) =>
      builder.let("tile_number", add(mul(range.matrix, tiles), min(add(tile, i), tiles - 1))),
    );
    const column = builder.let("column", mul(tile, tileRows));
    const last = builder.let("last", min(add(column, width), height));
    const stride = rows * width;
    emitter.loop("group", range.from, range.to, rows, rowCount(products[0]!.input), (first, register) => {
      const list = Array.from({ length: rows }, (_, i) => first.plus(Coordinate.number(i)));
      writers.forEach((writer, i) => {
        const at = list.map((_, row) => i * stride + row * width);
        writer.few({ tiles: numbers, rows: list, scratch, at });
      });
      emitter.loop("row", register, add(register, rows), 1, rowCount(products[0]!.input), (row, number) => {
        const line = builder.let("line", mul(sub(number, register), width));
        finishRow(work, { line, stride, row, column, last });
      });
    });
  });
}

/** Tile by tile, all rows in parts: each weight is read once and used from the cache. */
function many(work: Work): void {
  const { emitter, products, writers, scratch, range } = work;
  const { builder } = emitter;
  const { tiles, height, batch } = products[0]!.layout;
  const stride = rowsInScratch * tileRows;
  const spare = products.length * stride;
  const all = batch.reduce((count, axis) => count * axis.size, tiles);
  emitter.loop("tile", work.firstTile, work.endTile, 1, undefined, (_, tile) => {
    const place = builder.let("tile_number", add(mul(range.matrix, tiles), tile));
    // The tiles of the next expert follow, so the next tile is the next one in memory.
    const next = builder.let("next", min(add(place, 1), all - 1));
    const loaded = writers.map((writer) => writer.many(place, next));
    const column = builder.let("column", mul(tile, tileRows));
    const last = builder.let("last", min(add(column, tileRows), height));
    emitter.loop("part", range.from, range.to, rowsInScratch, undefined, (_, part) => {
      const end = builder.let("part_end", min(add(part, rowsInScratch), range.to));
      loaded.forEach((write, i) => write({ from: part, to: end, scratch, at: i * stride, spare }));
      emitter.loop("row", part, end, 1, rowCount(products[0]!.input), (row, register) => {
        const line = builder.let("line", mul(sub(register, part), tileRows));
        finishRow(work, { line, stride, row, column, last });
      });
    });
  });
}

/** The rows of a block: of one expert, or a part of all. */
export function rowRange(emitter: Emitter, product: Product, group: Expression, rowsPerBlock = blockRows): RowRange {
  const { builder } = emitter;
  const { experts, input } = product;
  if (!experts) {
    const all = rowCount(input);
    const live = input.rows.find((axis) => axis.live);
    const others = elements(input.rows.filter((axis) => axis !== live));
    const count = live ? mul(live.live!.read(emitter, new Map()), emitter.size(others)) : emitter.size(all);
    const from = builder.let("from", mul(group, rowsPerBlock));
    const to = builder.let("to", min(add(from, rowsPerBlock), count));
    return { from, to, matrix: constant(0), grid: all.ceilDividedBy(Size.of(rowsPerBlock)) };
  }
  const { grouping, bank, first } = experts;
  const number = (list: Stored, at: Coordinate): Expression => list.read(emitter, new Map([["n", at]]));
  const bankFirst = number(grouping.banks, Coordinate.number(2 * bank));
  const count = product.layout.batch[0]!.size;
  if (count <= listedExperts) {
    const expert = emitter.variable(group, [], Size.of(count)).plus(Coordinate.size(first));
    const from = builder.let("from", sub(number(grouping.start, expert), bankFirst));
    const to = builder.let("to", sub(number(grouping.start, expert.plus(Coordinate.number(1))), bankFirst));
    return { from, to, matrix: group, grid: Size.of(count) };
  }
  // Too many experts to ask each: one row at a time, with the expert that it names.
  const rows = number(grouping.banks, Coordinate.number(2 * bank + 1));
  const to = builder.let("to", select(compare("lt", group, rows), add(group, 1), group));
  const safe = emitter.variable(
    builder.let("row", select(compare("lt", group, rows), add(group, bankFirst), constant(0))),
    [],
  );
  const expert = select(
    compare("lt", group, rows),
    sub(number(grouping.expertOfRow, safe), emitter.size(first)),
    constant(0),
  );
  return { from: group, to, matrix: builder.let("expert", expert), grid: grouping.most };
}

export interface Finish {
  /** Where the sums of the row begin, and how far apart those of two products are. */
  readonly line: Expression;
  readonly stride: number;
  readonly row: Coordinate;
  readonly column: Expression;
  readonly last: Expression;
}

/** The formula over the sums of one row from a column on. */
export function finishRow(work: FinishedProducts, what: Finish): void {
  const { emitter, products, target, scratch } = work;
  const { builder } = emitter;
  const { column } = what;
  const [first] = products as readonly [Product, ...Product[]];
  const { height } = first.layout;
  const rowAt = rowCoordinates(first.input.rows, what.row);
  const axis = { name: "n", size: Size.of(height) };
  vectorLoop(emitter, axis, column, what.last, height % emitter.lanes === 0, (n) => {
    const at: Coordinates = new Map([...rowAt, ...rowCoordinates(first.outputs, n)]);
    const lanes = emitter.vector?.lanes ?? 1;
    const offset = builder.let(
      "offset",
      add(
        what.line,
        sub(
          emitter.scalar(() => emitter.index(n)),
          column,
        ),
      ),
    );
    for (const [index, product] of products.entries()) {
      const sum = builder.let("sum", builder.load(scratch, add(offset, index * what.stride), { lanes }));
      emitter.atHand.set(product.id, { key: product.coordinatesKey(at), read: () => sum });
    }
    storeLanes(emitter, target, at, work.source.read(emitter, at));
    emitter.atHand.clear();
  });
}

/** Store a vector where its lanes lie side by side, else lane by lane. */
function storeLanes(emitter: Emitter, target: Stored, at: Coordinates, value: Expression): void {
  const { builder, vector } = emitter;
  const buffer = emitter.buffer(target.place, target.element, "write");
  const number = value.type.element === "bool" ? convert(value, "i32") : value;
  const address = target.address(at);
  const index = (c: Coordinate): Expression => emitter.scalar(() => emitter.index(c));
  if (!vector) return builder.store(buffer, index(address), number);
  const wide = number.type.lanes === vector.lanes ? number : splat(number, vector.lanes);
  if (address.slope(vector.name, vector.lanes)?.constant === 1) return builder.store(buffer, index(address), wide);
  const register = builder.let("value", wide);
  for (let lane = 0; lane < vector.lanes; lane++) {
    const shifted = address.substitute(vector.name, Coordinate.variable(vector.name).plus(Coordinate.number(lane)));
    const one = {
      kind: "extract",
      operand: register,
      lane,
      type: { element: register.type.element, lanes: 1 },
    } as const;
    builder.store(buffer, index(shifted), one);
  }
}
