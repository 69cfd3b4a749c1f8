/** DeepSeek-V2 and V3: multi-head latent attention, groups of experts, shared experts. */
import { unsupportedConfig } from "../../errors.js";
import { lines, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
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
import { rotaryOf } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

/** How experts are chosen: V2 by softmax, of the best groups by their maximum; V3 by sigmoid with a bias. */
function router(
  fields: Fields,
  experts: number,
): { readonly text: string; readonly name: string; readonly bias: boolean } {
  const method = fields.text("topk_method", undefined);
  const gate = fields.optional(undefined, "expert_gating_func");
  const isSigmoid = fields.isGguf
    ? gate === 2
    : (fields.text("scoring_func", undefined) ?? (method === "noaux_tc" ? "sigmoid" : "softmax")) === "sigmoid";
  const scale = numberText(fields.number("routed_scaling_factor", "expert_weights_scale", 1) || 1);
  const groups = fields.count("n_group", "expert_group_count", 1) || 1;
  const keep = fields.count("topk_group", "expert_group_used_count", 1) || 1;
  const divides = fields.flag("norm_topk_prob", isSigmoid, isSigmoid);
  if (experts % groups !== 0)
    throw unsupportedConfig("n_group", String(groups), `It must divide the ${experts} experts.`);
  if (isSigmoid) {
    if (!divides) throw unsupportedConfig("norm_topk_prob", "false", "Sigmoid scores are divided by their sum here.");
    if (groups === 1) {
      return { name: "BiasedSigmoid", text: `BiasedSigmoid[D, E](k, epsilon: 1e-20, scale: ${scale})`, bias: true };
    }
    return {
      name: "GroupLimited",
      text: `GroupLimited[D, E](k, groups: ${groups}, keep: ${keep}, scale: ${scale})`,
      bias: true,
    };
  }
  if (divides) {
    if (groups > 1 || scale !== "1") throw unsupportedConfig("norm_topk_prob", "true", "Supported without groups.");
    return { name: "TopK", text: "TopK[D, E](k, renormalize: true)", bias: false };
  }
  const limited = !fields.isGguf && method === "group_limited_greedy" && groups > 1;
  const [all, kept] = limited ? [groups, keep] : [1, 1];
  return { name: "GroupMax", text: `GroupMax[D, E](k, groups: ${all}, keep: ${kept}, scale: ${scale})`, bias: false };
}

function design(fields: Fields): Design {
  const { L: stored, D, H, V } = decoderSizes(fields);
  const L = stored - fields.count(undefined, "nextn_predict_layers", 0);
  const K = fields.size("kv_lora_rank", "attention.kv_lora_rank");
  const P = fields.size("qk_rope_head_dim", "rope.dimension_count");
  const Q = fields.count("q_lora_rank", "attention.q_lora_rank", 0);
  // GGUF files of the later converters keep the two halves of kv_b apart, and count keys for the absorbed form.
  const isSplit = fields.isGguf && fields.has("blk.0.attn_k_b.weight");
  const [key, value] = isSplit
    ? ["attention.key_length_mla", "attention.value_length_mla"]
    : ["attention.key_length", "attention.value_length"];
  const C = fields.isGguf ? fields.size(undefined, key) - P : fields.size("qk_nope_head_dim", undefined);
  const W = fields.size("v_head_dim", value);
  const E = fields.size("n_routed_experts", "expert_count");
  const k = fields.size("num_experts_per_tok", "expert_used_count");
  const F = fields.size("moe_intermediate_size", "expert_feed_forward_length");
  const shared = fields.count("n_shared_experts", "expert_shared_count", 0);
  const firstDense = Math.min(L, fields.count("first_k_dense_replace", "leading_dense_block_count", 0));
  const I = firstDense > 0 ? fields.size("intermediate_size", "feed_forward_length") : 0;
  fields.only("moe_layer_freq", undefined, [1]);
  fields.only("attention_bias", undefined, [false]);
  const epsilon = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-6));
  const tied = isTied(fields, false);
  const rotary = rotaryOf(fields, {
    theta: fields.theta(10_000),
    width: P,
    pairs: true,
    axis: "P",
  });
  const route = router(fields, E);
  const norm = `RMSNorm[D](epsilon: ${epsilon})`;
  const heads = ["D", "H", ...(Q > 0 ? ["Q"] : []), "K", "C", "P", "W"];
  const scale = rotary.scoreScale === 1 ? "1 / sqrt(C + P)" : `${numberText(rotary.scoreScale)} / sqrt(C + P)`;
  const attention = `/// Multi-head latent attention (arXiv:2405.04434): keys and values of all heads are read from one latent of width K, a part
/// of width P of each key turns with the position and is shared by the heads. The cache keeps K + P numbers a position.
block LatentAttention[${heads.join(", ")}](mask: mask, ${rotary.parameter}) {
${lines(
  Q > 0 && "  param q_down: [D, Q]",
  Q > 0 && "  use q_norm = RMSNorm[Q](epsilon: 1e-6)",
  `  param q_up: [${Q > 0 ? "Q" : "D"}, H, N = C + P]`,
  "  param kv_down: [D, M = K + P]",
  "  use kv_norm = RMSNorm[K](epsilon: 1e-6)",
  isSplit ? "  param k_up: [K, H, C]\n  param v_up: [K, H, W]" : "  param kv_up: [K, H, U = C + W]",
)}
  param o: [H, W, D]
  state latents: cache[T, K]
  state turned: cache[T, P]
  (x: [T, D]) => {
    let q = ${Q > 0 ? "q_norm(x @ q_down)" : "x"} @ q_up
    let queries = concat(q[N: 0..C][N -> C], rotary(q[N: C..C + P][N -> P])[P -> C], over: C)
    let low = x @ kv_down
    let all = append(latents, kv_norm(low[M: 0..K][M -> K]), as: S)
    let shared = append(turned, rotary(low[M: K..K + P][M -> P]), as: S) + 0 * index(H)
${isSplit ? "    let keys = concat(all @ k_up, shared[P -> C], over: C)\n    let values = all @ v_up" : "    let kv = all @ kv_up\n    let keys = concat(kv[U: 0..C][U -> C], shared[P -> C], over: C)\n    let values = kv[U: C..C + W][U -> W]"}
    let seen = attend(queries, keys, values, mask: mask, scale: ${scale})
    contract(seen, o, over: [H, W])
  }
}`;
  const attn = `${made("LatentAttention", heads, ["mask: Causal", rotary.argument])}`;
  const sparseAxes = [...heads, "F", "E", ...(shared > 0 ? ["S"] : [])];
  const sparse = layerBlock(
    "SparseLayer",
    "A layer with routed experts beside shared ones that every token passes.",
    sparseAxes,
    ["k: int", rotary.parameter],
    {
      norm,
      attn,
      network: [
        `use route = ${route.text}`,
        "use experts = E of SwiGLU[D, F]",
        ...(shared > 0 ? ["use shared = SwiGLU[D, S]"] : []),
      ],
      result: `h + mixture(z, route, experts${shared > 0 ? ", shared: shared" : ""})`,
    },
  );
  const denseAxes = [...heads, "I"];
  const dense = layerBlock("DenseLayer", "A layer without experts.", denseAxes, [rotary.parameter], {
    norm,
    attn,
    network: ["use ffn = SwiGLU[D, I]"],
    result: "h + ffn(z)",
  });
  const later = range(firstDense, L);
  const kinds = [
    { layers: range(0, firstDense), use: made("DenseLayer", denseAxes, [rotary.argument]) },
    { layers: later, use: made("SparseLayer", sparseAxes, ["k", rotary.argument]) },
  ];
  const stack = stackOf(firstDense > 0 ? kinds : kinds.slice(1), L);
  const t = layerTensors(fields);
  const tensors: readonly StoredTensor[] = [
    ...outerTensors(fields, tied),
    t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
    t("norm2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", ["D"]),
    ...(Q > 0
      ? [
          t("attn.q_down", "self_attn.q_a_proj.weight", "attn_q_a.weight", ["Q", "D"]),
          t("attn.q_norm.weight", "self_attn.q_a_layernorm.weight", "attn_q_a_norm.weight", ["Q"]),
          t("attn.q_up", "self_attn.q_b_proj.weight", "attn_q_b.weight", ["H", "N", "Q"]),
        ]
      : [t("attn.q_up", "self_attn.q_proj.weight", "attn_q.weight", ["H", "N", "D"])]),
    t("attn.kv_down", "self_attn.kv_a_proj_with_mqa.weight", "attn_kv_a_mqa.weight", ["M", "D"]),
    t("attn.kv_norm.weight", "self_attn.kv_a_layernorm.weight", "attn_kv_a_norm.weight", ["K"]),
    ...(isSplit
      ? [t("attn.k_up", "", "attn_k_b.weight", ["H", "K", "C"]), t("attn.v_up", "", "attn_v_b.weight", ["H", "W", "K"])]
      : [t("attn.kv_up", "self_attn.kv_b_proj.weight", "attn_kv_b.weight", ["H", "U", "K"])]),
    t("attn.o", "self_attn.o_proj.weight", "attn_output.weight", ["D", "H", "W"]),
    ...(firstDense > 0 ? gatedTensors(fields, "ffn", projections("mlp"), "I", range(0, firstDense)) : []),
    t("route.w", "mlp.gate.weight", "ffn_gate_inp.weight", ["E", "D"], later),
    ...(route.bias ? [t("route.bias", "mlp.gate.e_score_correction_bias", "exp_probs_b.bias", ["E"], later)] : []),
    ...gatedTensors(fields, "experts", projections("mlp.experts.{e}"), "F", later),
    ...(shared > 0 ? gatedTensors(fields, "shared", projections("mlp.shared_experts"), "S", later) : []),
  ];
  const isThree = route.bias;
  return {
    title: isThree ? "DeepSeek-V3" : "DeepSeek-V2",
    paper: isThree ? "DeepSeek-AI 2024, arXiv:2412.19437" : "DeepSeek-AI 2024, arXiv:2405.04434",
    imports: ["Causal", "RMSNorm", "SwiGLU", route.name, ...rotary.imports],
    declarations: [...rotary.declarations, attention, ...(firstDense > 0 ? [dense] : []), sparse],
    axes: {
      V,
      L,
      D,
      H,
      ...(Q > 0 ? { Q } : {}),
      K,
      C,
      P,
      W,
      ...(I > 0 ? { I } : {}),
      F,
      E,
      ...(shared > 0 ? { S: shared * F } : {}),
    },
    inner: { N: C + P, M: K + P, U: C + W },
    k,
    members: decoderMembers(tied, rotary, stack, norm),
    tensors,
    context: fields.size("max_position_embeddings", "context_length", 4096),
    ignored: laterLayers(L),
  };
}

export const deepseek: DesignedFamily = {
  name: "deepseek",
  modelTypes: ["deepseek_v2", "deepseek_v3"],
  architecture: "deepseek2",
  design,
};
