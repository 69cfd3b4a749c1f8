/** GLM-4.5: DeepSeek-V3's routing without groups, positions on half of each head. */
import { numberText } from "../text.js";
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
  laterLayers,
  layerBlock,
  layerTensors,
  outerTensors,
  projections,
  range,
  stackOf,
} from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily } from "./types.js";

function design(fields: Fields): Design {
  const { L: stored, D, H, V } = decoderSizes(fields);
  const L = stored - fields.count(undefined, "nextn_predict_layers", 0);
  const G = fields.size("num_key_value_heads", "attention.head_count_kv");
  const C = fields.size("head_dim", "attention.key_length");
  const E = fields.size("n_routed_experts", "expert_count");
  const k = fields.size("num_experts_per_tok", "expert_used_count");
  const F = fields.size("moe_intermediate_size", "expert_feed_forward_length");
  const shared = fields.size("n_shared_experts", "expert_shared_count", 1);
  const firstDense = Math.min(L, fields.count("first_k_dense_replace", "leading_dense_block_count", 0));
  const I = fields.size("intermediate_size", "feed_forward_length");
  const scale = numberText(fields.number("routed_scaling_factor", "expert_weights_scale", 1) || 1);
  const turned = fields.isGguf ? fields.size(undefined, "rope.dimension_count") : C * fields.turnedPart(0.5);
  if (C % 4 !== 0 || (turned !== C && turned * 2 !== C))
    throw unsupportedConfig(
      "partial_rotary_factor",
      String(turned / C),
      "Supported: 0.5 and 1, of heads whose width is a multiple of 4.",
    );
  fields.only("n_group", "expert_group_count", [0, 1]);
  fields.only("norm_topk_prob", "expert_weights_norm", [true]);
  fields.only(undefined, "expert_gating_func", [2]);
  const bias = fields.isGguf ? fields.has("blk.0.attn_q.bias") : fields.flag("attention_bias", false);
  const headNorm = fields.isGguf ? fields.has("blk.0.attn_q_norm.weight") : fields.flag("use_qk_norm", false);
  const eps = fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-5);
  const rotary = onlyPlainRotary(fields, fields.theta(10_000));
  const tied = isTied(fields, false);
  const norm = `RMSNorm[D](epsilon: ${numberText(eps)})`;
  const heads = ["D", "H", "G", "C"];
  const attn = made("PartlyTurned", heads, ["mask: Causal", rotary.argument]);
  const part = `/// The first half of a head's channels turns with the position, the second half does not.
fn turn_half[C](x: [T, C], theta: float) => {
  let parts = split(x, C -> [Z = 2, Y = 2, P])
  let a = parts[Z: 0][Y: 0]
  let b = parts[Z: 0][Y: 1]
  let angle = position(T) * theta ** (-4 * index(P) / C)
  let first = a * cos(angle) - b * sin(angle)
  let second = b * cos(angle) + a * sin(angle)
  let rest = concat(parts[Z: 1][Y: 0], parts[Z: 1][Y: 1], over: P)
  concat(concat(first, second, over: P), rest, over: P)[P -> C]
}`;
  const dense = layerBlock("DenseLayer", "A layer without experts.", [...heads, "I"], [], {
    norm,
    attn,
    network: ["use ffn = SwiGLU[D, I]"],
    result: "h + ffn(z)",
  });
  const sparse = layerBlock(
    "SparseLayer",
    "A layer with routed experts beside one that every token passes.",
    [...heads, "F", "E", "S"],
    ["k: int"],
    {
      norm,
      attn,
      network: [
        `use route = BiasedSigmoid[D, E](k, epsilon: 1e-20, scale: ${scale})`,
        "use experts = E of SwiGLU[D, F]",
        "use shared = SwiGLU[D, S]",
      ],
      result: "h + mixture(z, route, experts, shared: shared)",
    },
  );
  const later = range(firstDense, L);
  const kinds = [
    { layers: range(0, firstDense), use: made("DenseLayer", [...heads, "I"], []) },
    { layers: later, use: made("SparseLayer", [...heads, "F", "E", "S"], ["k"]) },
  ];
  const stack = stackOf(firstDense > 0 ? kinds : kinds.slice(1), L);
  const t = layerTensors(fields);
  const turn = turned === C ? rotary.turn : (value: string): string => `turn_half(${value}, theta)`;
  return {
    title: "GLM-4.5",
    paper: "Zeng et al. 2025, arXiv:2508.06471",
    imports: ["BiasedSigmoid", "Causal", "RMSNorm", ...(turned === C ? ["rope"] : []), "SwiGLU"],
    declarations: [
      ...(turned === C ? [] : [part]),
      attentionBlock({
        name: "PartlyTurned",
        doc: "Attention of H heads on G groups of keys and values, with positions on a part of each head.",
        bias,
        rotary,
        turn,
        ...(headNorm ? { headNorm: eps } : {}),
      }),
      ...(firstDense > 0 ? [dense] : []),
      sparse,
    ],
    axes: { V, L, D, H, G, C, ...(firstDense > 0 ? { I } : {}), F, E, S: shared * F },
    k,
    members: decoderMembers(tied, rotary, stack, norm),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", "post_attention_norm.weight", ["D"]),
      ...attentionTensors(fields, {
        hf: "self_attn",
        bias,
        ...(headNorm ? { headNorm: ["q_norm", "k_norm"] as const } : {}),
      }),
      ...(firstDense > 0 ? gatedTensors(fields, "ffn", projections("mlp"), "I", range(0, firstDense)) : []),
      t("route.w", "mlp.gate.weight", "ffn_gate_inp.weight", ["E", "D"], later),
      t("route.bias", "mlp.gate.e_score_correction_bias", "exp_probs_b.bias", ["E"], later),
      ...gatedTensors(fields, "experts", projections("mlp.experts.{e}"), "F", later),
      ...gatedTensors(fields, "shared", projections("mlp.shared_experts"), "S", later),
    ],
    context: fields.size("max_position_embeddings", "context_length", 131_072),
    ignored: laterLayers(L),
  };
}

export const glm4: DesignedFamily = {
  name: "glm4-moe",
  modelTypes: ["glm4_moe"],
  architecture: "glm4moe",
  reads: ["partial_rotary_factor"],
  design,
};
