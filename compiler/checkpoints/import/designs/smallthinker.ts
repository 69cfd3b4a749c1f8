/** SmallThinker: the router reads the layer's input, before attention; ReLU experts; windows with positions. */
import { indent, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import { unsupportedConfig } from "../../errors.js";
import {
  attentionBlock,
  attentionTensors,
  decoderMembers,
  decoderSizes,
  gatedTensors,
  isTied,
  layerTensors,
  outerTensors,
  range,
  stackOf,
} from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily } from "./types.js";

function design(fields: Fields): Design {
  const { L, D, H, V } = decoderSizes(fields);
  const G = fields.size("num_key_value_heads", "attention.head_count_kv");
  const C = fields.size("head_dim", "attention.key_length");
  const E = fields.size("moe_num_primary_experts", "expert_count");
  const k = fields.size("moe_num_active_primary_experts", "expert_used_count");
  const F = fields.size("moe_ffn_hidden_size", "feed_forward_length");
  const eps = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6));
  const isSoftmax = fields.isGguf
    ? fields.number(undefined, "expert_gating_func", 2) === 1
    : fields.flag("moe_primary_router_apply_softmax", false);
  fields.only("norm_topk_prob", undefined, [true]);
  fields.only("hidden_act", undefined, ["relu"]);
  const width = fields.count("sliding_window_size", "attention.sliding_window", 0);
  const near =
    fields.list("sliding_window_layout") ??
    (width > 0 && fields.isGguf ? range(0, L).map((layer) => Number(layer % 4 !== 0)) : range(0, L).map(() => 0));
  const turned = fields.list("rope_layout") ?? (width > 0 && fields.isGguf ? near : range(0, L).map(() => 1));
  const local = range(0, L).filter((layer) => turned[layer] === 1);
  if (width > 0 && range(0, L).some((layer) => near[layer] !== turned[layer]) && near.includes(1)) {
    throw unsupportedConfig(
      "rope_layout",
      JSON.stringify(turned).slice(0, 40),
      "Windows and positions must be in the same layers.",
    );
  }
  const windowed = near.includes(1);
  const rotary = onlyPlainRotary(fields, fields.theta(10_000));
  const tied = isTied(fields, false);
  const axes = ["D", "H", "G", "C", "F", "E"];
  const scores = isSoftmax ? "softmax(x @ w, over: E)" : "sigmoid(x @ w)";
  const layer = (name: string, doc: string, attn: string): string => `/// ${doc}
block ${name}[${axes.join(", ")}](k: int) {
${indent(`use route = ChosenFirst[D, E](k)
use norm1 = RMSNorm[D](epsilon: ${eps})
use attn = ${attn}
use norm2 = RMSNorm[D](epsilon: ${eps})
use experts = E of ReGLU[D, F]
(x: [T, D]) => {
  let r = route(x)
  let h = x + attn(norm1(x))
  h + mixture(norm2(h), r, experts)
}`)}
}`;
  const mask = windowed ? `Causal & Window(${width})` : "Causal";
  const hasWide = local.length < L;
  const use = (name: string): string => made(name, axes, ["k"]);
  const kinds = [
    { layers: local, use: use("NearLayer") },
    { layers: range(0, L).filter((number) => !local.includes(number)), use: use("WideLayer") },
  ];
  const stack = stackOf(hasWide ? kinds : kinds.slice(0, 1), L);
  const t = layerTensors(fields);
  return {
    title: "SmallThinker",
    paper: "Song et al. 2025, arXiv:2507.20984",
    imports: ["Causal", "ReGLU", "RMSNorm", ...(local.length > 0 ? ["rope"] : []), ...(windowed ? ["Window"] : [])],
    declarations: [
      `/// The router of a layer reads what comes into the layer, so the experts are known before attention runs.
router ChosenFirst[D, E](k: int) {
  param w: [D, E]
  (x: [D]) => choose(${scores}, top: k, renormalize: true)
}`,
      attentionBlock({ name: "NearAttention", doc: "Attention with positions.", rotary }),
      ...(hasWide
        ? [attentionBlock({ name: "WideAttention", doc: "Attention over everything before, without positions." })]
        : []),
      layer(
        "NearLayer",
        "A layer whose attention has positions.",
        made("NearAttention", ["D", "H", "G", "C"], [`mask: ${mask}`, rotary.argument]),
      ),
      ...(hasWide
        ? [
            layer(
              "WideLayer",
              "A layer whose attention sees everything before, without positions.",
              "WideAttention[D, H, G, C](mask: Causal)",
            ),
          ]
        : []),
    ],
    axes: { V, L, D, H, G, C, F, E },
    k,
    members: decoderMembers(tied, rotary, stack, `RMSNorm[D](epsilon: ${eps})`),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn" }),
      t("route.w", "block_sparse_moe.primary_router.weight", "ffn_gate_inp.weight", ["E", "D"]),
      ...gatedTensors(
        fields,
        "experts",
        ["block_sparse_moe.experts.{e}.gate", "block_sparse_moe.experts.{e}.up", "block_sparse_moe.experts.{e}.down"],
        "F",
      ),
    ],
    context: fields.size("max_position_embeddings", "context_length", 32_768),
  };
}

export const smallthinker: DesignedFamily = {
  name: "smallthinker",
  modelTypes: ["smallthinker"],
  architecture: "smallthinker",
  reads: ["hidden_act"],
  design,
};
