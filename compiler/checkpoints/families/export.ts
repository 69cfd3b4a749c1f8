/** A model's tensors and config in the names and orders of Hugging Face files and of GGUF, for the writers. */
import { notWritable, unsupportedConfig } from "../errors.js";
import { type EncodableType, fromF32, STORAGE, storageBytes } from "../storage.js";
import type { MetadataValue, TensorSource } from "../types.js";
import { FAMILIES } from "./detect.js";
import { reorderRows } from "./permute.js";
import { familyTensors, type FamilyTensor, fill, hfNames } from "./tensors.js";
import type { FamilyConfig, FamilyNumbers } from "./types.js";

/** Values of a tensor by moec's name, row-major, rotary rows in halves; asked once for each tensor and part. */
export type TensorValues = (tensor: FamilyTensor) => Float32Array;

/** The same, or piece by piece: a tensor of many experts is never in memory as a whole then. */
export type TensorParts = (tensor: FamilyTensor) => Float32Array | Iterable<Float32Array>;

/** Stored bytes of values; `name` is for messages. */
export type Encode = (name: string, type: EncodableType, values: Float32Array) => Uint8Array;

/**
 * Tensors for `writeGguf`. Matrices are stored as `type`; norms, biases and routers as f32, which llama.cpp expects.
 *
 * @param type one for all matrices, or that of each.
 * @throws MoecError MOE5111 (when the data is asked for) if rows are not whole blocks, and what `encode` throws.
 */
export function ggufTensors(
  config: FamilyConfig,
  values: TensorParts,
  type: EncodableType | ((tensor: FamilyTensor) => EncodableType),
  encode: Encode = (_, stored, part) => fromF32(stored, part),
): TensorSource[] {
  const typeOf = typeof type === "function" ? type : () => type;
  return familyTensors(config).map((tensor) => {
    const { rule, shape, layer } = tensor;
    const stored = rule.matrix ? typeOf(tensor) : "f32";
    const name = fill(rule.gguf, layer);
    const heads = rule.interleavedHeads?.(config);
    const data = (): Uint8Array => {
      const parts = values(tensor);
      const bytes =
        parts instanceof Float32Array
          ? encode(name, stored, parts)
          : joinedParts(parts, storageBytes(stored, shape, name), (part) => encode(name, stored, part));
      return heads === undefined ? bytes : reorderRows(bytes, shape[0]!, heads, "to-interleaved");
    };
    return { name, shape, type: stored, data };
  });
}

export function joinedParts(
  parts: Iterable<Float32Array>,
  length: number,
  encode: (part: Float32Array) => Uint8Array,
): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    const bytes = encode(part);
    joined.set(bytes, at);
    at += bytes.length;
  }
  return joined;
}

/**
 * Tensors for `writeSafetensors`: stacks of experts become one tensor per expert.
 *
 * @throws MoecError MOE5117 for a rotary table that Hugging Face computes from the config instead of storing it.
 */
export function hfTensors(config: FamilyConfig, values: TensorValues, type: "f32" | "f16" | "bf16"): TensorSource[] {
  const prefix = FAMILIES[config.family].prefixes[0]!;
  return familyTensors(config).flatMap((tensor) => {
    if (tensor.key === "rope_factors") throw notWritable(tensor.key, "Hugging Face files don't store it");
    const names = hfNames(tensor, prefix);
    const shape = tensor.rule.hf.includes("{expert}") ? tensor.shape.slice(1) : tensor.shape;
    const partBytes = shape.reduce((product, size) => product * size, STORAGE[type].blockBytes);
    // One conversion for all experts of a stack; the last one asked for lets it go.
    let stack: Uint8Array | undefined;
    return names.map((name, i) => {
      const data = (): Uint8Array => {
        stack ??= fromF32(type, values(tensor));
        const part = stack.subarray(i * partBytes, (i + 1) * partBytes);
        if (i === names.length - 1) stack = undefined;
        return part;
      };
      return { name, shape, type, data };
    });
  });
}

/** The `config.json` of a model, as an object. */
export function hfConfig(config: FamilyConfig): Record<string, unknown> {
  const family = FAMILIES[config.family];
  const object: Record<string, unknown> = { architectures: [family.className], model_type: family.modelType };
  for (const [name, { hf }] of Object.entries(family.numbers)) {
    if (hf !== undefined) object[hf[0]!] = config[name as keyof FamilyNumbers];
  }
  for (const [name, { hf }] of Object.entries(family.flags)) {
    if (hf !== undefined) object[hf] = config[name as keyof typeof family.flags];
  }
  object["hidden_act"] = config.activation === "gelu_tanh" ? "gelu_new" : config.activation;
  if (config.denseLayers.length > 0) object["mlp_only_layers"] = config.denseLayers;
  if (config.clipQkv !== undefined) object["clip_qkv"] = config.clipQkv;
  if (config.slidingWindow !== undefined) object["sliding_window"] = config.slidingWindow;
  const scaling = config.ropeScaling;
  if (scaling?.kind === "linear") object["rope_scaling"] = { rope_type: "linear", factor: scaling.factor };
  if (scaling?.kind === "llama3") {
    object["rope_scaling"] = {
      rope_type: "llama3",
      factor: scaling.factor,
      low_freq_factor: scaling.lowFrequencyFactor,
      high_freq_factor: scaling.highFrequencyFactor,
      original_max_position_embeddings: scaling.originalContext,
    };
  }
  return object;
}

/**
 * GGUF metadata of a model, without a tokenizer.
 *
 * @throws MoecError MOE5121 for options that readers of GGUF take from the architecture instead of the file, when the
 * model has them otherwise: the file would load there and be another model.
 */
export function ggufMetadata(config: FamilyConfig, name: string): Map<string, MetadataValue> {
  const { architecture, numbers } = FAMILIES[config.family];
  refuseUnwritable(config);
  const metadata = new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: architecture }],
    ["general.name", { type: "string", value: name }],
  ]);
  const u32 = (key: string, value: number) => metadata.set(`${architecture}.${key}`, { type: "u32", value });
  const f32 = (key: string, value: number) => metadata.set(`${architecture}.${key}`, { type: "f32", value });
  for (const [field, { gguf, real }] of Object.entries(numbers)) {
    const value = config[field as keyof FamilyNumbers];
    if (gguf === undefined || value === 0) continue;
    if (real) f32(gguf, value);
    else u32(gguf, value);
  }
  if (config.ropeTheta > 0) {
    u32("attention.value_length", config.headWidth);
    u32("rope.dimension_count", config.headWidth);
  } else {
    metadata.set(`${architecture}.attention.causal`, { type: "bool", value: false });
  }
  if (config.clipQkv !== undefined) f32("attention.clamp_kqv", config.clipQkv);
  if (config.slidingWindow !== undefined) u32("attention.sliding_window", config.slidingWindow);
  if (config.ropeScaling?.kind === "linear") {
    metadata.set(`${architecture}.rope.scaling.type`, { type: "string", value: "linear" });
    f32("rope.scaling.factor", config.ropeScaling.factor);
  }
  return metadata;
}

function refuseUnwritable(config: FamilyConfig): void {
  const { normalizeTopK } = FAMILIES[config.family].flags;
  const help = "GGUF has no key for it; write safetensors instead.";
  if (config.normalizeTopK !== (normalizeTopK.gguf ?? normalizeTopK.otherwise)) {
    throw unsupportedConfig("norm_topk_prob", String(config.normalizeTopK), help);
  }
  if (config.denseLayers.length > 0) throw unsupportedConfig("mlp_only_layers", config.denseLayers.join(), help);
  if (config.ropeScaling?.kind === "llama3") throw unsupportedConfig("rope_scaling", "llama3", help);
}
