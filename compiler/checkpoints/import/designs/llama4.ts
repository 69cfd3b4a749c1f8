/** Llama 4: one expert whose input is scaled, chunks of attention, every fourth layer without positions. */
import { badConfig, unsupportedConfig } from "../../errors.js";
import { OUTPUT_TENSOR } from "../../families/common.js";
import { lines, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
  attentionBlock,
  attentionTensors,
  decoderMembers,
  gatedTensors,
  isTied,
  JOINED_SWIGLU,
  layerBlock,
  layerTensors,
  outerTensors,
  projections,
  range,
  stackOf,
} from "./parts.js";
import { FACTORS, rotaryOf } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

/** The text part of a model with images has its numbers and tensors one level further down. */
function prefixes(fields: Fields): { readonly key: string; readonly tensor: string } {
  return fields.record("text_config") ? { key: "text_config.", tensor: "language_model." } : { key: "", tensor: "" };
}

function design(fields: Fields): Design {
  const at = prefixes(fields);
  const key = (name: string): string => `${at.key}${name}`;
  const L = fields.size(key("num_hidden_layers"), "block_count");
  const D = fields.size(key("hidden_size"), "embedding_length");
  const H = fields.size(key("num_attention_heads"), "attention.head_count");
  const G = fields.size(key("num_key_value_heads"), "attention.head_count_kv");
  const C = fields.size(key("head_dim"), "attention.key_length", D / H);
  const V = fields.rows("token_embd.weight") ?? fields.size(key("vocab_size"), "vocab_size");
  const E = fields.size(key("num_local_experts"), "expert_count");
  const k = fields.size(key("num_experts_per_tok"), "expert_used_count", 1);
  const F = fields.size(key("intermediate_size"), "expert_feed_forward_length");
  const I = fields.size(key("intermediate_size_mlp"), "feed_forward_length");
  const step = fields.size(key("interleave_moe_layer_step"), "interleave_moe_layer_step", 1);
  const chunk = fields.size(key("attention_chunk_size"), "attention.chunk_size", 8192);
  // Of GGUF files only the number of experts tells the two releases apart.
  const headNorm = fields.flag(key("use_qk_norm"), true, E !== 128);
  const floor = fields.positive(key("floor_scale"), undefined, 8192);
  const growth = fields.number(key("attn_scale"), undefined, 0.1);
  // A flag; the first files of the release had the number 4.
  const tuning = fields.value(key("attn_temperature_tuning")) ?? true;
  if (typeof tuning !== "boolean" && typeof tuning !== "number") {
    throw badConfig(key("attn_temperature_tuning"), "is not true or false");
  }
  const tuned = Boolean(tuning);
  fields.only(key("attention_bias"), undefined, [false]);
  const eps = fields.number(key("rms_norm_eps"), "attention.layer_norm_rms_epsilon", 1e-5);
  const listed = fields.list(key("no_rope_layers"));
  // The list says 1 for layers with positions.
  const plain = range(0, L).filter((layer) =>
    listed && listed.length > 0 ? listed[layer] === 0 : (layer + 1) % 4 === 0,
  );
  const spans = fields.list(key("layer_types"));
  const odd = range(0, L).find((layer) => spans && (spans[layer] === "full_attention") !== plain.includes(layer));
  if (odd !== undefined) {
    throw unsupportedConfig(
      key("layer_types"),
      `${JSON.stringify(spans?.[odd])} in layer ${odd}`,
      "Supported: full_attention in the layers without positions, chunked_attention in the others.",
    );
  }
  const head = {
    tensor: `${at.tensor}${OUTPUT_TENSOR}`,
    // The text part says it for itself; where it does not, the whole says it.
    tieKeys: [...new Set([key("tie_word_embeddings"), "tie_word_embeddings"])],
  };
  const tied = isTied(fields, false, head);
  const hasFactors = fields.isGguf && fields.has(FACTORS.name);
  const rotary = rotaryOf(fields, {
    theta: fields.theta(500_000, at.key),
    width: C,
    pairs: true,
    axis: "C",
    prefix: at.key,
    factors: hasFactors,
  });
  const norm = `RMSNorm[D](epsilon: ${numberText(eps)})`;
  const heads = ["D", "H", "G", "C"];
  const local = attentionBlock({
    name: "ChunkAttention",
    doc: `Attention with positions, inside of chunks${headNorm ? "; queries and keys have length sqrt(C) after they turned" : ""}.`,
    rotary,
    ...(headNorm ? { after: (value: string): string => `unit(${value})` } : {}),
  });
  const wide = attentionBlock({
    name: "WideAttention",
    doc: `Attention over everything before, without positions${tuned ? "; the further on, the sharper" : ""}.`,
    ...(tuned ? { query: (value: string): string => `(${value}) * sharper(position(T))` } : {}),
  });
  const unit = `/// Root mean square 1 along a head, without a weight.
fn unit[C](x: [C]) => x * rsqrt(mean(x * x, over: C) + ${numberText(eps)})`;
  const sharper = `/// What queries are multiplied by so that long texts stay sharp: 1 + a log(1 + floor((position + 1) / n)).
fn sharper(at: int[T]) => log(1 + floor(float(at + 1) / ${numberText(floor)})) * ${numberText(growth)} + 1`;
  const expert = fields.isGguf ? "SwiGLU" : "JoinedSwiGLU";
  const parts = (network: readonly string[], result: string, attention: "ChunkAttention" | "WideAttention") => ({
    norm,
    attn:
      attention === "WideAttention"
        ? "WideAttention[D, H, G, C](mask: Causal)"
        : made(attention, heads, [`mask: Causal & Chunked(${chunk})`, rotary.argument]),
    network,
    result,
  });
  const moe = [`use route = Sigmoid[D, E](k)`, `use experts = E of ${expert}[D, F]`, "use shared = SwiGLU[D, F]"];
  const mixed = "h + mixture(z, route, experts, weigh: input) + shared(z)";
  const isSparse = (layer: number): boolean => (layer + 1) % step === 0;
  const kinds = [
    { name: "SparseChunk", sparse: true, wide: false },
    { name: "SparseWide", sparse: true, wide: true },
    { name: "DenseChunk", sparse: false, wide: false },
    { name: "DenseWide", sparse: false, wide: true },
  ]
    .map((kind) => ({
      ...kind,
      layers: range(0, L).filter((layer) => isSparse(layer) === kind.sparse && plain.includes(layer) === kind.wide),
    }))
    .filter(({ layers }) => layers.length > 0);
  const axesOf = (sparse: boolean): readonly string[] => [...heads, ...(sparse ? ["F", "E"] : ["I"])];
  const blocks = kinds.map(({ name, sparse, wide: isWide }) =>
    layerBlock(
      name,
      `A layer ${sparse ? "with experts" : "without experts"}, ${isWide ? "without positions" : "in chunks"}.`,
      axesOf(sparse),
      [...(sparse ? ["k: int"] : []), ...(isWide ? [] : [rotary.parameter])],
      parts(
        sparse ? moe : ["use ffn = SwiGLU[D, I]"],
        sparse ? mixed : "h + ffn(z)",
        isWide ? "WideAttention" : "ChunkAttention",
      ),
    ),
  );
  const stack = stackOf(
    kinds.map(({ name, sparse, wide: isWide, layers }) => ({
      layers,
      use: made(name, axesOf(sparse), [...(sparse ? ["k"] : []), ...(isWide ? [] : [rotary.argument])]),
    })),
    L,
  );
  const t = layerTensors(fields);
  const sparse = range(0, L).filter(isSparse);
  const dense = range(0, L).filter((layer) => !isSparse(layer));
  const experts = fields.isGguf
    ? gatedTensors(fields, "experts", ["", "", ""], "F", sparse)
    : [
        t("experts.gate_up", "feed_forward.experts.gate_up_proj", "", ["E", "D", "Z", "F"], sparse),
        t("experts.down", "feed_forward.experts.down_proj", "", ["E", "F", "D"], sparse),
      ];
  const tensors: readonly StoredTensor[] = [
    ...outerTensors(fields, tied),
    ...(hasFactors && plain.length < L ? [FACTORS] : []),
    t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
    t("norm2.weight", "post_attention_layernorm.weight", "ffn_norm.weight", ["D"]),
    ...attentionTensors(fields, { hf: "self_attn" }),
    ...(dense.length > 0 ? gatedTensors(fields, "ffn", projections("feed_forward"), "I", dense) : []),
    t("route.w", "feed_forward.router.weight", "ffn_gate_inp.weight", ["E", "D"], sparse),
    ...experts,
    ...gatedTensors(fields, "shared", projections("feed_forward.shared_expert"), "F", sparse),
  ];
  return {
    title: "Llama 4",
    paper: "Meta 2025",
    imports: ["Causal", "RMSNorm", "Sigmoid", "SwiGLU", ...(plain.length < L ? ["Chunked", ...rotary.imports] : [])],
    declarations: [
      ...(plain.length < L ? rotary.declarations : []),
      ...(headNorm && plain.length < L ? [unit] : []),
      ...(tuned && plain.length > 0 ? [sharper] : []),
      ...(plain.length < L ? [local] : []),
      ...(plain.length > 0 ? [wide] : []),
      ...(fields.isGguf ? [] : [JOINED_SWIGLU]),
      ...blocks,
    ],
    axes: { V, L, D, H, G, C, F, ...(dense.length > 0 ? { I } : {}), E },
    inner: { Z: 2, P: C / 2 },
    k,
    head,
    members: lines(decoderMembers(tied, plain.length < L ? rotary : undefined, stack, norm)),
    tensors: tensors.map((tensor) => ({ ...tensor, name: fields.isGguf ? tensor.name : `${at.tensor}${tensor.name}` })),
    context: fields.size(key("max_position_embeddings"), "context_length", 131_072),
    ignored: /^(vision_model|multi_modal_projector)\./,
  };
}

export const llama4: DesignedFamily = {
  name: "llama4",
  modelTypes: ["llama4", "llama4_text"],
  architecture: "llama4",
  reads: ["layer_types"],
  design,
};
