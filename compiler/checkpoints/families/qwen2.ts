import { attentionTensors, decoderFlags, decoderNumbers, denseTensors, outerTensors } from "./common.js";
import type { Family } from "./types.js";

/** Dense Qwen2 and Qwen2.5: biases on queries, keys and values, none on the output. */
export const qwen2: Family = {
  name: "qwen2",
  modelType: "qwen2",
  className: "Qwen2ForCausalLM",
  architecture: "qwen2",
  prefixes: ["model.", ""],
  numbers: decoderNumbers,
  flags: { ...decoderFlags, qkvBias: { otherwise: true } },
  qkNorm: "none",
  activations: ["silu"],
  tensors: [...outerTensors, ...attentionTensors(false), ...denseTensors],
};
