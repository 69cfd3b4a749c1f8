/** Snowflake Arctic: a dense network behind attention, and experts that read the layer's input beside both. */
import { indent, numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
  attentionTensors,
  decoderMembers,
  gatedTensors,
  isTied,
  layerTensors,
  mixtralSizes,
  numbered,
  outerTensors,
} from "./parts.js";
import { onlyPlainRotary } from "./rotary.js";
import type { Design, DesignedFamily } from "./types.js";

function design(fields: Fields): Design {
  const { L, D, H, G, C, V, E, k, F } = mixtralSizes(fields);
  fields.only("moe_layer_frequency", undefined, [1]);
  fields.only("parallel_attn_mlp_res", undefined, [true]);
  fields.only("use_residual", undefined, [true]);
  const eps = numberText(fields.number("rms_norm_eps", "attention.layer_norm_rms_epsilon", 1e-5));
  const { argument: theta } = onlyPlainRotary(fields, fields.theta(1e6));
  const tied = isTied(fields, false);
  const axes = ["D", "H", "G", "C", "F", "E"];
  const t = layerTensors(fields);
  return {
    title: "Snowflake Arctic",
    paper: "Snowflake 2024",
    imports: ["Attention", "Causal", "RMSNorm", "SwiGLU", "TopK"],
    declarations: [
      `/// A layer: attention and a dense network one behind the other; the experts read what came into the layer and are added
/// at its end.
block Layer[${axes.join(", ")}](k: int) {
${indent(`use norm1 = RMSNorm[D](epsilon: ${eps})
use attn = Attention[D, H, G, C](mask: Causal, ${theta})
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
      ...gatedTensors(fields, "ffn", numbered("residual_mlp"), "D"),
      t("route.w", "block_sparse_moe.gate.weight", "ffn_gate_inp.weight", ["E", "D"]),
      ...gatedTensors(fields, "experts", numbered("block_sparse_moe.experts.{e}"), "F"),
    ],
    context: fields.size("max_position_embeddings", "context_length", 4096),
  };
}

export const arctic: DesignedFamily = { name: "arctic", modelTypes: ["arctic"], architecture: "arctic", design };
