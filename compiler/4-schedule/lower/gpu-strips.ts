/**
 * Products on a driver that computes on the processor: one thread computes a strip of eight outputs of one row or of a
 * few, in registers, and meets no other. What a load costs there is spread over the rows, and four words of a weight are
 * read at once.
 */
import { Size } from "../../axes/size.js";
import { add, block, compare, constant, div, extract, fma, min, mul, rem, sub } from "../kernel-expressions.js";
import type { Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import { matrixOf, mostGroups, partAt, storeFormula, type GpuWork, type Part } from "./gpu-rows.js";
import { scaleHalves, weights, wordsOf } from "./gpu-weights.js";
import { rowCoordinates } from "./nest.js";
import type { Product } from "./product.js";
import { presentRows, rowStart } from "./product-rows.js";
import { elements } from "./tensor.js";

/** Outputs of one thread: half a tile. */
const stripWidth = 8;
const stripsPerTile = tileRows / stripWidth;
/**
 * Rows of one thread, where there are many: what it reads of the weights serves all of them. With four, a layer of 64
 * tokens took up to 1.4 times the processor time.
 */
const rowsTogether = 8;

export function writeStrips(work: GpuWork, many: boolean): void {
  const { entry, source, target, products } = work;
  const emitter = entry.emitter(products.length > 1 ? "products_strips" : "product_strips");
  const { builder } = emitter;
  const [first] = products as readonly [Product, ...Product[]];
  const { height, tiles } = first.layout;
  const { rows } = first.input;
  const extent = elements(rows);
  const strips = tiles * stripsPerTile;
  const rowsBeside = many ? rowsTogether : 1;
  const strip = builder.let("strip", rem(block, strips));
  const group = builder.let("group", div(block, strips));
  const part = many ? partAt(emitter, first, group, rowsTogether) : oneRow(emitter, first, group);
  const x = emitter.buffer(first.input.stored.place, "f32", "read");
  const sums = builder.blockBuffer("sums", "f32", "local", products.length * rowsBeside * stripWidth);
  const body = (): void => {
    const starts = Array.from({ length: rowsBeside }, (_, r) => {
      // Rows behind the last one repeat it; they are not stored.
      const number = r === 0 ? part.first : builder.let("row", add(part.first, min(r, sub(part.count, 1))));
      return builder.let(
        "x_start",
        emitter.index(rowStart(emitter, first.input, emitter.variable(number, [], extent))),
      );
    });
    const tile = builder.let("tile", add(mul(part.matrix(), tiles), div(strip, stripsPerTile)));
    const half = builder.let("half", rem(strip, stripsPerTile));
    products.forEach((product, p) => {
      const own = starts.map(() => Array.from({ length: stripWidth }, () => builder.variable("sum", constant(0, f32))));
      walk(emitter, product, { tile, half }, (k, columns) => {
        columns.forEach((outputs, j) => {
          const at = j === 0 ? k : builder.let("k", add(k, j));
          starts.forEach((start, r) => {
            const value = builder.let("x", builder.load(x, add(start, at)));
            meet(own[r]!, outputs, value);
          });
        });
      });
      own.forEach((line, r) =>
        line.forEach((sum, o) => builder.store(sums, (p * rowsBeside + r) * stripWidth + o, sum.get)),
      );
    });
    const column = builder.let("column", mul(strip, stripWidth));
    emitter.loop("r", 0, many ? part.count : 1, 1, undefined, (_, r) =>
      emitter.loop("o", 0, min(sub(height, column), stripWidth), 1, undefined, (_, o) => {
        const names = [r, o].map((each) => (each as Expression & { kind: "get" }).name);
        const row = emitter.variable(builder.let("row", add(part.first, r)), names, extent);
        const n = emitter.variable(builder.let("number", add(column, o)), names, Size.of(height));
        const at: Coordinates = new Map([...rowCoordinates(rows, row), ...rowCoordinates(first.outputs, n)]);
        const place = builder.let("place", add(mul(r, stripWidth), o));
        const results = products.map((_, p) =>
          builder.let("product", builder.load(sums, add(place, p * rowsBeside * stripWidth))),
        );
        storeFormula(emitter, source, target, products, at, results);
      }),
    );
  };
  if (part.count.kind === "constant") body();
  else emitter.guard(compare("gt", part.count, 0), body);
  const groups = many ? mostGroups(first, rowsTogether) : extent;
  entry.launch(emitter, groups.times(Size.of(strips)).times(work.share), "cpu");
}

/** A block that has one row. */
function oneRow(emitter: Emitter, product: Product, number: Expression): Part {
  const { builder } = emitter;
  const { rows } = product.input;
  const row = emitter.variable(number, [], elements(rows));
  const isLive = rows.some((axis) => axis.live);
  const count = isLive ? builder.let("count", min(sub(presentRows(emitter, rows), number), 1)) : constant(1);
  return { first: number, count, matrix: () => matrixOf(emitter, product, row) };
}

function meet(sums: readonly Variable[], outputs: readonly Expression[], value: Expression): void {
  sums.forEach((sum, o) => sum.set(fma(outputs[o]!, value, sum.get)));
}

/** Some columns of the strip at a time: `visit` gets the first one and, for each, its eight weights. */
function walk(
  emitter: Emitter,
  product: Product,
  { tile, half }: { readonly tile: Expression; readonly half: Expression },
  visit: (k: Expression, columns: readonly (readonly Expression[])[]) => void,
): void {
  const { builder } = emitter;
  const { depth, storage } = product.layout;
  const words = wordsOf(storage);
  const source = weights(emitter, product);
  const lanesOf = (vector: Expression, count: number): readonly Expression[] =>
    Array.from({ length: count }, (_, lane) => extract(vector, lane));
  const eight = (at: Expression): readonly Expression[] =>
    lanesOf(builder.let("w", builder.load(source, at, { lanes: stripWidth, aligned: true })), stripWidth);
  if (!words) {
    const start = builder.let("w_start", add(mul(tile, depth * tileRows), mul(half, stripWidth)));
    builder.loop("k", 0, depth, 1, (k) => visit(k, [eight(builder.let("w_at", add(start, mul(k, tileRows))))]));
    return;
  }
  const { outputs, columns, lineHalves, recordHalves, quant } = words;
  const fourWords = (at: Expression): readonly Expression[] =>
    lanesOf(builder.let("words", builder.load(source, at, { as: "i32", lanes: 4, aligned: true })), 4);
  const blocks = depth / blockElements;
  builder.loop("b", 0, blocks, 1, (b) => {
    const record = builder.let("record", mul(add(mul(tile, blocks), b), recordHalves));
    const scales = eight(builder.let("scales_at", add(record, mul(half, stripWidth))));
    const first = builder.let("quants", add(add(record, scaleHalves), mul(half, lineHalves / stripsPerTile)));
    const k0 = builder.let("k0", mul(b, blockElements));
    builder.loop("line", 0, blockElements / columns, 1, (line) => {
      const at = builder.let("at", add(first, mul(line, lineHalves)));
      const own = Array.from({ length: stripWidth / outputs / 4 }, (_, i) =>
        fourWords(i === 0 ? at : builder.let("at", add(at, 8 * i))),
      ).flat();
      const weight = (o: number, j: number): Expression =>
        builder.let("w", mul(quant(own[Math.floor(o / outputs)]!, o % outputs, j), scales[o]!));
      visit(
        builder.let("k", add(k0, mul(line, columns))),
        Array.from({ length: columns }, (_, j) => Array.from({ length: stripWidth }, (_, o) => weight(o, j))),
      );
    });
  });
}
