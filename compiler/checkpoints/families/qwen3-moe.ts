import {
  attentionBias,
  attentionTensors,
  decoderFlags,
  decoderNumbers,
  denseTensors,
  expertTensors,
  mlpExperts,
  outerTensors,
} from "./common.js";
import type { Family } from "./types.js";

/** Qwen3-MoE: a norm on every head of queries and keys, expert weights divided by their sum in released models. */
export const qwen3Moe: Family = {
  name: "qwen3-moe",
  modelType: "qwen3_moe",
  className: "Qwen3MoeForCausalLM",
  architecture: "qwen3moe",
  prefixes: ["model.", ""],
  numbers: {
    ...decoderNumbers,
    // Not written for models whose layers all have experts.
    ffnWidth: { ...decoderNumbers.ffnWidth, otherwise: 0 },
    experts: { hf: ["num_experts"], gguf: "expert_count" },
    expertsPerToken: { hf: ["num_experts_per_tok"], gguf: "expert_used_count" },
    expertWidth: { hf: ["moe_intermediate_size"], gguf: "expert_feed_forward_length" },
  },
  flags: {
    ...decoderFlags,
    // llama.cpp divides in every qwen3moe, so its files don't say it.
    normalizeTopK: { hf: "norm_topk_prob", otherwise: false, gguf: true },
    qkvBias: attentionBias("attn_q"),
    outputBias: attentionBias("attn_output"),
  },
  qkNorm: "head",
  activations: ["silu"],
  tensors: [...outerTensors, ...attentionTensors(false), ...denseTensors, ...expertTensors("mlp.gate", mlpExperts)],
};
