/** GPT-OSS: sinks in attention, windows in every other layer, clamped experts with biases. */
import { numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import { unsupportedConfig } from "../../errors.js";
import {
  attentionBlock,
  attentionTensors,
  decoderMembers,
  decoderSizes,
  isTied,
  layerBlock,
  layerTensors,
  outerTensors,
  range,
  stackOf,
} from "./parts.js";
import { rotaryOf } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

const ROUTER = `/// The k best logits, weighted by a softmax over them alone.
router ChosenTopK[D, E](k: int) {
  param w: [D, E]
  param bias: [E]
  (x: [D]) => choose(softmax(x @ w + bias, over: E), top: k, renormalize: true)
}`;

/** Gate and up as Hugging Face stores them: in turn along the last axis. */
const fusedSwiGlu = (
  limit: string,
): string => `/// SwiGLU with clamps and biases, gate and up in one matrix: g = min(gate, 7), u = clamp(up, -7, 7),
/// (g sigmoid(1.702 g) (u + 1)) down.
expert FusedSwiGLU[D, F](alpha: float = 1.702, limit: float = ${limit}) {
  param gate_up: [D, F, Z = 2]
  param gate_up_bias: [F, Z = 2]
  param down: [F, D]
  param down_bias: [D]
  (x: [D]) => {
    let both = x @ gate_up + gate_up_bias
    let g = min(both[Z: 0], limit)
    let u = clamp(both[Z: 1], -limit, limit)
    (g * sigmoid(alpha * g) * (u + 1)) @ down + down_bias
  }
}`;

function windows(fields: Fields, layers: number): readonly number[] {
  const kinds = fields.list("layer_types");
  if (!kinds) return range(0, layers).filter((layer) => layer % 2 === 0);
  kinds.forEach((kind) => {
    if (kind !== "sliding_attention" && kind !== "full_attention") {
      throw unsupportedConfig(
        "layer_types",
        String(JSON.stringify(kind)),
        "Supported: sliding_attention, full_attention.",
      );
    }
  });
  return range(0, layers).filter((layer) => kinds[layer] === "sliding_attention");
}

function design(fields: Fields): Design {
  const { L, D, H, V } = decoderSizes(fields);
  const G = fields.size("num_key_value_heads", "attention.head_count_kv");
  const C = fields.size("head_dim", "attention.key_length");
  const E = fields.size("num_local_experts", "expert_count");
  const k = fields.size("num_experts_per_tok", "expert_used_count");
  const F = fields.size("intermediate_size", "expert_feed_forward_length");
  const width = fields.size("sliding_window", "attention.sliding_window");
  const limit = numberText(fields.positive("swiglu_limit", undefined, 7));
  const epsilon = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-5));
  const theta = fields.theta(150_000);
  const rotary = rotaryOf(fields, {
    theta,
    width: C,
    truncate: fields.flag("rope_scaling.truncate", fields.flag("rope_parameters.truncate", false)),
    axis: "C",
  });
  const tied = isTied(fields, false);
  const near = windows(fields, L);
  const norm = `RMSNorm[D](epsilon: ${epsilon})`;
  const expert = fields.isGguf ? "ClampedSwiGLU[D, F]" : "FusedSwiGLU[D, F]";
  const layer = layerBlock(
    "Layer",
    "A layer: attention under a mask, then experts, each behind a norm.",
    ["D", "H", "G", "C", "F", "E"],
    ["k: int", "mask: mask", rotary.parameter],
    {
      norm,
      attn: made("SinkAttention", ["D", "H", "G", "C"], ["mask: mask", rotary.name]),
      network: ["use route = ChosenTopK[D, E](k)", `use experts = E of ${expert}`],
      result: "h + mixture(z, route, experts)",
    },
  );
  const use = (mask: string): string =>
    made("Layer", ["D", "H", "G", "C", "F", "E"], ["k", `mask: ${mask}`, rotary.argument]);
  const kinds = [
    { layers: near, use: use(`Causal & Window(${width})`) },
    { layers: range(0, L).filter((number) => !near.includes(number)), use: use("Causal") },
  ];
  const stack = stackOf(
    kinds.filter(({ layers }) => layers.length > 0),
    L,
  );
  const t = layerTensors(fields);
  const experts: readonly StoredTensor[] = fields.isGguf
    ? [
        t("experts.gate", "", "ffn_gate_exps.weight", ["E", "F", "D"]),
        t("experts.gate_bias", "", "ffn_gate_exps.bias", ["E", "F"]),
        t("experts.up", "", "ffn_up_exps.weight", ["E", "F", "D"]),
        t("experts.up_bias", "", "ffn_up_exps.bias", ["E", "F"]),
        t("experts.down", "", "ffn_down_exps.weight", ["E", "D", "F"]),
        t("experts.down_bias", "", "ffn_down_exps.bias", ["E", "D"]),
      ]
    : [
        t("experts.gate_up", "mlp.experts.gate_up_proj", "", ["E", "D", "F", "Z"]),
        t("experts.gate_up_bias", "mlp.experts.gate_up_proj_bias", "", ["E", "F", "Z"]),
        t("experts.down", "mlp.experts.down_proj", "", ["E", "F", "D"]),
        t("experts.down_bias", "mlp.experts.down_proj_bias", "", ["E", "D"]),
      ];
  return {
    title: "GPT-OSS",
    paper: "OpenAI 2025, arXiv:2508.10925",
    imports: [
      "Causal",
      "RMSNorm",
      ...(near.length > 0 ? ["Window"] : []),
      ...(fields.isGguf ? ["ClampedSwiGLU"] : []),
      ...rotary.imports,
    ],
    declarations: [
      ...rotary.declarations,
      attentionBlock({
        name: "SinkAttention",
        doc: "Attention with biases and a sink for each head: a logit that joins the softmax and carries nothing.",
        bias: true,
        outputBias: true,
        rotary,
        sinks: true,
      }),
      ROUTER,
      ...(fields.isGguf ? [] : [fusedSwiGlu(limit)]),
      layer,
    ],
    axes: { V, L, D, H, G, C, F, E },
    inner: { Z: 2 },
    k,
    members: decoderMembers(tied, rotary, stack, norm),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", "post_attention_norm.weight", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn", bias: true, outputBias: true }),
      t("attn.sinks", "self_attn.sinks", "attn_sinks.weight", ["H"]),
      t("route.w", "mlp.router.weight", "ffn_gate_inp.weight", ["E", "D"]),
      t("route.bias", "mlp.router.bias", "ffn_gate_inp.bias", ["E"]),
      ...experts,
    ],
    context: fields.size("max_position_embeddings", "context_length", 131_072),
  };
}

export const gptOss: DesignedFamily = {
  name: "gpt-oss",
  modelTypes: ["gpt_oss"],
  architecture: "gpt-oss",
  reads: ["layer_types", "sliding_window"],
  design,
};
