/** DBRX: layer norms without biases, one clamped projection for queries, keys and values. */
import { OUTPUT_TENSOR } from "../../families/common.js";
import { numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import { decoderMembers, layerBlock, OWN_HEAD } from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

/** Where its configs have what attention needs. */
const ATTENTION = "attn_config.";

function design(fields: Fields): Design {
  const L = fields.size("n_layers", "block_count");
  const D = fields.size("d_model", "embedding_length");
  const H = fields.size("n_heads", "attention.head_count");
  const G = fields.size("attn_config.kv_n_heads", "attention.head_count_kv");
  const C = D / H;
  const V = fields.rows("token_embd.weight") ?? fields.size("vocab_size", "vocab_size");
  const E = fields.size("ffn_config.moe_num_experts", "expert_count");
  const k = fields.size("ffn_config.moe_top_k", "expert_used_count");
  const F = fields.size("ffn_config.ffn_hidden_size", "feed_forward_length");
  const clip = fields.number("attn_config.clip_qkv", "attention.clamp_kqv", 0);
  fields.only("ffn_config.moe_normalize_expert_weights", undefined, [1]);
  fields.only("tie_word_embeddings", undefined, [false]);
  fields.only("ffn_config.ffn_act_fn.name", undefined, ["silu"]);
  const epsilon = numberText(fields.number(undefined, "attention.layer_norm_epsilon", 1e-5));
  const rotary = onlyPlainRotary(fields, fields.theta(10_000, ATTENTION), ATTENTION);
  const norm = `CentredNorm[D](epsilon: ${epsilon})`;
  const axes = ["D", "H", "G", "C", "F", "E"];
  const projected = clip > 0 ? `clamp(x @ qkv, -${numberText(clip)}, ${numberText(clip)})` : "x @ qkv";
  const at = (path: string, hf: string, gguf: string, own: readonly string[]): StoredTensor => ({
    path: `layers[i].${path}`,
    name: fields.name(`transformer.blocks.{i}.${hf}`, `blk.{i}.${gguf}`),
    axes: own,
  });
  return {
    title: "DBRX",
    paper: "Databricks 2024",
    imports: ["Causal", "rope", "SwiGLU", "TopK"],
    declarations: [
      `/// Layer norm without a bias.
block CentredNorm[D](epsilon: float) {
  param weight: [D]
  (x: [D]) => {
    let centred = x - mean(x, over: D)
    centred * rsqrt(mean(centred * centred, over: D) + epsilon) * weight
  }
}`,
      `/// Attention whose queries, keys and values come from one product${clip > 0 ? ", clamped before it is taken apart" : ""}.
block JoinedAttention[D, H, G, C](mask: mask, theta: float) {
  param qkv: [D, N = H + 2 * G, C]
  param o: [H, C, D]
  state keys: cache[T, G, C]
  state values: cache[T, G, C]
  (x: [T, D]) => {
    let all = ${projected}
    let queries = split(rope(all[N: 0..H][N -> H], theta), H -> [G, R])
    let ks = append(keys, rope(all[N: H..H + G][N -> G], theta), as: S)
    let vs = append(values, all[N: H + G..H + 2 * G][N -> G], as: S)
    let seen = attend(queries, ks, vs, mask: mask, scale: 1 / sqrt(C))
    contract(merge(seen, [G, R] -> H), o, over: [H, C])
  }
}`,
      layerBlock("Layer", "A layer: attention, then experts whose weights add up to one.", axes, ["k: int"], {
        norm,
        attn: made("JoinedAttention", ["D", "H", "G", "C"], ["mask: Causal", rotary.argument]),
        network: ["use route = TopK[D, E](k, renormalize: true)", "use experts = E of SwiGLU[D, F]"],
        result: "h + mixture(z, route, experts)",
      }),
    ],
    axes: { V, L, D, H, G, C, F, E },
    inner: { N: H + 2 * G },
    head: OWN_HEAD,
    k,
    members: decoderMembers(false, rotary, `stack layers = L of ${made("Layer", axes, ["k"])}`, norm),
    tensors: [
      { path: "tok", name: fields.name("transformer.wte.weight", "token_embd.weight"), axes: ["V", "D"] },
      { path: "norm.weight", name: fields.name("transformer.norm_f.weight", "output_norm.weight"), axes: ["D"] },
      { path: "output", name: fields.name(OUTPUT_TENSOR, "output.weight"), axes: ["V", "D"] },
      at("norm1.weight", "norm_attn_norm.norm_1.weight", "attn_norm.weight", ["D"]),
      at("norm2.weight", "norm_attn_norm.norm_2.weight", "attn_output_norm.weight", ["D"]),
      at("attn.qkv", "norm_attn_norm.attn.Wqkv.weight", "attn_qkv.weight", ["N", "C", "D"]),
      at("attn.o", "norm_attn_norm.attn.out_proj.weight", "attn_output.weight", ["D", "H", "C"]),
      at("route.w", "ffn.router.layer.weight", "ffn_gate_inp.weight", ["E", "D"]),
      at("experts.gate", "ffn.experts.mlp.w1", "ffn_gate_exps.weight", ["E", "F", "D"]),
      at("experts.up", "ffn.experts.mlp.v1", "ffn_up_exps.weight", ["E", "F", "D"]),
      // Hugging Face keeps the last matrix like the first two and uses it the other way round.
      at(
        "experts.down",
        "ffn.experts.mlp.w2",
        "ffn_down_exps.weight",
        fields.isGguf ? ["E", "D", "F"] : ["E", "F", "D"],
      ),
    ],
    context: fields.size("max_seq_len", "context_length", 32_768),
  };
}

export const dbrx: DesignedFamily = {
  name: "dbrx",
  modelTypes: ["dbrx"],
  architecture: "dbrx",
  positions: ATTENTION,
  design,
};
