/** Parameters as a bundle keeps them: what its storage format makes of the checkpoint's numbers. */
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Plan, PlanWeight } from "../../compiler/4-schedule/plan.js";
import type { ParameterSource } from "../../compiler/6-bundle/index.js";
import { layerSizes } from "../../compiler/6-bundle/stored-order.js";
import { indexVectors } from "../../compiler/axes/index-vectors.js";
import { isK } from "../../compiler/4-schedule/micro/k-layouts.js";
import { isBlocked } from "../../compiler/4-schedule/layout/layouts.js";
import { blockAxes } from "../../compiler/4-schedule/layout/pack.js";
import { STORAGE, toF32 } from "../../compiler/checkpoints/storage.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";

/** How the numbers of one layer of `path` change when the plan's weight of that path is written and read again. */
export type Rounding = (
  path: string,
  values: Float32Array,
  axes: readonly string[],
  layer: readonly number[],
) => Float32Array;

export const unchanged: Rounding = (_, values) => values;

/**
 * The rounding of a plan's storage formats. Blocks of a quantized matrix run along its summed axes; those that the source
 * gives are taken as they are.
 */
export function storedAs(plan: Plan, source?: ParameterSource): Rounding {
  const weights = new Map<string, PlanWeight>();
  for (const weight of plan.weights) if (!weights.has(weight.path)) weights.set(weight.path, weight);
  return (path, values, axes, layer) => {
    const weight = weights.get(path);
    const record = weight === undefined || isK(weight.storage) ? undefined : STORAGE[weight.storage];
    // Formats that nothing is converted to are read from the source as they are.
    if (!weight || !record?.encode || weight.storage === "f32" || weight.storage === "i32") return values;
    const sizes = axes.map((name) => weight.axes.find((axis) => axis.name === name)!.size);
    const along = blockAxes(weight);
    const stored =
      along && isBlocked(weight.storage) ? source?.readBlocks?.(path, layer, weight.storage, along) : undefined;
    if (stored) {
      const shape = stored.axes.map((name) => sizes[axes.indexOf(name)]!);
      return permuted(
        toF32(stored.storage, stored.bytes),
        shape,
        axes.map((name) => stored.axes.indexOf(name)),
      );
    }
    const innermost = weight.matrix?.columns ?? [];
    const order = [...axes.keys()].sort((a, b) => rank(axes[a]!, innermost) - rank(axes[b]!, innermost) || a - b);
    const blocks = permuted(values, sizes, order);
    const bytes = new Uint8Array((values.length / record.blockValues) * record.blockBytes);
    record.encode(blocks, bytes);
    record.decode(bytes, blocks);
    const back = order.map((_, axis) => order.indexOf(axis));
    return permuted(
      blocks,
      order.map((axis) => sizes[axis]!),
      back,
    );
  };
}

/** Summed axes come last, in their own order. */
function rank(axis: string, innermost: readonly string[]): number {
  return innermost.indexOf(axis);
}

/** `out[i_order0, i_order1, …] = values[i_0, i_1, …]`. */
function permuted(values: Float32Array, sizes: readonly number[], order: readonly number[]): Float32Array {
  const out = new Float32Array(values.length);
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1));
  let at = 0;
  const walk = (depth: number, from: number): void => {
    const axis = order[depth];
    if (axis === undefined) {
      out[at++] = values[from]!;
      return;
    }
    for (let i = 0; i < sizes[axis]!; i++) walk(depth + 1, from + i * strides[axis]!);
  };
  walk(0, 0);
  return out;
}

/** A reader of whole parameters for the reference evaluator; each is read once. */
export function parameterReader(
  program: Program,
  source: ParameterSource,
  rounding: Rounding,
): (path: string) => ReferenceTensor {
  const known = new Map<string, ReferenceTensor>();
  return (path) => {
    const cached = known.get(path);
    if (cached) return cached;
    const decl = program.params.find((param) => param.path === path)!;
    const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
    const own = axes.slice(decl.layerAxes).map(({ name }) => name);
    const all = new Float64Array(axes.reduce((product, { size }) => product * size, 1));
    let at = 0;
    for (const layer of indexVectors(layerSizes(decl))) {
      const values = rounding(path, source.read(path, layer, own), own, layer);
      all.set(values, at);
      at += values.length;
    }
    const made = makeTensor(decl.dtype, axes, all);
    known.set(path, made);
    return made;
  };
}
