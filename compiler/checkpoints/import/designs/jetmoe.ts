/** JetMoE: experts in attention too; each chosen one brings heads of its own to shared keys and values. */
import { indent, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import { decoderMembers, isTied, JOINED_SWIGLU, layerTensors, outerTensors } from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

function design(fields: Fields): Design {
  const L = fields.size("num_hidden_layers", undefined);
  const D = fields.size("hidden_size", undefined);
  const G = fields.size("num_key_value_heads", undefined);
  const C = fields.size("kv_channels", undefined);
  const V = fields.size("vocab_size", undefined);
  const E = fields.size("num_local_experts", undefined);
  const k = fields.size("num_experts_per_tok", undefined);
  const F = fields.size("intermediate_size", undefined);
  const eps = numberText(fields.number("rms_norm_eps", undefined, 1e-6));
  const rotary = onlyPlainRotary(fields, fields.theta(10_000));
  fields.only("activation_function", undefined, ["silu"]);
  const tied = isTied(fields, true);
  const axes = ["D", "G", "C", "F", "E"];
  const tensor = layerTensors(fields);
  const t = (path: string, hf: string, own: readonly string[]): StoredTensor => tensor(path, hf, "", own);
  return {
    title: "JetMoE",
    paper: "Shen et al. 2024, arXiv:2404.07413",
    imports: ["Causal", "OutputHeads", "QueryHeads", "RMSNorm", "rope", "TopK"],
    declarations: [
      `/// Mixture of attention heads (arXiv:2210.05144): each chosen expert maps a token to G queries, all read the same keys and
/// values, and its own output map takes what they saw.
block HeadMixture[D, G, C, E](k: int, theta: float) {
  use route = TopK[D, E](k, renormalize: true)
  use queries = E of QueryHeads[D, G, C]
  use outputs = E of OutputHeads[G, C, D]
  param kv: [D, Z = 2, G, C]
  param bias: [D]
  state keys: cache[T, G, C]
  state values: cache[T, G, C]
  (x: [T, D]) => {
    let r = route(x)
    let q = rope(dispatch(x, r, queries), theta)
    let both = x @ kv
    let ks = append(keys, rope(both[Z: 0], theta), as: S)
    let vs = append(values, both[Z: 1], as: S)
    let seen = attend(q, ks, vs, mask: Causal, scale: 1 / sqrt(C), query: T)
    combine(dispatch(seen, r, outputs), r) + bias
  }
}`,
      JOINED_SWIGLU,
      `/// A layer with a mixture in both of its halves.
block Layer[${axes.join(", ")}](k: int) {
${indent(`use norm1 = RMSNorm[D](epsilon: ${eps})
use attn = HeadMixture[D, G, C, E](k, ${rotary.argument})
use norm2 = RMSNorm[D](epsilon: ${eps})
use route = TopK[D, E](k, renormalize: true)
use experts = E of JoinedSwiGLU[D, F]
param bias: [D]
(x: [T, D]) => {
  let h = x + attn(norm1(x))
  h + mixture(norm2(h), route, experts) + bias
}`)}
}`,
    ],
    axes: { V, L, D, G, C, F, E },
    inner: { Z: 2 },
    k,
    members: decoderMembers(
      tied,
      rotary,
      `stack layers = L of ${made("Layer", axes, ["k"])}`,
      `RMSNorm[D](epsilon: ${eps})`,
    ),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", ["D"]),
      t("attn.route.w", "self_attention.experts.router.layer.weight", ["E", "D"]),
      t("attn.queries.w", "self_attention.experts.input_linear.weight", ["E", "H=G", "C", "D"]),
      t("attn.outputs.w", "self_attention.experts.output_linear.weight", ["E", "D", "H=G", "C"]),
      t("attn.bias", "self_attention.experts.bias", ["D"]),
      t("attn.kv", "self_attention.kv_proj.weight", ["Z", "G", "C", "D"]),
      t("route.w", "mlp.router.layer.weight", ["E", "D"]),
      t("experts.gate_up", "mlp.input_linear.weight", ["E", "Z", "F", "D"]),
      t("experts.down", "mlp.output_linear.weight", ["E", "D", "F"]),
      t("bias", "mlp.bias", ["D"]),
    ],
    context: fields.size("max_position_embeddings", undefined, 4096),
  };
}

export const jetmoe: DesignedFamily = { name: "jetmoe", modelTypes: ["jetmoe"], design };
