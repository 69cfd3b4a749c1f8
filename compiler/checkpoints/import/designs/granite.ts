/** Granite 3 with experts: multipliers on the embedding, the scores, the residual steps and the logits. */
import { lines, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
  attentionBlock,
  attentionTensors,
  type GatedNames,
  gatedTensors,
  isTied,
  JOINED_SWIGLU,
  layerBlock,
  layerTensors,
  mixtralSizes,
  outerTensors,
} from "./parts.js";
import { rotaryOf } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

function design(fields: Fields): Design {
  const { L, D, H, G, C, V, E, k, F } = mixtralSizes(fields);
  const S = fields.count("shared_intermediate_size", "expert_shared_feed_forward_length", 0);
  fields.only("attention_bias", undefined, [false]);
  const epsilon = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6));
  const embedding = fields.number("embedding_multiplier", "embedding_scale", 1) || 1;
  const scores = fields.number("attention_multiplier", "attention.scale", 0);
  const residual = fields.number("residual_multiplier", "residual_scale", 1) || 1;
  const logits = fields.number("logits_scaling", "logit_scale", 1) || 1;
  const tied = isTied(fields, false);
  const rotary = rotaryOf(fields, {
    theta: fields.theta(10_000),
    width: C,
    axis: "C",
  });
  const norm = `RMSNorm[D](epsilon: ${epsilon})`;
  const expert = fields.isGguf ? "SwiGLU" : "JoinedSwiGLU";
  const axes = ["D", "H", "G", "C", "F", "E", ...(S > 0 ? ["S"] : [])];
  const times = residual === 1 ? "" : ` * ${numberText(residual)}`;
  const layer = layerBlock(
    "Layer",
    "A layer; both steps are scaled before they are added.",
    axes,
    ["k: int", ...(rotary.member ? [rotary.parameter] : [])],
    {
      norm,
      attn: made("ScaledAttention", ["D", "H", "G", "C"], ["mask: Causal", rotary.argument]),
      network: [
        "use route = TopK[D, E](k, renormalize: true)",
        `use experts = E of ${expert}[D, F]`,
        ...(S > 0 ? [`use shared = ${expert}[D, S]`] : []),
      ],
      step: `x + attn(norm1(x))${times}`,
      result: `h + mixture(z, route, experts${S > 0 ? ", shared: shared" : ""})${times}`,
    },
  );
  const t = layerTensors(fields);
  // GGUF keeps gate and up apart, under names of its own.
  const apart: GatedNames = ["", "", ""];
  const experts: readonly StoredTensor[] = fields.isGguf
    ? [...gatedTensors(fields, "experts", apart, "F"), ...(S > 0 ? gatedTensors(fields, "shared", apart, "S") : [])]
    : [
        t("experts.gate_up", "block_sparse_moe.input_linear.weight", "", ["E", "Z", "F", "D"]),
        t("experts.down", "block_sparse_moe.output_linear.weight", "", ["E", "D", "F"]),
        ...(S > 0
          ? [
              t("shared.gate_up", "shared_mlp.input_linear.weight", "", ["Z", "F=S", "D"]),
              t("shared.down", "shared_mlp.output_linear.weight", "", ["D", "F=S"]),
            ]
          : []),
      ];
  const start = embedding === 1 ? "tok[V: tokens]" : `tok[V: tokens] * ${numberText(embedding)}`;
  const end = logits === 1 ? "" : ` / ${numberText(logits)}`;
  return {
    title: "Granite 3 MoE",
    paper: "IBM Granite team 2024",
    imports: ["Causal", "RMSNorm", "TopK", ...(fields.isGguf ? ["SwiGLU"] : []), ...rotary.imports],
    declarations: [
      ...rotary.declarations,
      attentionBlock({
        name: "ScaledAttention",
        doc: "Attention whose scores are multiplied by a number of the config.",
        rotary,
        ...(scores > 0 ? { scale: numberText(scores) } : {}),
      }),
      ...(fields.isGguf ? [] : [JOINED_SWIGLU]),
      layer,
    ],
    axes: { V, L, D, H, G, C, F, E, ...(S > 0 ? { S } : {}) },
    inner: { Z: 2 },
    k,
    members: lines(
      "param tok: [V, D]",
      !tied && "param output: [V, D]",
      rotary.member,
      `stack layers = L of ${made("Layer", axes, ["k", ...(rotary.member ? [rotary.argument] : [])])}`,
      `use norm = ${norm}`,
      `forward(tokens: int[T]) -> f32[T, V] => norm(layers(${start})) @ ${tied ? "tok" : "output"}${end}`,
    ),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn", interleaved: true }),
      t("route.w", "block_sparse_moe.router.layer.weight", "ffn_gate_inp.weight", ["E", "D"]),
      ...experts,
    ],
    context: fields.size("max_position_embeddings", "context_length", 4096),
  };
}

export const granite: DesignedFamily = {
  name: "granite-moe",
  modelTypes: ["granitemoe", "granitemoeshared"],
  architecture: "granitemoe",
  reads: ["embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling"],
  design,
};
