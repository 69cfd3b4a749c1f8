/** LFM2-MoE: most layers are short gated convolutions, some are attention; sigmoid routing with a bias. */
import { numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import { badConfig, unsupportedConfig } from "../../errors.js";
import {
  attentionBlock,
  attentionTensors,
  decoderSizes,
  gatedTensors,
  layerBlock,
  layerTensors,
  numbered,
  range,
  stackOf,
} from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily } from "./types.js";

const CONV = `/// A gated short convolution over time (arXiv:2511.23404): (b, c, u) = x input; (c * conv(b * u)) output, where conv sees a
/// position and the J - 1 before it.
block GatedConvolution[D, J] {
  param input: [D, Z = 3, A = D]
  param kernel: [A = D, J]
  param output: [A = D, N = D]
  state inputs: cache[T, A = D]
  (x: [T, D]) => {
    let parts = x @ input
    let all = append(inputs, parts[Z: 0] * parts[Z: 2], as: S)
    let mixed = fold(j in 0..J, y = parts[Z: 0] * 0) => {
      let from = position(T) + j - (J - 1)
      y + where(from >= 0, all[S: max(from, 0)], 0) * kernel[J: j]
    }
    ((parts[Z: 1] * mixed) @ output)[N -> D]
  }
}`;

/** Layers that are attention. */
function attentionLayers(fields: Fields, layers: number): readonly number[] {
  const kinds = fields.list("layer_types");
  if (kinds) {
    const other = kinds.find((kind) => kind !== "conv" && kind !== "full_attention");
    if (other !== undefined)
      throw unsupportedConfig("layer_types", String(JSON.stringify(other)), "Supported: conv, full_attention.");
    return range(0, layers).filter((layer) => kinds[layer] === "full_attention");
  }
  const groups = fields.list("full_attn_idxs", "attention.head_count_kv");
  if (!groups) throw badConfig(fields.name("layer_types", "lfm2moe.attention.head_count_kv"), "is missing");
  return fields.isGguf
    ? range(0, layers).filter((layer) => groups[layer] !== 0)
    : groups.filter((layer) => typeof layer === "number");
}

function design(fields: Fields): Design {
  const { L, D, H, V } = decoderSizes(fields);
  const lists = fields.list(undefined, "attention.head_count_kv") ?? [];
  const G = fields.isGguf ? Math.max(...lists.map(Number), 1) : fields.size("num_key_value_heads", undefined);
  const C = D / H;
  const E = fields.size("num_experts", "expert_count");
  const k = fields.size("num_experts_per_tok", "expert_used_count");
  const F = fields.size("moe_intermediate_size", "expert_feed_forward_length");
  const I = fields.size("intermediate_size", "feed_forward_length");
  const J = fields.size("conv_L_cache", "shortconv.l_cache", 3);
  const firstDense = Math.min(L, fields.count("num_dense_layers", "leading_dense_block_count", 0));
  const scale = numberText(fields.number("routed_scaling_factor", "expert_weights_scale", 1) || 1);
  fields.only("conv_bias", undefined, [false]);
  fields.only("norm_topk_prob", undefined, [true]);
  fields.only("use_expert_bias", undefined, [true]);
  const eps = fields.number("norm_eps", "attention.layer_norm_rms_epsilon", 1e-5);
  const rotary = onlyPlainRotary(fields, fields.theta(1e6));
  const attends = attentionLayers(fields, L);
  const norm = `RMSNorm[D](epsilon: ${numberText(eps)})`;
  const kinds = [
    { name: "DenseConv", sparse: false, conv: true },
    { name: "DenseAttention", sparse: false, conv: false },
    { name: "SparseConv", sparse: true, conv: true },
    { name: "SparseAttention", sparse: true, conv: false },
  ]
    .map((kind) => ({
      ...kind,
      layers: range(0, L).filter(
        (layer) => layer >= firstDense === kind.sparse && attends.includes(layer) !== kind.conv,
      ),
    }))
    .filter(({ layers }) => layers.length > 0);
  const axesOf = ({ sparse, conv }: (typeof kinds)[number]): readonly string[] => [
    "D",
    ...(conv ? ["J"] : ["H", "G", "C"]),
    ...(sparse ? ["F", "E"] : ["I"]),
  ];
  const blocks = kinds.map((kind) =>
    layerBlock(
      kind.name,
      `A layer: ${kind.conv ? "a convolution" : "attention"}, then ${kind.sparse ? "experts" : "a dense network"}.`,
      axesOf(kind),
      kind.sparse ? ["k: int"] : [],
      {
        norm,
        attn: kind.conv
          ? "GatedConvolution[D, J]"
          : made("NormedHeads", ["D", "H", "G", "C"], ["mask: Causal", rotary.argument]),
        network: kind.sparse
          ? [`use route = BiasedSigmoid[D, E](k, epsilon: 1e-6, scale: ${scale})`, "use experts = E of SwiGLU[D, F]"]
          : ["use ffn = SwiGLU[D, I]"],
        result: kind.sparse ? "h + mixture(z, route, experts)" : "h + ffn(z)",
      },
    ),
  );
  const stack = stackOf(
    kinds.map((kind) => ({ ...kind, use: made(kind.name, axesOf(kind), kind.sparse ? ["k"] : []) })),
    L,
  );
  const convs = range(0, L).filter((layer) => !attends.includes(layer));
  const later = range(firstDense, L);
  const t = layerTensors(fields);
  return {
    title: "LFM2-MoE",
    paper: "Liquid AI 2025, arXiv:2511.23404",
    imports: ["BiasedSigmoid", "RMSNorm", "SwiGLU", ...(attends.length > 0 ? ["Causal", "rope"] : [])],
    declarations: [
      ...(convs.length > 0 ? [CONV] : []),
      ...(attends.length > 0
        ? [
            attentionBlock({
              name: "NormedHeads",
              doc: "Attention with a norm on every head of queries and keys.",
              rotary,
              headNorm: eps,
            }),
          ]
        : []),
      ...blocks,
    ],
    axes: {
      V,
      L,
      D,
      ...(attends.length > 0 ? { H, G, C } : {}),
      ...(convs.length > 0 ? { J } : {}),
      ...(firstDense > 0 ? { I } : {}),
      F,
      E,
    },
    inner: { Z: 3, A: D, N: D, O: 1 },
    k,
    members: `param tok: [V, D]
${stack}
use norm = ${norm}
forward(tokens: int[T]) -> f32[T, V] => norm(layers(tok[V: tokens])) @ tok`,
    tensors: [
      { path: "tok", name: fields.name("model.embed_tokens.weight", "token_embd.weight"), axes: ["V", "D"] },
      { path: "norm.weight", name: fields.name("model.embedding_norm.weight", "token_embd_norm.weight"), axes: ["D"] },
      t("norm1.weight", "operator_norm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "ffn_norm.weight", "ffn_norm.weight", ["D"]),
      ...(convs.length > 0
        ? [
            t("attn.input", "conv.in_proj.weight", "shortconv.in_proj.weight", ["Z", "A", "D"], convs),
            t("attn.kernel", "conv.conv.weight", "shortconv.conv.weight", ["A", "J"], convs),
            t("attn.output", "conv.out_proj.weight", "shortconv.out_proj.weight", ["N", "A"], convs),
          ]
        : []),
      ...(attends.length > 0
        ? attentionTensors(fields, {
            hf: "self_attn",
            headNorm: ["q_layernorm", "k_layernorm"],
            output: "out_proj",
            layers: attends,
          })
        : []),
      ...(firstDense > 0 ? gatedTensors(fields, "ffn", numbered("feed_forward"), "I", range(0, firstDense)) : []),
      t("route.w", "feed_forward.gate.weight", "ffn_gate_inp.weight", ["E", "D"], later),
      t("route.bias", "feed_forward.expert_bias", "exp_probs_b.bias", ["E"], later),
      ...gatedTensors(fields, "experts", numbered("feed_forward.experts.{e}"), "F", later),
    ],
    context: fields.size("max_position_embeddings", "context_length", 128_000),
  };
}

export const lfm2: DesignedFamily = {
  name: "lfm2-moe",
  modelTypes: ["lfm2_moe"],
  architecture: "lfm2moe",
  reads: ["layer_types"],
  design,
};
