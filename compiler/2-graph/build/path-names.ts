/** What a checkpoint calls the parameters of a model that gives no names: their own paths. */
import type { StoredValue } from "../../1-check/emitter.js";
import { layerPattern } from "../../1-check/layer-names.js";
import type { WeightSource } from "../ir.js";

/** By path of each parameter its tensor: `layers.{i}.norm.weight`, one for each layer, with all experts of a bank. */
export function pathNames(params: readonly StoredValue[]): Readonly<Record<string, WeightSource>> {
  return Object.fromEntries(
    params.map(({ path, repetitions }) => [path, { pattern: layerPattern(path, repetitions) }]),
  );
}
