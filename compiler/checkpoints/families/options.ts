/** The parts of a config that are not plain numbers or flags: activation, rotary scaling, window, layers without experts. */
import { badConfig, unsupportedConfig } from "../errors.js";
import { optionalNumber, optionalString } from "../metadata.js";
import { isRecord } from "../safetensors-header.js";
import type { Checkpoint } from "../types.js";
import { onlyWholeHeads, scalingKey } from "./positions.js";
import type { Family, FamilyConfig, FamilyNumbers, RopeScaling } from "./types.js";

/** What this file reads. */
export type ConfigOptions = Pick<
  FamilyConfig,
  "activation" | "denseLayers" | "ropeScaling" | "clipQkv" | "slidingWindow"
>;

type Json = Record<string, unknown>;

/** Value of a dotted key. */
export function lookUp(record: Json, key: string): unknown {
  return key.split(".").reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), record);
}

function numberAt(record: Json, key: string): number | undefined {
  const value = lookUp(record, key) ?? undefined;
  if (value !== undefined && typeof value !== "number") throw badConfig(key, "is not a number");
  return value;
}

const withDefined = <T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as never;

/** Hugging Face's names of activations. */
const ACTIVATIONS: ReadonlyMap<string, FamilyConfig["activation"]> = new Map([
  ["silu", "silu"],
  ["swish", "silu"],
  ["gelu", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
  ["relu", "relu"],
]);

/**
 * Options of a `config.json`.
 *
 * @throws MoecError MOE5120 for values of another type, MOE5121 for options whose math moec does not have.
 */
export function hfOptions(family: Family, config: Json, numbers: FamilyNumbers): ConfigOptions {
  const scaling = hfScaling(config);
  const clipQkv = family.name === "olmoe" ? numberAt(config, "clip_qkv") : undefined;
  const slidingWindow = hfWindow(family, config);
  const activation = hfActivation(family, config);
  refuseOthers(family, config);
  return {
    activation,
    denseLayers: denseLayers(config, numbers),
    ...withDefined({ ropeScaling: scaling, clipQkv, slidingWindow }),
  };
}

function hfActivation(family: Family, config: Json): FamilyConfig["activation"] {
  const name = config["hidden_act"] ?? family.activations[0]!;
  const activation = typeof name === "string" ? ACTIVATIONS.get(name) : undefined;
  if (activation === undefined || !family.activations.includes(activation)) {
    throw unsupportedConfig("hidden_act", JSON.stringify(name), `Supported: ${family.activations.join(", ")}.`);
  }
  return activation;
}

function hfScaling(config: Json): RopeScaling | undefined {
  const key = scalingKey((name) => lookUp(config, name));
  const scaling = lookUp(config, key);
  if (!isRecord(scaling)) return undefined;
  const kind: unknown = scaling["rope_type"] ?? scaling["type"] ?? "default";
  const need = (name: string): number => {
    const value = numberAt(config, `${key}.${name}`);
    if (value === undefined) throw badConfig(`${key}.${name}`, "is missing");
    return value;
  };
  switch (kind) {
    case "default":
      return undefined;
    case "linear":
      return { kind, factor: need("factor") };
    case "llama3":
      return {
        kind,
        factor: need("factor"),
        lowFrequencyFactor: need("low_freq_factor"),
        highFrequencyFactor: need("high_freq_factor"),
        originalContext: need("original_max_position_embeddings"),
      };
    default:
      throw unsupportedConfig(key, JSON.stringify(kind), "Supported: default, linear, llama3.");
  }
}

/** Qwen configs carry a window that `use_sliding_window` switches off; it would hold for some layers only. */
function hfWindow(family: Family, config: Json): number | undefined {
  if (family.name.startsWith("qwen")) {
    if (config["use_sliding_window"] !== true) return undefined;
    throw unsupportedConfig("use_sliding_window", "true", "Only false is supported for Qwen families.");
  }
  return numberAt(config, "sliding_window");
}

/** Options that change the math and that released models of these families do not use. */
function refuseOthers(family: Family, config: Json): void {
  if (config["mlp_bias"] === true) throw unsupportedConfig("mlp_bias", "true", "Only false is supported.");
  onlyWholeHeads((key) => lookUp(config, key));
  if (family.name !== "bert") return;
  const positions = config["position_embedding_type"] ?? "absolute";
  if (positions !== "absolute") {
    throw unsupportedConfig("position_embedding_type", JSON.stringify(positions), "Supported: absolute.");
  }
  if (config["is_decoder"] === true) throw unsupportedConfig("is_decoder", "true", "Only encoders are supported.");
}

/** Qwen's rule: layer N has experts unless it is listed, and only every `decoder_sparse_step`-th does. */
function denseLayers(config: Json, { layers, experts }: FamilyNumbers): number[] {
  if (experts === 0) return [];
  const listed = config["mlp_only_layers"] ?? [];
  if (!Array.isArray(listed) || !listed.every((layer) => Number.isInteger(layer))) {
    throw badConfig("mlp_only_layers", "is not a list of layers");
  }
  const step = numberAt(config, "decoder_sparse_step") ?? 1;
  if (!Number.isInteger(step) || step < 1) throw badConfig("decoder_sparse_step", `is ${step}`);
  const all = Array.from({ length: Math.min(layers, 4096) }, (_, layer) => layer);
  return all.filter((layer) => listed.includes(layer) || (layer + 1) % step !== 0);
}

/**
 * Options of a GGUF file.
 *
 * @throws MoecError MOE5112 for values of another type, MOE5121 for options whose math moec does not have.
 */
export function ggufOptions(family: Family, { metadata, tensors }: Checkpoint): ConfigOptions {
  const key = (name: string): string => `${family.architecture}.${name}`;
  const kind = optionalString(metadata, key("rope.scaling.type")) ?? "none";
  if (kind !== "none" && kind !== "linear") {
    throw unsupportedConfig(key("rope.scaling.type"), kind, "Supported: none, linear.");
  }
  const factors: RopeScaling | undefined = tensors.has("rope_freqs.weight") ? { kind: "factors" } : undefined;
  const factor = optionalNumber(metadata, key("rope.scaling.factor")) ?? 1;
  const linear: RopeScaling | undefined = kind === "linear" && factor !== 1 ? { kind, factor } : undefined;
  if (linear !== undefined && factors !== undefined) {
    throw unsupportedConfig(
      key("rope.scaling.type"),
      "linear beside rope_freqs.weight",
      "Only one of the two is supported.",
    );
  }
  const clipQkv = optionalNumber(metadata, key("attention.clamp_kqv"));
  const slidingWindow = optionalNumber(metadata, key("attention.sliding_window"));
  return {
    activation: family.activations[0]!,
    denseLayers: [],
    ...withDefined({ ropeScaling: factors ?? linear, clipQkv, slidingWindow }),
  };
}
