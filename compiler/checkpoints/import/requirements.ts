/**
 * What a checkpoint may say that the family's math does not have. The families' readers look at what they know; here
 * is the rest: keys that change the result and would otherwise be passed over in silence.
 */
import { unknownTensors, unsupportedConfig } from "../errors.js";
import { OUTPUT_TENSOR } from "../families/common.js";
import { FAMILIES } from "../families/detect.js";
import type { FamilyConfig } from "../families/types.js";
import { lookUp } from "../families/options.js";
import { onlyWholeHeads } from "../families/positions.js";
import { isRecord } from "../safetensors-header.js";
import type { Checkpoint, Metadata } from "../types.js";

/** GGUF keys behind `<architecture>.` with the only values that mean what the spec says. */
function ggufValues(config: FamilyConfig): Readonly<Record<string, readonly (number | boolean)[]>> {
  const { headWidth, normalizeTopK, experts } = config;
  return {
    // 0 and 1: softmax over all experts.
    expert_gating_func: [0, 1],
    expert_weights_norm: experts > 0 ? [normalizeTopK] : [],
    expert_weights_scale: [0, 1],
    expert_group_count: [0, 1],
    leading_dense_block_count: [0],
    "attention.value_length": [headWidth],
    "attention.scale": [0],
    attn_logit_softcapping: [0],
    final_logit_softcapping: [0],
    logit_scale: [0, 1],
    residual_scale: [0, 1],
    embedding_scale: [0, 1],
    "rope.scaling.attn_factor": [1],
  };
}

/** Keys of `config.json` with the only values that mean what the spec says; a missing or null key is fine. */
const HF_VALUES = {
  attn_logit_softcapping: [],
  final_logit_softcapping: [],
  logits_scaling: [1],
  embedding_multiplier: [1],
  residual_multiplier: [1],
  attention_multiplier: [],
  quantization_config: [],
  "text_config.model_type": [],
  add_cross_attention: [false],
} as const satisfies Readonly<Record<string, readonly unknown[]>>;

/** Those that families with records read for themselves; of designs only those that name them. */
const DESIGN_VALUES = {
  ...HF_VALUES,
  "text_config.model_type": ["llama4_text"],
  hidden_act: ["silu", "swish"],
} as const;

/** A key whose value changes what a model computes. */
export type MathKey = keyof typeof DESIGN_VALUES | "layer_types" | "partial_rotary_factor" | "sliding_window";

/**
 * Refuses checkpoints whose numbers the spec would use in another way than their makers.
 *
 * @param config `config.json` as parsed; undefined for GGUF.
 * @throws MoecError MOE5121.
 */
export function refuseOtherMath(family: FamilyConfig, checkpoint: Checkpoint, config: unknown): void {
  if (checkpoint.format === "gguf") refuseMetadata(family, checkpoint.metadata);
  else if (isRecord(config)) {
    refuseValues(config, HF_VALUES, []);
    refuseLayerTypes(config);
  }
}

/**
 * The same for the config of a family that has a design.
 *
 * @param reads Keys that the design reads.
 * @param positions Prefix of the family's keys about positions: `attn_config.`.
 * @throws MoecError MOE5121.
 */
export function refuseOtherConfig(config: Record<string, unknown>, reads: readonly MathKey[], positions = ""): void {
  refuseValues(config, DESIGN_VALUES, reads);
  if (!reads.includes("partial_rotary_factor")) onlyWholeHeads((key) => lookUp(config, key), positions);
  if (!reads.includes("layer_types")) refuseLayerTypes(config);
  const { sliding_window: window, use_sliding_window: isUsed, max_position_embeddings: context } = config;
  if (reads.includes("sliding_window") || isUsed === false || typeof window !== "number") return;
  if (typeof context === "number" && window >= context) return;
  throw unsupportedConfig("sliding_window", String(window), "Only models without it are supported.");
}

function refuseMetadata(config: FamilyConfig, metadata: Metadata): void {
  const { architecture } = FAMILIES[config.family];
  for (const [name, allowed] of Object.entries(ggufValues(config))) {
    const key = `${architecture}.${name}`;
    const entry = metadata.get(key);
    if (entry === undefined || allowed.length === 0) continue;
    const value = entry.type === "array" ? "a list" : entry.value;
    if (!allowed.some((one) => one === value || Number(one) === Number(value))) {
      throw unsupportedConfig(key, String(value), `Supported: ${allowed.join(", ")}.`);
    }
  }
}

function refuseValues(
  config: Record<string, unknown>,
  values: Readonly<Record<string, readonly unknown[]>>,
  reads: readonly string[],
): void {
  for (const [key, allowed] of Object.entries(values)) {
    const value = lookUp(config, key) ?? undefined;
    if (value === undefined || allowed.includes(value) || reads.includes(key)) continue;
    const supported =
      allowed.length === 0 ? "Only models without it are supported." : `Supported: ${allowed.join(", ")}.`;
    throw unsupportedConfig(key, JSON.stringify(value).slice(0, 60), supported);
  }
}

function refuseLayerTypes(config: Record<string, unknown>): void {
  const { layer_types: kinds } = config;
  const other: unknown = Array.isArray(kinds) ? kinds.find((kind) => kind !== "full_attention") : undefined;
  // A window that all layers share is in `sliding_window`.
  if (
    other !== undefined &&
    !(other === "sliding_attention" && kinds instanceof Array && kinds.every((k) => k === other))
  ) {
    throw unsupportedConfig(
      "layer_types",
      String(JSON.stringify(other)),
      "Supported: the same attention in all layers.",
    );
  }
}

/**
 * Refuses tensors that no parameter of the spec reads: whatever they are for would be missing.
 *
 * @throws MoecError MOE5124.
 */
export function refuseUnusedTensors(config: FamilyConfig, unused: readonly string[]): void {
  // Some writers store the output projection although it is the embedding table.
  const rest = unused.filter((name) => !(config.tied && name === OUTPUT_TENSOR));
  if (rest.length > 0) throw unknownTensors(config.family, rest);
}
