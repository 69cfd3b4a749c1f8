/**
 * Products of many rows by tensor cores. A block of four warps takes 64 rows (32 of an expert) and 128 outputs over all
 * products; a warp multiplies all of the rows with 32 of the outputs. Weights of f16 and bf16 meet halves of the
 * activations (`cuda-activations.ts`), quantized ones bytes: their integer sums over 32 columns are exact and scaled into
 * f32 sums, as on every other target.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, constant, div, min, mul, rem, sub, thread } from "../kernel-expressions.js";
import type { BufferHandle, Fragment, Lines } from "../kernel-builder.js";
import { fragmentThreads } from "../kernel-fragments.js";
import type { Expression } from "../kernel-ir.js";
import { isBlocked } from "../layout/layouts.js";
import { tileRows } from "../micro/layouts.js";
import type { Coordinate, Coordinates } from "./coordinate.js";
import { byteRows, halfRows } from "./cuda-activations.js";
import {
  byteActivations,
  byteLine,
  byteWeights,
  halfActivations,
  halfLine,
  halfWeights,
  matrixThreads,
  outputLine,
  stepColumns,
  type Piece,
  type TileRange,
} from "./cuda-factors.js";
import type { Emitter } from "./emitter.js";
import { mostGroups, partAt, storeFormula, type GpuWork, type Part } from "./gpu-rows.js";
import { tileHeight } from "./gpu-shape.js";
import { rowCoordinates } from "./nest.js";
import type { Product } from "./product.js";
import { storedRow } from "./product-rows.js";
import { elements } from "./tensor.js";

/** Tiles of outputs of a block and of a warp. */
const blockTiles = 8;
const warpTiles = 2;
/** Rows that the formula around the products is written for at a time, and the line of their sums. */
const resultRows = 32;
const resultLine = blockTiles * tileRows + 4;
const side = 16;

/** The kind of factors that tensor cores multiply for these products, if they do. */
export function factorOf(products: readonly Product[]): "f16" | "bf16" | "i8" | undefined {
  const kinds = new Set(products.map(({ layout: { storage } }) => (isBlocked(storage) ? "i8" : storage)));
  const [kind] = kinds;
  return kinds.size === 1 && (kind === "f16" || kind === "bf16" || kind === "i8") ? kind : undefined;
}

/** How the factors of a kernel come into shared memory, and what a warp does with a step of them. */
interface Factors {
  readonly pieces: readonly Piece[];
  /** Adds the step in shared memory to `sums` by [tile of rows][tile of outputs]. */
  readonly multiply: (sums: readonly (readonly Fragment[])[], warp: Expression, count: Expression) => void;
  /** What the sums of a row are still multiplied with. */
  readonly scaleOf?: (row: Expression) => Expression;
}

export function writeMatrices({ entry, source, target, products, share }: GpuWork): void {
  const [first] = products as readonly [Product, ...Product[]];
  const { height, depth, tiles } = first.layout;
  const kind = factorOf(products)!;
  const prepared =
    kind === "i8" ? byteRows(entry, first.input, depth) : halfRows(entry, first.input, depth, kind, share);
  const emitter = entry.emitter(products.length > 1 ? "products_matrix" : "product_matrix", undefined, matrixThreads);
  const { builder } = emitter;
  const rows = first.experts ? tileHeight : 2 * tileHeight;
  const across = Math.max(1, Math.min(tiles, Math.floor(blockTiles / products.length)));
  const own = across * tileRows;
  const chunks = Math.ceil(tiles / across);
  const part = partAt(emitter, first, emitter.let("part", div(block, chunks)), rows);
  // What lies in memory may differ between threads for all that a compiler knows.
  const count = emitter.isUniform(part.count) ? part.count : emitter.fold("rows", "first", part.count);
  const firstTile = emitter.let("first_tile", mul(rem(block, chunks), across));
  const lines = builder.blockBuffer("lines", "i32", "shared", rows);
  const results = builder.blockBuffer("results", "f32", "shared", resultRows * resultLine);
  const rowsExtent = elements(first.input.rows);
  emitter.guard(compare("gt", count, 0), () => {
    emitter.guard(compare("lt", thread, rows), () => {
      // Rows behind the last one repeat it.
      const number = builder.let("row", add(part.first, min(thread, sub(count, 1))));
      const row = emitter.variable(number, [], rowsExtent);
      builder.store(lines, thread, emitter.index(storedRow(emitter, first.input, row)));
    });
    builder.barrier();
    const ranges = products.map((_, i): TileRange => {
      const tile = (number: Expression): Expression =>
        add(mul(part.matrix(), tiles), min(add(firstTile, number), tiles - 1));
      return { tile, count: across, column: i * own };
    });
    const where = { products, ranges, lines, rows, used: across * products.length };
    const factors =
      "quants" in prepared ? byteFactors(emitter, prepared, where) : halfFactors(emitter, prepared, where);
    const warp = builder.let("warp", div(thread, fragmentThreads));
    const sums = Array.from({ length: rows / side }, () =>
      Array.from({ length: warpTiles }, () =>
        builder.fragment("sums", { role: "sum", element: "f32", rows: side, columns: side }),
      ),
    );
    walk(emitter, factors, depth, () => factors.multiply(sums, warp, count));
    for (let from = 0; from < rows; from += resultRows) {
      sums.slice(from / side, (from + resultRows) / side).forEach((line, i) =>
        line.forEach((sum, j) => {
          const index = add(mul(warp, warpTiles * side), i * side * resultLine + j * side);
          builder.storeFragment(sum, { buffer: results, index, stride: resultLine, order: "rows" });
        }),
      );
      builder.barrier();
      finish(from);
      if (from + resultRows < rows) builder.barrier();
    }
    function finish(from: number): void {
      const column = builder.let("column", mul(firstTile, tileRows));
      emitter.threadLoop("e", resultRows * own, undefined, (_, e) => {
        const name = (e as Expression & { kind: "get" }).name;
        const line = builder.let("line", div(e, own));
        const r = builder.let("r", add(line, from));
        const c = builder.let("c", rem(e, own));
        const number = builder.let("number", add(column, c));
        emitter.guard(and(compare("lt", r, count), compare("lt", number, height)), () => {
          const at = placeOf(emitter, first, part, r, number, name);
          const scale = factors.scaleOf && builder.let("scale", factors.scaleOf(r));
          const values = products.map((_, i) => {
            const sum = builder.load(results, builder.let("place", add(mul(line, resultLine), add(c, i * own))));
            return builder.let("product", scale ? mul(sum, scale) : sum);
          });
          storeFormula(emitter, source, target, products, at, values);
        });
      });
    }
  });
  entry.launch(emitter, mostGroups(first, rows).times(Size.of(chunks)).times(share));
}

/** Coordinates of row `r` of a part and output `number`, which the loop variable `name` decides. */
function placeOf(
  emitter: Emitter,
  { input, layout, outputs }: Product,
  part: Part,
  r: Expression,
  number: Expression,
  name: string,
): Coordinates {
  const row = emitter.variable(emitter.builder.let("row", add(part.first, r)), [name], elements(input.rows));
  const n: Coordinate = emitter.variable(number, [name], Size.of(layout.height));
  return new Map([...rowCoordinates(input.rows, row), ...rowCoordinates(outputs, n)]);
}

/** All steps: what was read goes to shared memory, the next step is asked for, and the present one is multiplied. */
function walk({ builder }: Emitter, { pieces }: Factors, depth: number, multiply: () => void): void {
  const zero = constant(0);
  const held = pieces.map(({ read }) => builder.variable("held", read(zero)));
  const last = Math.floor((depth - 1) / stepColumns) * stepColumns;
  builder.loop("k0", 0, depth, stepColumns, (k0) => {
    pieces.forEach(({ write }, i) => write(held[i]!.get, k0));
    builder.barrier();
    const next = builder.let("next", min(add(k0, stepColumns), last));
    pieces.forEach(({ read }, i) => held[i]!.set(read(next)));
    multiply();
    builder.barrier();
  });
}

/** What a kernel multiplies, and where its rows come from. */
interface Where {
  readonly products: readonly Product[];
  readonly ranges: readonly TileRange[];
  readonly lines: BufferHandle;
  readonly rows: number;
  /** Tiles of outputs that are there, of those that the warps have. */
  readonly used: number;
}

/** Runs `body` for each tile of outputs of a warp that is there. */
function eachTile({ builder }: Emitter, used: number, warp: Expression, body: (tile: number) => void): void {
  for (let tile = 0; tile < warpTiles; tile++) {
    if (used === blockTiles) body(tile);
    else builder.ifThen(compare("lt", add(mul(warp, warpTiles), tile), used), () => body(tile));
  }
}

function halfFactors(emitter: Emitter, from: ReturnType<typeof halfRows>, where: Where): Factors {
  const { builder } = emitter;
  const { element, parts } = from;
  const { rows, lines, products, ranges, used } = where;
  const xs = builder.blockBuffer("xs", element, "shared", parts * rows * halfLine);
  const ws = builder.blockBuffer("ws", element, "shared", stepColumns * outputLine);
  const scales = from.scales && emitter.buffer(from.scales.place, "f32", "read");
  return {
    pieces: [
      ...halfActivations(emitter, from, lines, rows, xs),
      ...products.flatMap((product, i) => halfWeights(emitter, product, ranges[i]!, ws)),
    ],
    multiply(sums, warp, count) {
      for (let k = 0; k < stepColumns; k += side) {
        const right = sums[0]!.map(() =>
          builder.fragment("right", { role: "right", element, rows: side, columns: side }),
        );
        eachTile(emitter, used, warp, (tile) => {
          const index = builder.let("w_at", add(mul(warp, warpTiles * side), k * outputLine + tile * side));
          builder.loadFragment(right[tile]!, { buffer: ws, index, stride: outputLine, order: "rows" });
        });
        sums.forEach((line, i) => {
          builder.ifThen(compare("gt", count, i * side), () => {
            for (let part = 0; part < parts; part++) {
              const left = builder.fragment("left", { role: "left", element, rows: side, columns: side });
              const at: Lines = {
                buffer: xs,
                index: (part * rows + i * side) * halfLine + k,
                stride: halfLine,
                order: "rows",
              };
              builder.loadFragment(left, at);
              eachTile(emitter, used, warp, (tile) => builder.multiplyFragments(line[tile]!, left, right[tile]!));
            }
          });
        });
      }
    },
    ...(scales ? { scaleOf: (row) => builder.load(scales, builder.load(lines, row)) } : {}),
  };
}

function byteFactors(emitter: Emitter, from: ReturnType<typeof byteRows>, where: Where): Factors {
  const { builder } = emitter;
  const { rows, lines, products, ranges, used } = where;
  const xs = builder.blockBuffer("xs", "i8", "shared", rows * byteLine);
  const ws = builder.blockBuffer("ws", "i8", "shared", blockTiles * tileRows * byteLine);
  const rowScales = builder.blockBuffer("x_scales", "f32", "shared", rows);
  const outputScales = builder.blockBuffer("w_scales", "f32", "shared", blockTiles * tileRows);
  return {
    pieces: [
      ...byteActivations(emitter, from, products[0]!.layout.depth, lines, rows, xs, rowScales),
      ...products.flatMap((product, i) => byteWeights(emitter, product, ranges[i]!, ws, outputScales)),
    ],
    multiply(sums, warp, count) {
      const column = builder.let("column", mul(warp, warpTiles * side));
      eachTile(emitter, used, warp, (tile) => {
        const right = builder.fragment("right", { role: "right", element: "i8", rows: stepColumns, columns: side });
        const first = builder.let("output", add(column, tile * side));
        builder.loadFragment(right, { buffer: ws, index: mul(first, byteLine), stride: byteLine, order: "columns" });
        sums.forEach((line, i) => {
          builder.ifThen(compare("gt", count, i * side), () => {
            const left = builder.fragment("left", { role: "left", element: "i8", rows: side, columns: stepColumns });
            builder.loadFragment(left, { buffer: xs, index: i * side * byteLine, stride: byteLine, order: "rows" });
            const part = builder.fragment("part", { role: "sum", element: "i32", rows: side, columns: side });
            builder.multiplyFragments(part, left, right);
            const scales = { buffer: outputScales, index: first };
            builder.scaleFragment(line[tile]!, part, { buffer: rowScales, index: i * side }, scales);
          });
        });
      });
    },
  };
}
