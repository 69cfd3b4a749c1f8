/**
 * Products on a GPU. For few rows a block takes one row and some tiles of outputs, and its threads share the contracted
 * axis; for many rows it takes a tile of rows and outputs (`gpu-tiles.ts`). Both stand in the plan; the number of tokens
 * of a call decides which of them has blocks to run.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, div, min, mul, rem } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import { type Coordinates } from "./coordinate.js";
import { byteRows, type ByteRows } from "./cuda-activations.js";
import { factorOf, writeMatrices } from "./cuda-matrices.js";
import type { EntryLowering } from "./entry-lowering.js";
import { byteSums, type RowBytes } from "./gpu-bytes.js";
import { rowParts } from "./gpu-row-bytes.js";
import { isMany, mostTiled, productThreads, tilesBeside } from "./gpu-shape.js";
import { writeTiles } from "./gpu-tiles.js";
import { shareOf, sumSlice } from "./gpu-weights.js";
import { matrixOf, storeFormula, type GpuWork } from "./gpu-rows.js";
import { writeStrips } from "./gpu-strips.js";
import { rowCoordinates } from "./nest.js";
import type { Product } from "./product.js";
import { presentRows, rowStart, storedRow } from "./product-rows.js";
import { elements, type Stored, type Tensor } from "./tensor.js";

/**
 * Write `source` with the products in it at hand. WebGPU runs on processors too, where a barrier costs more than all the
 * work of a block: there a thread computes some outputs alone (`gpu-strips.ts`).
 */
export function writeGpuProducts(
  entry: EntryLowering,
  source: Tensor,
  target: Stored,
  products: readonly Product[],
): void {
  const many = isMany(products);
  const work = { entry, source, target, products, share: many };
  const few = { ...work, share: Size.one.minus(many) };
  const isWebGpu = entry.program.target.family === "wgsl";
  const factor = factorOf(products);
  const [first] = products as readonly [Product, ...Product[]];
  const rowBytes = (): ByteRows | "own" | undefined => {
    if (factor !== "i8") return undefined;
    if (!isWebGpu) return byteRows(entry, first.input, first.layout.depth);
    return products.length <= mostTiled ? "own" : undefined;
  };
  const bytes = rowBytes();
  if (many.constant !== 1) {
    writeRows(few, isWebGpu ? "gpu" : undefined, bytes);
    if (isWebGpu) writeStrips(few, false);
  }
  if (many.constant !== 0) {
    if (factor && !isWebGpu) writeMatrices(work);
    else writeTiles(work, isWebGpu ? "gpu" : undefined);
    if (isWebGpu) writeStrips(work, true);
  }
}

/** @param bytes Where products are of bytes: the activations as such, or that each block makes those of its own row. */
function writeRows(
  { entry, source, target, products, share }: GpuWork,
  on: "gpu" | undefined,
  bytes: ByteRows | "own" | undefined,
): void {
  const emitter = entry.emitter(products.length > 1 ? "products" : "product", undefined, productThreads);
  const [first] = products as readonly [Product, ...Product[]];
  const { depth, height, tiles } = first.layout;
  const { rows } = first.input;
  const { builder } = emitter;
  const beside = tilesBeside(products);
  const groups = Math.ceil(tiles / beside);
  const width = beside * tileRows;
  const rowNumber = emitter.let("row", div(block, groups));
  const firstTile = emitter.let("first_tile", mul(rem(block, groups), beside));
  const isThere = rows.some((axis) => axis.live)
    ? builder.let("is_there", compare("lt", rowNumber, presentRows(emitter, rows)))
    : undefined;
  const row = emitter.variable(rowNumber, [], elements(rows));
  // Rows that are not there have no expert to ask for.
  const whenThere = (body: () => void): void => (isThere ? emitter.guard(isThere, body) : body());
  const meeting = bytes === "own" ? "memory" : "warps";
  const ofBytes = bytes && products.map((product) => byteSums(emitter, product, meeting, beside));
  const shares = products.map((product) => (ofBytes ? undefined : shareOf(emitter, product)));
  const slices = products.map((_, i) => ofBytes?.[i]!.slices ?? shares[i]!.slices);
  const sums = slices.map((count) => builder.blockBuffer("sums", "f32", "shared", count * width));
  const tileNumbers = (): readonly Expression[] => {
    const matrix = matrixOf(emitter, first, row);
    return Array.from({ length: beside }, (_, tile) =>
      builder.let("tile", add(mul(matrix, tiles), min(add(firstTile, tile), tiles - 1))),
    );
  };
  const input = (): readonly [BufferHandle, Expression] => [
    emitter.buffer(first.input.stored.place, "f32", "read"),
    builder.let("x_start", emitter.index(rowStart(emitter, first.input, row))),
  ];
  const addFloats = (): void => {
    const numbers = tileNumbers();
    const [x, start] = input();
    products.forEach((product, i) => {
      const { slice, lane } = shares[i]!;
      const own = sumSlice(emitter, product, shares[i]!, numbers, (k) => builder.load(x, add(start, k)));
      const line = builder.let("line", add(mul(slice, width), lane));
      own.forEach((outputs, tile) =>
        outputs.forEach((sum, output) => builder.store(sums[i]!, add(line, tile * tileRows + output), sum)),
      );
    });
  };
  const addBytes = ({ quants, scales }: ByteRows): void => {
    const numbers = tileNumbers();
    const stored = builder.let("stored", emitter.index(storedRow(emitter, first.input, row)));
    const from: RowBytes = {
      quants: emitter.buffer(quants.place, "i8", "read"),
      quantStart: builder.let("quant_start", mul(stored, depth)),
      scales: emitter.buffer(scales.place, "f32", "read"),
      scaleStart: builder.let("scale_start", mul(stored, depth / blockElements)),
    };
    ofBytes!.forEach((own) => own.add(from, numbers));
  };
  if (bytes === "own") {
    rowParts(emitter, depth, ({ row: from, range, quantize }) => {
      whenThere(() => quantize(...input()));
      builder.barrier();
      whenThere(() => {
        const numbers = tileNumbers();
        ofBytes!.forEach((own) => own.add(from, numbers, range));
      });
    });
  } else whenThere(bytes ? () => addBytes(bytes) : addFloats);
  ofBytes?.forEach((own, i) => own.store(sums[i]!, width));
  builder.barrier();
  const column = builder.let("column", mul(firstTile, tileRows));
  emitter.threadLoop("c", width, undefined, (_, c) => {
    const number = builder.let("number", add(column, c));
    const inside = compare("lt", number, height);
    emitter.guard(isThere ? and(isThere, inside) : inside, () => {
      const n = emitter.variable(number, [(c as Expression & { kind: "get" }).name], Size.of(height));
      const at: Coordinates = new Map([...rowCoordinates(rows, row), ...rowCoordinates(first.outputs, n)]);
      const results = products.map((_, i) => {
        const sum = builder.variable("total", builder.load(sums[i]!, c));
        builder.loop("slice", 1, slices[i]!, 1, (slice) =>
          sum.set(add(sum.get, builder.load(sums[i]!, add(mul(slice, width), c)))),
        );
        return builder.let("product", sum.get);
      });
      storeFormula(emitter, source, target, products, at, results);
    });
  });
  entry.launch(emitter, elements(rows).times(Size.of(groups)).times(share), on);
}
