/** Snowflake Arctic: a dense network behind attention, and experts that read the layer's input beside both. */
import { indent, numberText } from "../text.js";
import type { Fields } from "./fields.js";
import { attentionTensors, decoderMembers, gatedTensors, isTied, layerTensor, made, outerTensors } from "./parts.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

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
  fields.only("moe_layer_frequency", undefined, [1]);
  fields.only("parallel_attn_mlp_res", undefined, [true]);
  fields.only("use_residual", undefined, [true]);
  const eps = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-5));
  const theta = numberText(fields.positive("rope_theta", "rope.freq_base", 1e6));
  const tied = isTied(fields, false);
  const axes = ["D", "H", "G", "C", "F", "E"];
  const t = (path: string, hf: string, gguf: string, own: readonly string[]): StoredTensor =>
    layerTensor(fields, path, hf, gguf, own);
  return {
    title: "Snowflake Arctic",
    paper: "Snowflake 2024",
    imports: ["Attention", "Causal", "RMSNorm", "SwiGLU", "TopK"],
    declarations: [
      `/// A layer: attention and a dense network one behind the other; the experts read what came into the layer and are added
/// at its end.
block Layer[${axes.join(", ")}](k: int) {
${indent(`use norm1 = RMSNorm[D](epsilon: ${eps})
use attn = Attention[D, H, G, C](mask: Causal, theta: ${theta})
use norm2 = RMSNorm[D](epsilon: ${eps})
use ffn = SwiGLU[D, D]
use norm3 = RMSNorm[D](epsilon: ${eps})
use route = TopK[D, E](k, renormalize: true)
use experts = E of SwiGLU[D, F]
(x: [T, D]) => {
  let h = x + attn(norm1(x))
  h + ffn(norm2(h)) + mixture(norm3(x), route, experts)
}`)}
}`,
    ],
    axes: { V, L, D, H, G, C, F, E },
    k,
    members: decoderMembers(
      tied,
      undefined,
      `stack layers = L of ${made("Layer", axes, ["k"])}`,
      `RMSNorm[D](epsilon: ${eps})`,
    ),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", "attn_norm.weight", ["D"]),
      t("norm2.weight", "residual_layernorm.weight", "ffn_norm.weight", ["D"]),
      t("norm3.weight", "post_attention_layernorm.weight", "ffn_norm_exps.weight", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn", interleaved: true }),
      t("ffn.gate", "residual_mlp.w1.weight", "ffn_gate.weight", ["F=D", "D"]),
      t("ffn.up", "residual_mlp.w3.weight", "ffn_up.weight", ["F=D", "D"]),
      t("ffn.down", "residual_mlp.w2.weight", "ffn_down.weight", ["D", "F=D"]),
      t("route.w", "block_sparse_moe.gate.weight", "ffn_gate_inp.weight", ["E", "D"]),
      ...gatedTensors(
        fields,
        "experts",
        ["block_sparse_moe.experts.{e}.w1", "block_sparse_moe.experts.{e}.w3", "block_sparse_moe.experts.{e}.w2"],
        "_exps",
        "F",
      ),
    ],
    context: fields.size("max_position_embeddings", "context_length", 4096),
  };
}

export const arctic: DesignedFamily = { name: "arctic", modelTypes: ["arctic"], architecture: "arctic", design };
