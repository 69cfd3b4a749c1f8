import { attentionBias, attentionTensors, decoderFlags, decoderNumbers, denseTensors, outerTensors } from "./common.js";
import type { Family } from "./types.js";

/** Dense Qwen3: a norm on every head of queries and keys, heads of a width of their own. */
export const qwen3: Family = {
  name: "qwen3",
  modelType: "qwen3",
  className: "Qwen3ForCausalLM",
  architecture: "qwen3",
  prefixes: ["model.", ""],
  numbers: { ...decoderNumbers, headWidth: { ...decoderNumbers.headWidth, otherwise: 128 } },
  flags: { ...decoderFlags, qkvBias: attentionBias("attn_q"), outputBias: attentionBias("attn_output") },
  qkNorm: "head",
  activations: ["silu"],
  tensors: [...outerTensors, ...attentionTensors(false), ...denseTensors],
};
