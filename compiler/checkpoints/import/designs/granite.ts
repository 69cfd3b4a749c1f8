/** Granite 3 with experts: multipliers on the embedding, the scores, the residual steps and the logits. */
import { lines, numberText } from "../text.js";
import type { Fields } from "./fields.js";
import {
  attentionBlock,
  attentionTensors,
  isTied,
  layerBlock,
  layerTensor,
  made,
  outerTensors,
  rotaryOf,
} from "./parts.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

/** Gate and up in one matrix, all gates first. */
const FUSED = `/// SwiGLU whose gate and up are one matrix, gates first.
expert JoinedSwiGLU[D, F] {
  param gate_up: [D, Z = 2, F]
  param down: [F, D]
  (x: [D]) => {
    let both = x @ gate_up
    (silu(both[Z: 0]) * both[Z: 1]) @ down
  }
}`;

function design(fields: Fields): Design {
  const L = fields.size("num_hidden_layers", "block_count");
  const D = fields.size("hidden_size", "embedding_length");
  const H = fields.size("num_attention_heads", "attention.head_count");
  const G = fields.size("num_key_value_heads", "attention.head_count_kv", H);
  const C = D / H;
  const V = fields.rows("token_embd.weight") ?? fields.size("vocab_size", "vocab_size");
  const E = fields.size("num_local_experts", "expert_count");
  const k = fields.size("num_experts_per_tok", "expert_used_count");
  const F = fields.size("intermediate_size", "feed_forward_length");
  const S = fields.count("shared_intermediate_size", "expert_shared_feed_forward_length", 0);
  fields.only("attention_bias", undefined, [false]);
  const epsilon = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6));
  const embedding = fields.number("embedding_multiplier", "embedding_scale", 1) || 1;
  const scores = fields.number("attention_multiplier", "attention.scale", 0);
  const residual = fields.number("residual_multiplier", "residual_scale", 1) || 1;
  const logits = fields.number("logits_scaling", "logit_scale", 1) || 1;
  const tied = isTied(fields, false);
  const rotary = rotaryOf(fields, {
    theta: fields.number("rope_theta", "rope.freq_base", 10_000),
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
  const t = (path: string, hf: string, gguf: string, own: readonly string[]): StoredTensor =>
    layerTensor(fields, path, hf, gguf, own);
  const experts: readonly StoredTensor[] = fields.isGguf
    ? [
        t("experts.gate", "", "ffn_gate_exps.weight", ["E", "F", "D"]),
        t("experts.up", "", "ffn_up_exps.weight", ["E", "F", "D"]),
        t("experts.down", "", "ffn_down_exps.weight", ["E", "D", "F"]),
        ...(S > 0
          ? [
              t("shared.gate", "", "ffn_gate_shexp.weight", ["F=S", "D"]),
              t("shared.up", "", "ffn_up_shexp.weight", ["F=S", "D"]),
              t("shared.down", "", "ffn_down_shexp.weight", ["D", "F=S"]),
            ]
          : []),
      ]
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
      ...(fields.isGguf ? [] : [FUSED]),
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
  design,
};
