import { absent, attentionTensors, decoderFlags, decoderNumbers, expertTensors, outerTensors } from "./common.js";
import type { Family } from "./types.js";

/** Mixtral: softmax over all experts, top-k, divided by their sum. In GGUF it is a `llama` with experts. */
export const mixtral: Family = {
  name: "mixtral",
  modelType: "mixtral",
  className: "MixtralForCausalLM",
  architecture: "llama",
  prefixes: ["model.", ""],
  numbers: {
    ...decoderNumbers,
    ffnWidth: absent,
    experts: { hf: ["num_local_experts"], gguf: "expert_count" },
    expertsPerToken: { hf: ["num_experts_per_tok"], gguf: "expert_used_count" },
    expertWidth: { hf: ["intermediate_size"], gguf: "feed_forward_length" },
    ropeTheta: { ...decoderNumbers.ropeTheta, otherwise: 1e6 },
  },
  flags: { ...decoderFlags, normalizeTopK: { otherwise: true } },
  qkNorm: "none",
  activations: ["silu"],
  tensors: [
    ...outerTensors,
    ...attentionTensors(true),
    ...expertTensors("block_sparse_moe.gate", [
      "block_sparse_moe.experts.{expert}.w1",
      "block_sparse_moe.experts.{expert}.w3",
      "block_sparse_moe.experts.{expert}.w2",
    ]),
  ],
};
