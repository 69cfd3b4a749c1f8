/** Packs one layer of a parameter into the bytes of its layout (`layouts.ts`). */
import { encodeQ4, encodeQ8 } from "../../checkpoints/blocks.js";
import { f32ToBf16, f32ToF16 } from "../../checkpoints/half.js";
import type { PlanWeight } from "../plan.js";
import { blockSize, weightLayout, type FixedAxis, type PlanesLayout, type WeightLayout } from "./layouts.js";

/** The layout of a weight of a plan. */
export function layoutOf(weight: PlanWeight): WeightLayout {
  return weightLayout(weight.storage, weight.axes.slice(weight.layerAxes), weight.contracted, weight.path);
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

/** Offsets of the elements of a matrix row: strides of the contracted axis and starts of all rows. */
function rowsOf(axes: readonly FixedAxis[], contracted: string): { starts: Int32Array; step: number } {
  const strides: number[] = [];
  let step = 1;
  for (const axis of [...axes].reverse()) {
    strides.unshift(step);
    step *= axis.size;
  }
  const along = axes.findIndex((axis) => axis.name === contracted);
  const rest = axes.flatMap((axis, index) => (index === along ? [] : [{ size: axis.size, stride: strides[index]! }]));
  const count = rest.reduce((product, axis) => product * axis.size, 1);
  const starts = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    let left = row;
    let start = 0;
    for (const axis of [...rest].reverse()) {
      start += (left % axis.size) * axis.stride;
      left = Math.floor(left / axis.size);
    }
    starts[row] = start;
  }
  return { starts, step: strides[along]! };
}

function packPlanes(layout: PlanesLayout, values: ArrayLike<number>, bytes: Uint8Array): void {
  const { starts, step } = rowsOf(layout.axes, layout.contracted);
  const { depth } = layout;
  const row = new Float32Array(depth);
  const eight = layout.storage === "q8_0";
  const quantBytes = eight ? blockSize : blockSize / 2;
  const blocks = depth / blockSize;
  const encoded = new Uint8Array(blocks * (quantBytes + 2));
  for (let number = 0; number < layout.rows; number++) {
    for (let k = 0; k < depth; k++) row[k] = values[starts[number]! + k * step]!;
    (eight ? encodeQ8 : encodeQ4)(row, encoded);
    for (let b = 0; b < blocks; b++) {
      const block = encoded.subarray(b * (quantBytes + 2), (b + 1) * (quantBytes + 2));
      const at = number * blocks + b;
      bytes.set(block.subarray(0, 2), layout.scalesAt + 2 * at);
      bytes.set(block.subarray(2), at * quantBytes);
    }
  }
}
