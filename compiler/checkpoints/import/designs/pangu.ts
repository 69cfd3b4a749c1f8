/** Pangu Pro MoE: the best expert of every group, so that every device has the same load. */
import { numberText } from "../text.js";
import { made } from "../layers.js";
import type { Fields } from "./fields.js";
import {
  attentionBlock,
  attentionTensors,
  decoderMembers,
  gatedTensors,
  isTied,
  layerBlock,
  layerTensors,
  outerTensors,
  projections,
} from "./parts.js";
import { rotaryOf } from "./rotary.js";
import type { Design, DesignedFamily, StoredTensor } from "./types.js";

function design(fields: Fields): Design {
  const L = fields.size("num_hidden_layers", undefined);
  const D = fields.size("hidden_size", undefined);
  const H = fields.size("num_attention_heads", undefined);
  const G = fields.size("num_key_value_heads", undefined);
  const C = fields.size("head_dim", undefined, D / H);
  const V = fields.size("vocab_size", undefined);
  const E = fields.size("num_experts", undefined);
  const k = fields.size("num_experts_per_tok", undefined);
  const groups = fields.size("num_expert_groups", undefined, 8);
  const F = fields.size("moe_intermediate_size", undefined);
  const S = fields.size("shared_expert_intermediate_size", undefined);
  fields.only("mlp_only_layers", undefined, []);
  const eps = numberText(fields.number("rms_norm_eps", undefined, 1e-5));
  const bias = fields.flag("attention_bias", true);
  const rotary = rotaryOf(fields, { theta: fields.theta(16_000_000), width: C, axis: "C" });
  const tied = isTied(fields, false);
  const norm = `RMSNorm[D](epsilon: ${eps})`;
  const axes = ["D", "H", "G", "C", "F", "E", "S"];
  const tensor = layerTensors(fields);
  const t = (path: string, hf: string, own: readonly string[]): StoredTensor => tensor(path, hf, "", own);
  const given = rotary.member ? [rotary.argument] : [];
  return {
    title: "Pangu Pro MoE",
    paper: "Tang et al. 2025, arXiv:2505.21411",
    imports: ["Causal", "Grouped", "RMSNorm", "SwiGLU", ...rotary.imports],
    declarations: [
      ...rotary.declarations,
      attentionBlock({
        name: "BiasedAttention",
        doc: "Attention with biases on every projection.",
        bias,
        outputBias: bias,
        rotary,
      }),
      layerBlock(
        "Layer",
        "A layer with the best experts of every group beside one that every token passes.",
        axes,
        ["k: int", ...(rotary.member ? [rotary.parameter] : [])],
        {
          norm,
          attn: made("BiasedAttention", ["D", "H", "G", "C"], ["mask: Causal", rotary.argument]),
          network: [
            `use route = Grouped[D, E](k, groups: ${groups})`,
            "use experts = E of SwiGLU[D, F]",
            "use shared = SwiGLU[D, S]",
          ],
          result: "h + mixture(z, route, experts, shared: shared)",
        },
      ),
    ],
    axes: { V, L, D, H, G, C, F, E, S },
    inner: { O: 1 },
    k,
    members: decoderMembers(tied, rotary, `stack layers = L of ${made("Layer", axes, ["k", ...given])}`, norm),
    tensors: [
      ...outerTensors(fields, tied),
      t("norm1.weight", "input_layernorm.weight", ["D"]),
      t("norm2.weight", "post_attention_layernorm.weight", ["D"]),
      ...attentionTensors(fields, { hf: "self_attn", bias, outputBias: bias }),
      t("route.w", "mlp.gate.weight", ["E", "D"]),
      t("route.router_scale", "mlp.router_scale", ["E"]),
      ...gatedTensors(fields, "experts", projections("mlp.experts.{e}"), "F"),
      ...gatedTensors(fields, "shared", projections("mlp.shared_expert"), "S"),
    ],
    context: fields.size("max_position_embeddings", undefined, 32_768),
  };
}

export const pangu: DesignedFamily = { name: "pangu-pro-moe", modelTypes: ["PanguProMoE", "pangu_pro_moe"], design };
