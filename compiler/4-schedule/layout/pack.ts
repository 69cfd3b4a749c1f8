/** Packs one layer of a parameter into the bytes of its layout (`layouts.ts`). */
import { encodeQ4, encodeQ8 } from "../../checkpoints/blocks.js";
import { f32ToBf16, f32ToF16 } from "../../checkpoints/half.js";
import type { PlanWeight } from "../plan.js";
import { blockElements, packPanels, packQ4Tiles, packQ8Tiles, type QuantizedMatrix } from "../micro/layouts.js";
import { packWidePanels, packWideRecords } from "../micro/wide-layouts.js";
import { isWide } from "./wide.js";
import { weightLayout, type FixedAxis, type MatrixLayout, type PlanesLayout, type WeightLayout } from "./layouts.js";

/** The layout of a weight of a plan. */
export function layoutOf(weight: PlanWeight): WeightLayout {
  const axes = weight.axes.slice(weight.layerAxes);
  return weightLayout(weight.storage, axes, weight.matrix, weight.path, isWide(weight.layout));
}

/** Number of layers of a weight; 1 without layer axes. */
export function layerCount(weight: PlanWeight): number {
  return weight.axes.slice(0, weight.layerAxes).reduce((product, axis) => product * axis.size, 1);
}

/**
 * The bytes of one layer.
 *
 * @param values Row-major in the order of `weight.axes` without its layers.
 */
export function packLayer(weight: PlanWeight, values: Float32Array | Int32Array): Uint8Array {
  const layout = layoutOf(weight);
  const bytes = new Uint8Array(layout.layerBytes);
  if (layout.name === "planes") packPlanes(layout, values, bytes);
  else if (layout.name !== "rows") packMatrices(layout, values, bytes);
  else if (layout.storage === "f32") new Float32Array(bytes.buffer).set(values);
  else if (layout.storage === "i32") new Int32Array(bytes.buffer).set(values);
  else {
    const target = new Uint16Array(bytes.buffer);
    const encode = layout.storage === "f16" ? f32ToF16 : f32ToBf16;
    for (let i = 0; i < values.length; i++) target[i] = encode(values[i]!);
  }
  return bytes;
}

/**
 * All layers of a weight, one behind the other.
 *
 * @param read Numbers of one layer, row-major in the order of `weight.axes` without its layers.
 */
export function packWeight(weight: PlanWeight, read: (layer: number) => Float32Array | Int32Array): Uint8Array {
  const layers = layerCount(weight);
  const { layerBytes } = layoutOf(weight);
  const bytes = new Uint8Array(layers * layerBytes);
  for (let layer = 0; layer < layers; layer++) bytes.set(packLayer(weight, read(layer)), layer * layerBytes);
  return bytes;
}

/** Bytes of a block of 32 in the encoders' output: an f16 scale and the quants. */
const encodedBytes = { q8_0: 2 + blockElements, q4_0: 2 + blockElements / 2 } as const;

function encode(storage: "q8_0" | "q4_0", values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / blockElements) * encodedBytes[storage]);
  (storage === "q8_0" ? encodeQ8 : encodeQ4)(values, bytes);
  return bytes;
}

function packPlanes(layout: PlanesLayout, values: ArrayLike<number>, bytes: Uint8Array): void {
  const encoded = encode(layout.storage, Float32Array.from(values));
  const size = encodedBytes[layout.storage];
  for (let block = 0; block < encoded.length / size; block++) {
    const from = encoded.subarray(block * size, (block + 1) * size);
    bytes.set(from.subarray(0, 2), layout.scalesAt + 2 * block);
    bytes.set(from.subarray(2), block * (size - 2));
  }
}

/** Place of each element of a list of axes in the row-major values of all axes. */
function places(all: readonly FixedAxis[], axes: readonly FixedAxis[]): Int32Array {
  const stride = (axis: FixedAxis): number =>
    all.slice(all.findIndex((own) => own.name === axis.name) + 1).reduce((count, own) => count * own.size, 1);
  let list = Int32Array.of(0);
  for (const axis of axes) {
    const step = stride(axis);
    list = Int32Array.from(
      { length: list.length * axis.size },
      (_, i) => list[Math.floor(i / axis.size)]! + (i % axis.size) * step,
    );
  }
  return list;
}

function packMatrices(layout: MatrixLayout, values: ArrayLike<number>, bytes: Uint8Array): void {
  const [starts, rows, columns] = [layout.batch, layout.rows, layout.columns].map((axes) => places(layout.axes, axes));
  const matrix = new Float32Array(layout.height * layout.depth);
  const matrixBytes = layout.tiles * layout.tileBytes;
  for (const [number, start] of starts!.entries()) {
    for (const [row, rowStart] of rows!.entries()) {
      const at = row * layout.depth;
      for (let k = 0; k < layout.depth; k++) matrix[at + k] = values[start + rowStart + columns![k]!]!;
    }
    bytes.set(packedMatrix(layout, matrix), number * matrixBytes);
  }
}

function packedMatrix(layout: MatrixLayout, matrix: Float32Array): Uint8Array {
  const { storage, height, depth } = layout;
  if (storage === "q8_0" || storage === "q4_0") {
    const quantized = quantizedMatrix(storage, matrix, height, depth);
    if (isWide(layout.name)) return packWideRecords(storage, quantized);
    return storage === "q8_0" ? packQ8Tiles(quantized) : packQ4Tiles(quantized);
  }
  if (isWide(layout.name)) return packWidePanels(matrix, height, depth, storage);
  const panels = packPanels(matrix, height, depth);
  const packed = storage === "f32" ? panels : Uint16Array.from(panels, storage === "f16" ? f32ToF16 : f32ToBf16);
  return new Uint8Array(packed.buffer);
}

/** Quants and scales apart, from what the encoders of the checkpoint formats give. */
function quantizedMatrix(
  storage: "q8_0" | "q4_0",
  matrix: Float32Array,
  rows: number,
  columns: number,
): QuantizedMatrix {
  const encoded = encode(storage, matrix);
  const size = encodedBytes[storage];
  const count = matrix.length / blockElements;
  const quants = new Int8Array(matrix.length);
  const scales = new Uint16Array(count);
  for (let block = 0; block < count; block++) {
    const at = block * size;
    scales[block] = encoded[at]! | (encoded[at + 1]! << 8);
    const to = block * blockElements;
    for (let i = 0; i < size - 2; i++) {
      const byte = encoded[at + 2 + i]!;
      if (storage === "q8_0") quants[to + i] = byte;
      else {
        quants[to + i] = (byte & 15) - 8;
        quants[to + i + blockElements / 2] = (byte >> 4) - 8;
      }
    }
  }
  return { rows, columns, quants, scales };
}
