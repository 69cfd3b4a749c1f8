/** Values that go into and come out of a model: numbers in row-major order, with the axes they lie on. */
import type { PlanTrace } from "../../compiler/4-schedule/plan.js";
import type { DType } from "../../compiler/ops/types.js";

export interface TensorAxis {
  readonly name: string;
  readonly size: number;
}

/** `f32` comes as Float32Array; `i32` and `bool` (0 or 1) as Int32Array. */
export interface Tensor<A extends string = string> {
  readonly dtype: DType;
  /** Outermost first. */
  readonly axes: readonly (TensorAxis & { readonly name: A })[];
  readonly data: Float32Array | Int32Array;
}

/** An output of dtype f32 on the named axes, outermost first. */
export interface FloatTensor<A extends string = string> extends Tensor<A> {
  readonly dtype: "f32";
  readonly data: Float32Array;
}

/** An output of dtype i32 or bool. */
export interface IntTensor<A extends string = string> extends Tensor<A> {
  readonly dtype: "i32" | "bool";
  readonly data: Int32Array;
}

/** Numbers of an input; the shape is taken from the entry's axes. Inputs with several open axes need `shape`. */
export type InputValue =
  | readonly number[]
  | Int32Array
  | Float32Array
  | { readonly data: ArrayLike<number>; readonly shape: readonly number[] };

/**
 * Which expert took which token, for one mixture of the model: `index[(layer * tokens + token) * slots + slot]` is an
 * expert, or -1 where a slot is empty, and `weight` has the same places.
 */
export interface RouteTrace {
  /**
   * Path of the experts in the spec, without the number of the layer: `layers.moe.experts`. Where layers differ, it has
   * the number of the first of its kind. Where one bank is asked several times the later ones have their number:
   * `layers.moe.experts#2`.
   */
  readonly label: string;
  readonly layers: number;
  /** What each layer is called, with its number in the spec: `layers.3.moe.experts`. */
  readonly names: readonly string[];
  /** Rows that were routed: the tokens of the call, or what the spec made of them (slots of tokens, say). */
  readonly tokens: number;
  /** Whether there is one row for each token of the call. */
  readonly byToken: boolean;
  /** Names of the axes that were routed, outermost first: those of the rows, then further ones. */
  readonly axes?: readonly string[];
  /** Choices of a row; where heads choose for themselves, those of all heads. */
  readonly slots: number;
  readonly experts: number;
  readonly index: Int32Array;
  readonly weight: Float32Array;
}

/** A name for each layer of a mixture; of older plans, which have none, its path and a number. */
export function layerNames({ label, layers, names }: Pick<PlanTrace, "label" | "layers" | "names">): readonly string[] {
  if (names) return names;
  return layers === 1 ? [label] : Array.from({ length: layers }, (_, layer) => `${label} ${layer}`);
}

/** Copies bytes to numbers; the copy stays good when the device goes on. */
export function toNumbers(bytes: Uint8Array, dtype: DType): Float32Array | Int32Array {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return dtype === "f32" ? new Float32Array(copy) : new Int32Array(copy);
}

/** Traces of one mixture over consecutive calls as one. Layers are outermost, so the calls interleave. */
export function joinRoutes(parts: readonly RouteTrace[]): RouteTrace {
  const [first] = parts as [RouteTrace, ...RouteTrace[]];
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  const index = new Int32Array(first.layers * tokens * first.slots);
  const weight = new Float32Array(index.length);
  let at = 0;
  for (let layer = 0; layer < first.layers; layer++) {
    for (const part of parts) {
      const row = part.tokens * part.slots;
      index.set(part.index.subarray(layer * row, (layer + 1) * row), at);
      weight.set(part.weight.subarray(layer * row, (layer + 1) * row), at);
      at += row;
    }
  }
  return { ...first, tokens, byToken: parts.every(({ byToken }) => byToken), index, weight };
}

/** One row of the outermost axis; the axis stays with size 1. */
export function rowOfTensor(tensor: Tensor, row: number): Tensor {
  const [first, ...rest] = tensor.axes;
  if (!first) return tensor;
  const length = rest.reduce((product, axis) => product * axis.size, 1);
  const data = tensor.data.subarray(row * length, (row + 1) * length);
  return { ...tensor, axes: [{ ...first, size: 1 }, ...rest], data };
}

/** The part of a trace that belongs to one of its tokens; all of it where its rows are no tokens. */
export function rowOfRoutes(routes: RouteTrace, token: number): RouteTrace {
  const { layers, tokens, slots } = routes;
  if (!routes.byToken) return routes;
  const index = new Int32Array(layers * slots);
  const weight = new Float32Array(layers * slots);
  for (let layer = 0; layer < layers; layer++) {
    const from = (layer * tokens + token) * slots;
    index.set(routes.index.subarray(from, from + slots), layer * slots);
    weight.set(routes.weight.subarray(from, from + slots), layer * slots);
  }
  return { ...routes, tokens: 1, index, weight };
}
