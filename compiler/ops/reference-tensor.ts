/** Dense row-major tensors of the reference: making them, strides by axis name, and walking several at once. */
import type { DType, ReferenceRoutes, ReferenceTensor, ReferenceValue } from "./types.js";

export type RunAxis = ReferenceTensor["axes"][number];

export function countElements(axes: readonly RunAxis[]): number {
  return axes.reduce((product, axis) => product * axis.size, 1);
}

/** A tensor of zeros, or of `data`, which must have the length that the axes ask for. */
export function makeTensor(dtype: DType, axes: readonly RunAxis[], data?: Float64Array): ReferenceTensor {
  const count = countElements(axes);
  if (data && data.length !== count) {
    throw new RangeError(`${data.length} values for [${axes.map((axis) => `${axis.name}=${axis.size}`).join(", ")}]`);
  }
  return { kind: "tensor", dtype, axes, data: data ?? new Float64Array(count) };
}

export function scalarTensor(dtype: DType, value: number): ReferenceTensor {
  return { kind: "tensor", dtype, axes: [], data: Float64Array.of(value) };
}

/** Operand `index` as a tensor; its type was checked before the run. */
export function tensorAt(operands: readonly ReferenceValue[], index: number): ReferenceTensor {
  const value = operands[index];
  if (value?.kind !== "tensor") throw new TypeError(`operand ${index} is no tensor`);
  return value;
}

export function routesAt(operands: readonly ReferenceValue[], index: number): ReferenceRoutes {
  const value = operands[index];
  if (value?.kind !== "routes") throw new TypeError(`operand ${index} holds no routes`);
  return value;
}

/** Elements from one index of each axis to the next; last axis fastest. */
export function stridesOf(axes: readonly RunAxis[]): number[] {
  const strides = new Array<number>(axes.length).fill(1);
  for (let i = axes.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * axes[i + 1]!.size;
  return strides;
}

/** Stride of `axes` in a tensor, 0 for those it does not have (broadcast). */
export function stridesIn(tensor: { readonly axes: readonly RunAxis[] }, axes: readonly RunAxis[]): number[] {
  const own = stridesOf(tensor.axes);
  return axes.map((axis) => {
    const at = tensor.axes.findIndex((candidate) => candidate.name === axis.name);
    return at < 0 ? 0 : own[at]!;
  });
}

/** Offsets of every index of `axes` in row-major order, for given strides. */
export function offsetsOf(axes: readonly RunAxis[], strides: readonly number[]): Int32Array {
  const offsets = new Int32Array(countElements(axes));
  let filled = 1;
  // Axis by axis from the last: the offsets of the inner axes repeat, moved by one stride.
  for (let i = axes.length - 1; i >= 0 && offsets.length > 0; i--) {
    const { size } = axes[i]!;
    const stride = strides[i]!;
    for (let n = 1; n < size; n++) {
      for (let j = 0; j < filled; j++) offsets[n * filled + j] = offsets[j]! + n * stride;
    }
    filled *= size;
  }
  return offsets;
}

/** One tensor read in the order of `axes`; axes it lacks are repeated. */
export function readAs(tensor: ReferenceTensor, axes: readonly RunAxis[]): Float64Array {
  const same = tensor.axes.length === axes.length && axes.every((axis, i) => tensor.axes[i]!.name === axis.name);
  if (same) return tensor.data;
  const offsets = offsetsOf(axes, stridesIn(tensor, axes));
  const data = new Float64Array(offsets.length);
  for (let i = 0; i < offsets.length; i++) data[i] = tensor.data[offsets[i]!]!;
  return data;
}

/** The axes of all, aligned by name, in the order of first mention. */
export function alignAxes(tensors: readonly { readonly axes: readonly RunAxis[] }[]): RunAxis[] {
  const axes: RunAxis[] = [];
  for (const tensor of tensors) {
    for (const axis of tensor.axes) if (!axes.some((known) => known.name === axis.name)) axes.push(axis);
  }
  return axes;
}

export function axisIndex(tensor: { readonly axes: readonly RunAxis[] }, name: string): number {
  const at = tensor.axes.findIndex((axis) => axis.name === name);
  if (at < 0) throw new RangeError(`no axis ${name}`);
  return at;
}

/** A tensor seen as `[outer, axis, inner]`: what ops along one axis walk over. */
export function alongAxis(
  tensor: { readonly axes: readonly RunAxis[] },
  name: string,
): { readonly at: number; readonly outer: number; readonly size: number; readonly inner: number } {
  const at = axisIndex(tensor, name);
  return {
    at,
    outer: countElements(tensor.axes.slice(0, at)),
    size: tensor.axes[at]!.size,
    inner: countElements(tensor.axes.slice(at + 1)),
  };
}

/** The indices `from` up to and without `to` of an axis. */
export function sliceAlong(tensor: ReferenceTensor, name: string, from: number, to: number): ReferenceTensor {
  const { at, outer, size, inner } = alongAxis(tensor, name);
  if (from < 0 || to > size || to < from) throw new RangeError(`slice ${from}..${to} of an axis of size ${size}`);
  const result = makeTensor(tensor.dtype, tensor.axes.with(at, { name: tensor.axes[at]!.name, size: to - from }));
  const run = (to - from) * inner;
  for (let i = 0; i < outer; i++) {
    const start = (i * size + from) * inner;
    result.data.set(tensor.data.subarray(start, start + run), i * run);
  }
  return result;
}
