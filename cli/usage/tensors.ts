/** Counts of tokens as the tensors of a file. */
import { fromF32, type TensorSource } from "../../compiler/checkpoints/index.js";
import type { MixtureUsage } from "./count.js";

/** `usage` [layers, experts] of f32, or `usage_0`, `usage_1`, … of several mixtures: names that a recipe's head can have. */
export function usageTensors(mixtures: readonly MixtureUsage[]): readonly TensorSource[] {
  return mixtures.map(({ layers }, mixture) => ({
    name: mixtures.length === 1 ? "usage" : `usage_${mixture}`,
    shape: [layers.length, layers[0]!.length],
    type: "f32",
    data: () => fromF32("f32", Float32Array.from(layers.flat())),
  }));
}
