/** The `weights` block of a spec: where each of its parameters lies in the checkpoint, and in which axis order. */
import { FAMILIES } from "../families/detect.js";
import type { FamilyConfig, TensorRule } from "../families/types.js";
import { stringText } from "./text.js";

/** A parameter of the spec: its path and the axes in which checkpoints store it (outermost first). */
interface Parameter {
  readonly path: string;
  /** Absent where the stored order is the spec's. */
  readonly axes?: string;
}

/** Parameters of the decoders by moec's tensor keys, without `layers.{layer}.`. */
const DECODER: Readonly<Record<string, Parameter>> = {
  embed: { path: "tok" },
  norm: { path: "norm.weight" },
  output: { path: "output", axes: "V, D" },
  rope_factors: { path: "rotary.factors" },
  attention_norm: { path: "norm1.weight" },
  ffn_norm: { path: "norm2.weight" },
  query: { path: "attn.q", axes: "H, C, D" },
  query_bias: { path: "attn.q_bias", axes: "H, C" },
  key: { path: "attn.k", axes: "G, C, D" },
  key_bias: { path: "attn.k_bias", axes: "G, C" },
  value: { path: "attn.v", axes: "G, C, D" },
  value_bias: { path: "attn.v_bias", axes: "G, C" },
  attention_output: { path: "attn.o", axes: "D, H, C" },
  attention_output_bias: { path: "attn.o_bias" },
  query_norm: { path: "attn.q_norm.weight" },
  key_norm: { path: "attn.k_norm.weight" },
  gate: { path: "ffn.gate", axes: "F, D" },
  up: { path: "ffn.up", axes: "F, D" },
  down: { path: "ffn.down", axes: "D, F" },
  router: { path: "moe.route.w", axes: "E, D" },
  "experts.gate": { path: "moe.experts.gate", axes: "E, F, D" },
  "experts.up": { path: "moe.experts.up", axes: "E, F, D" },
  "experts.down": { path: "moe.experts.down", axes: "E, D, F" },
  "shared.gate": { path: "moe.shared.gate", axes: "F, D" },
  "shared.up": { path: "moe.shared.up", axes: "F, D" },
  "shared.down": { path: "moe.shared.down", axes: "D, F" },
  "shared.scale": { path: "moe.scale" },
};

/** Parameters of the encoder. */
const ENCODER: Readonly<Record<string, Parameter>> = {
  embed: { path: "tok" },
  position_embed: { path: "positions" },
  type_embed: { path: "types" },
  embed_norm: { path: "norm.weight" },
  embed_norm_bias: { path: "norm.bias" },
  query: { path: "attn.q", axes: "H, C, D" },
  query_bias: { path: "attn.q_bias", axes: "H, C" },
  key: { path: "attn.k", axes: "H, C, D" },
  key_bias: { path: "attn.k_bias", axes: "H, C" },
  value: { path: "attn.v", axes: "H, C, D" },
  value_bias: { path: "attn.v_bias", axes: "H, C" },
  attention_output: { path: "attn.o", axes: "D, H, C" },
  attention_output_bias: { path: "attn.o_bias" },
  attention_norm: { path: "norm1.weight" },
  attention_norm_bias: { path: "norm1.bias" },
  up: { path: "ffn.up", axes: "F, D" },
  up_bias: { path: "ffn.up_bias" },
  down: { path: "ffn.down", axes: "D, F" },
  down_bias: { path: "ffn.down_bias" },
  ffn_norm: { path: "norm2.weight" },
  ffn_norm_bias: { path: "norm2.bias" },
};

const LAYER = "layers.{layer}.";

/**
 * The `weights` block for one format.
 *
 * @param prefix what the Hugging Face names of this file begin with.
 */
export function weightsBlock(config: FamilyConfig, format: "gguf" | "safetensors", prefix: string): string {
  const rules = FAMILIES[config.family].tensors.filter((rule) => isPresent(rule, config));
  const entries = rules.map((rule) => `  ${entry(rule, config, format, prefix)}`);
  return `weights ${format} {\n${entries.join("\n")}\n}`;
}

/** Whether the model has it, in any layer. */
function isPresent(rule: TensorRule, config: FamilyConfig): boolean {
  if (rule.when === undefined) return true;
  if (!rule.key.includes("{layer}")) return rule.when(config, 0);
  return Array.from({ length: config.layers }, (_, layer) => layer).some((layer) => rule.when!(config, layer));
}

function entry(rule: TensorRule, config: FamilyConfig, format: "gguf" | "safetensors", prefix: string): string {
  const inLayer = rule.key.startsWith(LAYER);
  const key = inLayer ? rule.key.slice(LAYER.length) : rule.key;
  const parameter = (config.family === "bert" ? ENCODER : DECODER)[key]!;
  const path = inLayer ? `layers[i].${parameter.path}` : parameter.path;
  const perExpert = format === "safetensors" && rule.hf.includes("{expert}");
  const pattern = (format === "gguf" ? rule.gguf : rule.hf)
    .replace("{prefix}", prefix)
    .replace("{layer}", "{i}")
    .replace("{expert}", "{e}");
  // Hugging Face files have a tensor for each expert, so the expert axis is in the name.
  const axes = perExpert ? parameter.axes?.replace("E, ", "") : parameter.axes;
  const source = `${stringText(pattern)}${axes === undefined ? "" : `[${axes}]`}`;
  const isInterleaved = format === "gguf" && rule.interleavedHeads !== undefined;
  return `${path}: ${isInterleaved ? `interleaved(${source})` : source}`;
}
