import { attentionBias, attentionTensors, decoderFlags, decoderNumbers, denseTensors, outerTensors } from "./common.js";
import type { Family } from "./types.js";

/** Dense Llama 1 to 3. */
export const llama: Family = {
  name: "llama",
  modelType: "llama",
  className: "LlamaForCausalLM",
  architecture: "llama",
  prefixes: ["model.", ""],
  numbers: decoderNumbers,
  flags: { ...decoderFlags, qkvBias: attentionBias("attn_q"), outputBias: attentionBias("attn_output") },
  qkNorm: "none",
  activations: ["silu"],
  tensors: [
    ...outerTensors,
    {
      key: "rope_factors",
      shape: ({ headWidth }) => [headWidth / 2],
      // Hugging Face computes them from `rope_scaling`; only GGUF stores them.
      hf: "rope_freqs.weight",
      gguf: "rope_freqs.weight",
      when: ({ ropeScaling }) => ropeScaling?.kind === "factors",
      matrix: false,
    },
    ...attentionTensors(true),
    ...denseTensors,
  ],
};
