import {
  absent,
  attentionBias,
  attentionTensors,
  decoderFlags,
  decoderNumbers,
  expertTensors,
  mlpExperts,
  outerTensors,
} from "./common.js";
import type { Family } from "./types.js";

/** OLMoE: norms over the whole query and key, expert weights as the softmax gives them. */
export const olmoe: Family = {
  name: "olmoe",
  modelType: "olmoe",
  className: "OlmoeForCausalLM",
  architecture: "olmoe",
  prefixes: ["model.", ""],
  numbers: {
    ...decoderNumbers,
    ffnWidth: absent,
    experts: { hf: ["num_experts"], gguf: "expert_count" },
    expertsPerToken: { hf: ["num_experts_per_tok"], gguf: "expert_used_count" },
    expertWidth: { hf: ["intermediate_size"], gguf: "feed_forward_length" },
  },
  flags: {
    ...decoderFlags,
    normalizeTopK: { hf: "norm_topk_prob", otherwise: false },
    qkvBias: attentionBias("attn_q"),
    outputBias: attentionBias("attn_output"),
  },
  qkNorm: "full",
  activations: ["silu"],
  tensors: [...outerTensors, ...attentionTensors(false), ...expertTensors("mlp.gate", mlpExperts)],
};
