/** Packs one layer of a parameter into the bytes of its layout (`layouts.ts`). */
import { encodeQ4, encodeQ8 } from "../../checkpoints/blocks.js";
import { encodeBf16, encodeF16 } from "../../checkpoints/half.js";
import { STORAGE } from "../../checkpoints/storage.js";
import type { StorageType } from "../../2-graph/ir.js";
import type { PlanWeight } from "../plan.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import { panelRows } from "../micro/wide-layouts.js";
import { isWide } from "./wide.js";
import { packBlocks, packPlanes, packTiles, wordsOf, type StoredBlocks } from "./pack-blocks.js";
import {
  holdsBlocks,
  isBlocked,
  weightLayout,
  type FixedAxis,
  type MatrixLayout,
  type PlanesLayout,
  type WeightLayout,
} from "./layouts.js";

/** The layout of a weight of a plan. */
export function layoutOf(weight: PlanWeight): WeightLayout {
  const axes = weight.axes.slice(weight.layerAxes);
  return weightLayout(
    weight.storage,
    axes,
    weight.matrix,
    weight.path,
    isWide(weight.layout) || weight.layout === "blocks",
  );
}

/** Number of layers of a weight; 1 without layer axes. */
export function layerCount(weight: PlanWeight): number {
  return weight.axes.slice(0, weight.layerAxes).reduce((product, axis) => product * axis.size, 1);
}

/**
 * The axes that blocks of a weight run along, outermost first; `undefined` for weights that are not kept in blocks. A
 * source whose blocks lie so can give them to `packLayer` as they are.
 */
export function blockAxes(weight: PlanWeight): readonly string[] | undefined {
  if (!isBlocked(weight.storage)) return undefined;
  return (
    weight.matrix?.columns ??
    weight.axes
      .slice(weight.layerAxes)
      .slice(-1)
      .map(({ name }) => name)
  );
}

/**
 * The bytes of one layer.
 *
 * @param values Row-major in the order of `weight.axes` without its layers; or blocks of the weight's own format whose
 *   last axes are `blockAxes(weight)`, which formats want that nothing is converted to.
 */
export function packLayer(weight: PlanWeight, values: Float32Array | Int32Array | StoredBlocks): Uint8Array {
  const layout = layoutOf(weight);
  const bytes = new Uint8Array(layout.layerBytes);
  if ("storage" in values) packStored(layout, blockAxes(weight) ?? [], values, bytes);
  else if (layout.name === "planes") packValuesInPlanes(layout, values, bytes);
  else if (layout.name === "blocks") throw onlyStored(layout.storage);
  else if (layout.name !== "rows") packMatrices(layout, values, bytes);
  else if (layout.storage === "f32") new Float32Array(bytes.buffer).set(values);
  else if (layout.storage === "i32") new Int32Array(bytes.buffer).set(values);
  else (layout.storage === "f16" ? encodeF16 : encodeBf16)(asFloats(values), bytes);
  return bytes;
}

const asFloats = (values: Float32Array | Int32Array): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);

/**
 * All layers of a weight, one behind the other.
 *
 * @param read What `packLayer` takes of one layer.
 */
export function packWeight(
  weight: PlanWeight,
  read: (layer: number) => Float32Array | Int32Array | StoredBlocks,
): Uint8Array {
  const layers = layerCount(weight);
  const { layerBytes } = layoutOf(weight);
  const bytes = new Uint8Array(layers * layerBytes);
  for (let layer = 0; layer < layers; layer++) bytes.set(packLayer(weight, read(layer)), layer * layerBytes);
  return bytes;
}

const onlyStored = (storage: StorageType): Error => new RangeError(`numbers are not converted to ${storage}`);

function encoded(storage: "q8_0" | "q4_0", values: Float32Array): Uint16Array {
  const bytes = new Uint8Array((values.length / blockElements) * STORAGE[storage].blockBytes);
  (storage === "q8_0" ? encodeQ8 : encodeQ4)(values, bytes);
  return wordsOf(bytes);
}

/** 0, step, 2 step, … */
const steps = (count: number, step: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i * step);

function packValuesInPlanes(layout: PlanesLayout, values: Float32Array | Int32Array, bytes: Uint8Array): void {
  const words = encoded(layout.storage, asFloats(values));
  const blocks = layout.depth / blockElements;
  packPlanes(layout, { words, rows: steps(layout.rows, blocks), blocks }, bytes);
}

/** Blocks that are there already go to their places. */
function packStored(layout: WeightLayout, along: readonly string[], stored: StoredBlocks, bytes: Uint8Array): void {
  const all = stored.axes.map((name) => layout.axes.find((axis) => axis.name === name)!);
  const last = stored.axes.slice(stored.axes.length - along.length);
  if (
    layout.name === "rows" ||
    !holdsBlocks(layout.storage, stored.storage) ||
    last.some((name, i) => name !== along[i])
  ) {
    throw new RangeError(`blocks of ${stored.storage} along ${last.join(", ")} do not fit a ${layout.name} layout`);
  }
  const words = wordsOf(stored.bytes);
  const { blockValues } = STORAGE[stored.storage];
  const inBlocks = (list: Int32Array, start = 0): Int32Array => list.map((place) => (start + place) / blockValues);
  if (layout.name === "planes") {
    const rows = inBlocks(places(all, layout.axes.slice(0, -1)));
    packPlanes(layout, { words, rows, blocks: layout.depth / blockValues }, bytes);
  } else if (layout.name === "blocks") {
    const rows = inBlocks(places(all, layout.axes.slice(0, -1)));
    packBlocks(layout.storage, { words, rows, blocks: layout.depth / blockValues }, bytes);
  } else {
    const [rows, blocks] = [places(all, layout.rows), layout.depth / blockValues];
    eachMatrix(layout, all, bytes, (start, out) =>
      packTiles(layout.name, stored.storage, { words, rows: inBlocks(rows, start), blocks }, out),
    );
  }
}

/** Calls `pack` for each matrix with the place of its first number and the bytes where it goes. */
function eachMatrix(
  layout: MatrixLayout,
  all: readonly FixedAxis[],
  bytes: Uint8Array,
  pack: (start: number, out: Uint8Array) => void,
): void {
  const size = layout.tiles * layout.tileBytes;
  places(all, layout.batch).forEach((start, number) => pack(start, bytes.subarray(number * size, (number + 1) * size)));
}

/** Place of each element of a list of axes in the row-major values of all axes. */
function places(all: readonly FixedAxis[], axes: readonly FixedAxis[]): Int32Array {
  const stride = (axis: FixedAxis): number =>
    all.slice(all.findIndex((own) => own.name === axis.name) + 1).reduce((count, own) => count * own.size, 1);
  let list = Int32Array.of(0);
  for (const axis of axes) {
    const step = stride(axis);
    const next = new Int32Array(list.length * axis.size);
    list.forEach((place, outer) => {
      for (let i = 0; i < axis.size; i++) next[outer * axis.size + i] = place + i * step;
    });
    list = next;
  }
  return list;
}

function packMatrices(layout: MatrixLayout, values: Float32Array | Int32Array, bytes: Uint8Array): void {
  const [rows, columns] = [places(layout.axes, layout.rows), places(layout.axes, layout.columns)];
  const matrix = new Float32Array(layout.height * layout.depth);
  eachMatrix(layout, layout.axes, bytes, (start, out) => {
    gather(asFloats(values), start, rows, columns, matrix);
    packMatrix(layout, matrix, out);
  });
}

/** Rows and columns side by side. Tiles of 64 columns keep the lines that rows share in the cache. */
function gather(
  values: Float32Array,
  start: number,
  rows: Int32Array,
  columns: Int32Array,
  matrix: Float32Array,
): void {
  const depth = columns.length;
  for (let first = 0; first < depth; first += 64) {
    const end = Math.min(depth, first + 64);
    for (let row = 0; row < rows.length; row++) {
      const [from, to] = [start + rows[row]!, row * depth];
      for (let k = first; k < end; k++) matrix[to + k] = values[from + columns[k]!]!;
    }
  }
}

function packMatrix(layout: MatrixLayout, matrix: Float32Array, out: Uint8Array): void {
  const { storage, height, depth } = layout;
  switch (storage) {
    case "q8_0":
    case "q4_0": {
      const blocks = depth / blockElements;
      const words = encoded(storage, matrix);
      return packTiles(layout.name, storage, { words, rows: steps(height, blocks), blocks }, out);
    }
    case "f32": {
      const words = new Uint32Array(matrix.buffer, matrix.byteOffset, matrix.length);
      return packPanels(words, depth, panelHeight(layout), new Uint32Array(out.buffer, out.byteOffset, out.length / 4));
    }
    case "f16":
    case "bf16": {
      const halves = new Uint8Array(matrix.length * 2);
      (storage === "f16" ? encodeF16 : encodeBf16)(matrix, halves);
      return packPanels(wordsOf(halves), depth, panelHeight(layout), wordsOf(out));
    }
    case "q4_1":
    case "q5_0":
    case "q5_1":
    case "q4_K":
    case "q5_K":
    case "q6_K":
    case "any_K":
      throw onlyStored(storage);
    default:
      storage satisfies never;
  }
}

const panelHeight = ({ name }: MatrixLayout): number => (isWide(name) ? panelRows : tileRows);

/** [rows][depth] to [rows / height][depth][height]. */
function packPanels<T extends Uint16Array | Uint32Array>(matrix: T, depth: number, height: number, out: T): void {
  const rows = matrix.length / depth;
  for (let row = 0; row < rows; row++) {
    const lane = row % height;
    let to = (row - lane) * depth + lane;
    const end = (row + 1) * depth;
    for (let from = row * depth; from < end; from++, to += height) out[to] = matrix[from]!;
  }
}
