/**
 * Products on a GPU: a block of one thread computes one output of one row and the formula around it. Neighbouring blocks
 * take neighbouring outputs, whose weights lie side by side in the tiles that the CPU kernels read too, and they share
 * the activations of the row.
 */
import { Size } from "../../axes/size.js";
import {
  add,
  and,
  block,
  compare,
  constant,
  convert,
  div,
  fma,
  mul,
  rem,
  shl,
  shr,
  sub,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { Variable } from "../kernel-builder.js";
import { f32 } from "../kernel-types.js";
import { blockElements, q4RecordBytes, q8RecordBytes, scaleBytes, tileRows } from "../micro/layouts.js";
import type { Coordinate } from "./coordinate.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { globalRow, numberAt } from "./grouping.js";
import { rowCoordinates } from "./nest.js";
import type { Product } from "./product.js";
import { presentRows, rowStart } from "./product-rows.js";
import { elements, type Stored, type Tensor } from "./tensor.js";

/** Write `source` with the products in it at hand. */
export function writeGpuProducts(
  entry: EntryLowering,
  source: Tensor,
  target: Stored,
  products: readonly Product[],
): void {
  const [first] = products as readonly [Product, ...Product[]];
  const { height } = first.layout;
  const emitter = entry.emitter(products.length > 1 ? "products" : "product");
  const { builder } = emitter;
  const rowNumber = builder.let("row", div(block, height));
  const n = emitter.variable(builder.let("output", rem(block, height)), [], Size.of(height));
  const { rows } = first.input;
  const there = rows.some((axis) => axis.live) ? presentRows(emitter, rows) : undefined;
  const body = (): void => {
    const row = emitter.variable(rowNumber, [], elements(rows));
    const at: Coordinates = new Map([...rowCoordinates(rows, row), ...rowCoordinates(first.outputs, n)]);
    const matrix = matrixOf(emitter, first, row);
    const x = emitter.buffer(first.input.stored.place, "f32", "read");
    const start = builder.let("x_start", emitter.index(rowStart(emitter, first.input, row)));
    for (const product of products) {
      const sum = builder.variable("sum", constant(0, f32));
      const value = (k: Expression): Expression => builder.load(x, add(start, k));
      accumulate(emitter, product, { matrix, output: emitter.index(n), value, sum });
      const result = builder.let("product", sum.get);
      emitter.atHand.set(product.id, { key: product.coordinatesKey(at), read: () => result });
    }
    const result = source.read(emitter, at);
    const number = result.type.element === "bool" ? convert(result, "i32") : result;
    builder.store(emitter.buffer(target.place, target.element, "write"), emitter.index(target.address(at)), number);
    emitter.atHand.clear();
  };
  // Rows that are not there have no expert to ask for.
  if (there) emitter.guard(compare("lt", rowNumber, there), body);
  else body();
  entry.launch(emitter, elements(rows).times(Size.of(height)));
}

/** Which matrix of the batch a row is multiplied with. */
function matrixOf(emitter: Emitter, { experts }: Product, row: Coordinate): Expression {
  if (!experts) return constant(0);
  const { grouping, bank, first } = experts;
  const expert = numberAt(emitter, grouping.expertOfRow, globalRow(emitter, grouping, bank, row));
  return emitter.builder.let("matrix", sub(emitter.index(expert), emitter.size(first)));
}

interface Sum {
  readonly matrix: Expression;
  readonly output: Expression;
  /** Activation number k of the row. */
  readonly value: (k: Expression) => Expression;
  readonly sum: Variable;
}

function accumulate(emitter: Emitter, product: Product, { matrix, output, value, sum }: Sum): void {
  const { builder } = emitter;
  const { layout, weight } = product;
  const { depth, tiles, storage } = layout;
  const tile = builder.let("tile", add(mul(matrix, tiles), div(output, tileRows)));
  const lane = builder.let("lane", rem(output, tileRows));
  const place = weight.place;
  if (storage !== "q8_0" && storage !== "q4_0") {
    const panels = emitter.buffer(place, storage, "read");
    const from = builder.let("w_start", add(mul(tile, depth * tileRows), lane));
    builder.loop("k", 0, depth, 1, (k) => {
      const w = builder.load(panels, add(from, mul(k, tileRows)));
      sum.set(fma(value(k), w, sum.get));
    });
    return;
  }
  const eights = storage === "q4_0";
  // Counted in halves of words: what every part of a record begins at.
  const recordHalves = (eights ? q4RecordBytes : q8RecordBytes) / 2;
  const blocks = depth / blockElements;
  const records = emitter.buffer(place, "i16", "read");
  builder.loop("b", 0, blocks, 1, (b) => {
    const record = builder.let("record", mul(add(mul(tile, blocks), b), recordHalves));
    const scale = builder.let("scale", builder.load(records, add(record, lane), { as: "f16" }));
    const first = builder.let("first", mul(b, blockElements));
    const part = builder.variable("part", constant(0, f32));
    const meet = (quant: Expression, k: Expression): void => part.set(fma(convert(quant, "f32"), value(k), part.get));
    const quants = builder.let("quants", add(add(record, scaleBytes / 2), mul(lane, eights ? 2 : 1)));
    if (eights) {
      // Four bytes of an output hold eight columns, in their low halves and then in their high ones.
      builder.loop("eight", 0, blockElements / 8, 1, (eight) => {
        const at = add(quants, mul(eight, 2 * tileRows));
        const word = builder.let("word", builder.load(records, at, { as: "i32" }));
        const k = builder.let("k", add(first, mul(eight, 8)));
        for (let j = 0; j < 8; j++) meet(sub(and(shr(word, (j & 3) * 8 + (j >> 2) * 4), 15), 8), add(k, j));
      });
    } else {
      // Two bytes of an output hold two columns.
      builder.loop("pair", 0, blockElements / 2, 1, (pair) => {
        const two = builder.let("two", builder.load(records, add(quants, mul(pair, tileRows))));
        const k = builder.let("k", add(first, mul(pair, 2)));
        meet(shr(shl(two, 24), 24), k);
        meet(shr(two, 8), add(k, 1));
      });
    }
    sum.set(fma(part.get, scale, sum.get));
  });
}
