/** Phi-3.5-MoE: SparseMixer, layer norms and biases everywhere. */
import { unsupportedConfig } from "../../errors.js";
import { positionKeys, saidOnce } from "../../families/positions.js";
import { numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
  attentionBlock,
  attentionTensors,
  gatedTensors,
  layerBlock,
  layerTensors,
  mixtralSizes,
  numbered,
  outerTensors,
  OWN_HEAD,
} from "./parts.js";
import { plainRotary, readScaling, type Rotary } from "./rotary.js";
import type { Design, DesignedFamily } from "./types.js";

/**
 * The release scales sine and cosine by `short_mscale` and divides frequencies by `short_factor` (all 1) up to the trained
 * context, and by other numbers beyond. Both cannot hold in one text of growing length, so the trained context is the bound.
 */
function rotary(fields: Fields, theta: number): { readonly rotary: Rotary; readonly context: number | undefined } {
  const { kind, key, number, positive } = readScaling(fields);
  if (kind === "none") return { rotary: plainRotary(theta), context: undefined };
  if (kind !== "longrope") throw unsupportedConfig(key, kind, "Supported for this family: default, longrope.");
  const factors = fields.list(`${key}.short_factor`) ?? [];
  if (!factors.every((factor) => factor === 1)) {
    throw unsupportedConfig(
      `${key}.short_factor`,
      JSON.stringify(factors).slice(0, 40),
      "Only factors of 1 are supported.",
    );
  }
  const size = positive("short_mscale", "attn_factor", 1);
  // Newer files have it beside the rest of the config.
  const outer = saidOnce((name) => fields.value(name), positionKeys("original_max_position_embeddings"))?.value;
  const context = number("original_max_position_embeddings", "original_context_length", outer);
  const plain = plainRotary(theta);
  return { rotary: { ...plain, turn: (value) => `(rope(${value}, theta) * ${numberText(size)})` }, context };
}

function design(fields: Fields): Design {
  const { L, D, H, G, C, V, E, k, F } = mixtralSizes(fields);
  const bias = fields.flag("attention_bias", false, fields.has("blk.0.attn_q.bias"));
  const headBias = fields.flag("lm_head_bias", false, fields.has("output.bias"));
  const jitter = fields.number("router_jitter_noise", undefined, 0.01);
  fields.only("tie_word_embeddings", undefined, [false]);
  fields.only("sliding_window", undefined, [
    fields.optional("max_position_embeddings", undefined),
    131_072,
    262_144,
    2047,
  ]);
  const epsilon = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-5));
  const { rotary: turns, context } = rotary(fields, fields.theta(10_000));
  const norm = `LayerNorm[D](epsilon: ${epsilon})`;
  const axes = ["D", "H", "G", "C", "F", "E"];
  const layer = layerBlock(
    "Layer",
    "A layer: attention, then two experts of which each has a weight of its own round.",
    axes,
    ["k: int"],
    {
      norm,
      attn: made("BiasedAttention", ["D", "H", "G", "C"], ["mask: Causal", turns.argument]),
      network: [`use route = SparseMixer[D, E](k, jitter: ${numberText(jitter)})`, "use experts = E of SwiGLU[D, F]"],
      result: "h + mixture(z, route, experts)",
    },
  );
  const t = layerTensors(fields);
  return {
    title: "Phi-3.5-MoE",
    paper: "Abdin et al. 2024, arXiv:2404.14219; Liu et al. 2024, arXiv:2409.12136",
    imports: ["Causal", "LayerNorm", "SparseMixer", "SwiGLU", ...turns.imports],
    declarations: [
      attentionBlock({
        name: "BiasedAttention",
        doc: "Attention with biases on every projection.",
        bias,
        outputBias: bias,
        rotary: turns,
      }),
      layer,
    ],
    axes: { V, L, D, H, G, C, F, E },
    k,
    head: OWN_HEAD,
    members: `param tok: [V, D]
param output: [V, D]
${headBias ? "param output_bias: [V]\n" : ""}stack layers = L of ${made("Layer", axes, ["k"])}
use norm = ${norm}
forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ output${headBias ? " + output_bias" : ""}`,
    tensors: [
      ...outerTensors(fields, false),
      { path: "norm.bias", name: fields.name("model.norm.bias", "output_norm.bias"), axes: ["D"] },
      ...(headBias ? [{ path: "output_bias", name: fields.name("lm_head.bias", "output.bias"), axes: ["V"] }] : []),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm1.bias", "input_layernorm.bias", "attn_norm.bias", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", ["D"]),
      t("norm2.bias", "post_attention_layernorm.bias", "ffn_norm.bias", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn", bias, outputBias: bias }),
      t("route.w", "block_sparse_moe.gate.weight", "ffn_gate_inp.weight", ["E", "D"]),
      ...gatedTensors(fields, "experts", numbered("block_sparse_moe.experts.{e}"), "F"),
    ],
    context: Math.min(fields.size("max_position_embeddings", "context_length", 4096), context ?? Infinity),
    ignored: /^rope_factors_(long|short)\.weight$/,
    notes:
      context === undefined
        ? []
        : [`Positions are those of texts of up to ${context} tokens; longer ones would need the release's second set.`],
  };
}

export const phimoe: DesignedFamily = {
  name: "phimoe",
  modelTypes: ["phimoe"],
  architecture: "phimoe",
  reads: ["sliding_window"],
  design,
};
