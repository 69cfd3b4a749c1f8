/** Counts of tokens as the tensors of a file. */
import { fromF32, type TensorSource } from "../../compiler/checkpoints/index.js";
import type { MixtureUsage } from "./count.js";

/**
 * `usage` [layers, experts] of f32; of several mixtures `usage_` and the path of the experts of each, as
 * `usage_layers_moe_experts`: names that the head of a recipe can have.
 */
export function usageTensors(mixtures: readonly Pick<MixtureUsage, "label" | "layers">[]): readonly TensorSource[] {
  const names = new Set<string>();
  return mixtures.map(({ label, layers }) => {
    const wanted = mixtures.length === 1 ? "usage" : `usage_${label.replace(/\W+/g, "_")}`;
    let name = wanted;
    for (let copy = 2; names.has(name); copy++) name = `${wanted}_${copy}`;
    names.add(name);
    return {
      name,
      shape: [layers.length, layers[0]!.length],
      type: "f32",
      data: () => fromF32("f32", Float32Array.from(layers.flat())),
    };
  });
}
