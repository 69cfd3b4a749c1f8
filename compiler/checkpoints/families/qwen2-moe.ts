import {
  attentionTensors,
  decoderFlags,
  decoderNumbers,
  denseTensors,
  expertTensors,
  mlpExperts,
  outerTensors,
  sharedExpertTensors,
} from "./common.js";
import type { Family } from "./types.js";

/** Qwen1.5-MoE and Qwen2-MoE: routed experts beside a shared one that a sigmoid scales. */
export const qwen2Moe: Family = {
  name: "qwen2-moe",
  modelType: "qwen2_moe",
  className: "Qwen2MoeForCausalLM",
  architecture: "qwen2moe",
  prefixes: ["model.", ""],
  numbers: {
    ...decoderNumbers,
    experts: { hf: ["num_experts"], gguf: "expert_count" },
    expertsPerToken: { hf: ["num_experts_per_tok"], gguf: "expert_used_count" },
    // GGUF files of the first converters leave both widths out; the dense width is k times the expert's there.
    expertWidth: {
      hf: ["moe_intermediate_size"],
      gguf: "expert_feed_forward_length",
      otherwise: ({ ffnWidth, expertsPerToken }) => ffnWidth / expertsPerToken,
    },
    sharedWidth: {
      hf: ["shared_expert_intermediate_size"],
      gguf: "expert_shared_feed_forward_length",
      otherwise: ({ ffnWidth }) => ffnWidth,
    },
  },
  flags: {
    ...decoderFlags,
    normalizeTopK: { hf: "norm_topk_prob", otherwise: false },
    qkvBias: { hf: "qkv_bias", otherwise: true },
  },
  qkNorm: "none",
  activations: ["silu"],
  tensors: [
    ...outerTensors,
    ...attentionTensors(false),
    ...denseTensors,
    ...expertTensors("mlp.gate", mlpExperts),
    ...sharedExpertTensors,
  ],
};
