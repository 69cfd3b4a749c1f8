/**
 * Products of many rows on a GPU: a block of 64 threads takes 32 rows and 64 outputs. Some columns of the activations and
 * of the weights, as numbers, lie in shared memory; each thread sums four rows by eight outputs in registers. Rows of
 * experts come in parts of one expert each, which the sorting of the rows has listed, so nothing is padded beyond the
 * last part of an expert and no count leaves the GPU.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, constant, div, fma, min, mul, rem, sub, thread } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { tileRows } from "../micro/layouts.js";
import { type Coordinates } from "./coordinate.js";
import { mostGroups, partAt, storeFormula, type GpuWork } from "./gpu-rows.js";
import { productThreads, tileDepth, tileHeight, tilesAcross } from "./gpu-shape.js";
import { stageWeights } from "./gpu-weights.js";
import { rowCoordinates } from "./nest.js";
import type { Product } from "./product.js";
import { rowStart } from "./product-rows.js";
import { elements } from "./tensor.js";

/** Threads stand in a square: neighbours have neighbouring outputs. */
const side = 8;
/** Rows of one thread, one behind the other. */
const ownRows = tileHeight / side;
/** Activations lie column by column; one more number per column keeps the rows of a column in different banks. */
const lineOfRows = tileHeight + 1;

export function writeTiles({ entry, source, target, products, share }: GpuWork, on: "gpu" | undefined): void {
  const emitter = entry.emitter(products.length > 1 ? "products_tiles" : "product_tiles", undefined, productThreads);
  const [first] = products as readonly [Product, ...Product[]];
  const { height, depth, tiles } = first.layout;
  const { builder } = emitter;
  const across = tilesAcross(products);
  const own = across * tileRows;
  const width = own * products.length;
  const chunks = Math.ceil(tiles / across);
  const part = partAt(emitter, first, emitter.let("part", div(block, chunks)), tileHeight);
  // What lies in memory may differ between threads for all that a compiler knows.
  const count = emitter.isUniform(part.count) ? part.count : emitter.fold("rows", "first", part.count);
  const firstTile = emitter.let("first_tile", mul(rem(block, chunks), across));
  const starts = builder.blockBuffer("starts", "i32", "shared", tileHeight);
  const xs = builder.blockBuffer("xs", "f32", "shared", tileDepth * lineOfRows);
  const ws = builder.blockBuffer("ws", "f32", "shared", Math.max(tileDepth, tileHeight) * width);
  const x = emitter.buffer(first.input.stored.place, "f32", "read");
  const rowsExtent = elements(first.input.rows);
  emitter.guard(compare("gt", count, 0), () => {
    emitter.guard(compare("lt", thread, tileHeight), () => {
      // Rows behind the last one repeat it.
      const number = builder.let("row", add(part.first, min(thread, sub(count, 1))));
      const row = emitter.variable(number, [], rowsExtent);
      builder.store(starts, thread, emitter.index(rowStart(emitter, first.input, row)));
    });
    const tileNumbers = Array.from({ length: across }, (_, tile) =>
      builder.let("tile", add(mul(part.matrix(), tiles), min(add(firstTile, tile), tiles - 1))),
    );
    const myRow = builder.let("my_row", mul(div(thread, side), ownRows));
    const myColumn = builder.let("my_column", rem(thread, side));
    const sums = Array.from({ length: ownRows }, () =>
      Array.from({ length: width / side }, () => builder.variable("sum", constant(0, f32))),
    );
    const isBusy = builder.let("is_busy", compare("lt", myRow, count));
    builder.barrier();
    builder.loop("k0", 0, depth, tileDepth, (k0) => {
      const k = builder.let("k", rem(thread, tileDepth));
      const column = builder.let("column", add(k0, k));
      const isWhole = depth % tileDepth === 0;
      builder.loop("r", div(thread, tileDepth), tileHeight, productThreads / tileDepth, (r) => {
        const place = builder.let("place", add(mul(k, lineOfRows), r));
        const copy = (): void => builder.store(xs, place, builder.load(x, add(builder.load(starts, r), column)));
        if (isWhole) copy();
        else builder.ifThen(compare("lt", column, depth), copy, () => builder.store(xs, place, 0));
      });
      products.forEach((product, i) =>
        stageWeights(emitter, product, tileNumbers, k0, { buffer: ws, from: i * own, width }),
      );
      builder.barrier();
      builder.ifThen(isBusy, () =>
        builder.loop("deep", 0, tileDepth, 1, (deep) => {
          const [left, right] = [
            builder.let("left", add(mul(deep, lineOfRows), myRow)),
            builder.let("right", add(mul(deep, width), myColumn)),
          ];
          const a = sums.map((_, i) => builder.let("a", builder.load(xs, add(left, i))));
          const b = sums[0]!.map((_, j) => builder.let("b", builder.load(ws, add(right, j * side))));
          sums.forEach((line, i) => line.forEach((sum, j) => sum.set(fma(a[i]!, b[j]!, sum.get))));
        }),
      );
      builder.barrier();
    });
    // The sums go through shared memory, so that the formula around them is written once, for neighbouring outputs.
    const line = builder.let("line", add(mul(myRow, width), myColumn));
    sums.forEach((own, i) => own.forEach((sum, j) => builder.store(ws, add(line, i * width + j * side), sum.get)));
    builder.barrier();
    const column = builder.let("column", mul(firstTile, tileRows));
    emitter.threadLoop("e", tileHeight * own, undefined, (_, e) => {
      const name = (e as Expression & { kind: "get" }).name;
      const r = builder.let("r", div(e, own));
      const c = builder.let("c", rem(e, own));
      const number = builder.let("number", add(column, c));
      emitter.guard(and(compare("lt", r, count), compare("lt", number, height)), () => {
        const row = emitter.variable(builder.let("row", add(part.first, r)), [name], rowsExtent);
        const n = emitter.variable(number, [name], Size.of(height));
        const at: Coordinates = new Map([
          ...rowCoordinates(first.input.rows, row),
          ...rowCoordinates(first.outputs, n),
        ]);
        const place = builder.let("place", add(mul(r, width), c));
        const results = products.map((_, i) => builder.let("product", builder.load(ws, add(place, i * own))));
        storeFormula(emitter, source, target, products, at, results);
      });
    });
  });
  entry.launch(emitter, mostGroups(first, tileHeight).times(Size.of(chunks)).times(share), on);
}
