import { absent, decoderFlags, decoderNumbers } from "./common.js";
import type { Family, FamilyConfig, TensorRule } from "./types.js";

const layer = "{prefix}encoder.layer.{layer}.";

/** A projection or norm with its bias. */
function withBias(
  key: string,
  hf: string,
  gguf: string,
  shape: (config: FamilyConfig) => readonly number[],
): TensorRule[] {
  return [
    { key, shape, hf: `${hf}.weight`, gguf: `${gguf}.weight`, matrix: !hf.endsWith("LayerNorm") },
    {
      key: `${key}_bias`,
      shape: (config) => [shape(config)[0]!],
      hf: `${hf}.bias`,
      gguf: `${gguf}.bias`,
      matrix: false,
    },
  ];
}

const square = ({ width }: FamilyConfig): readonly number[] => [width, width];
const vector = ({ width }: FamilyConfig): readonly number[] => [width];
const inLayer = (
  key: string,
  hf: string,
  gguf: string,
  shape: (config: FamilyConfig) => readonly number[],
): TensorRule[] => withBias(`layers.{layer}.${key}`, `${layer}${hf}`, `blk.{layer}.${gguf}`, shape);

const table = (key: string, hf: string, gguf: string, rows: "vocab" | "context" | "typeVocab"): TensorRule => ({
  key,
  shape: (config) => [config[rows], config.width],
  hf: `{prefix}embeddings.${hf}.weight`,
  gguf: `${gguf}.weight`,
  matrix: true,
});

/** BERT: an encoder with learned positions, norms after the residual sums, biases everywhere. No output projection. */
export const bert: Family = {
  name: "bert",
  modelType: "bert",
  className: "BertModel",
  architecture: "bert",
  prefixes: ["", "bert."],
  numbers: {
    ...decoderNumbers,
    kvHeads: { otherwise: ({ heads }) => heads },
    ropeTheta: absent,
    normEps: { hf: ["layer_norm_eps"], gguf: "attention.layer_norm_epsilon", real: true, otherwise: 1e-12 },
    typeVocab: { hf: ["type_vocab_size"], gguf: "token_type_count", otherwise: 2 },
  },
  flags: {
    ...decoderFlags,
    tied: { otherwise: true },
    qkvBias: { otherwise: true },
    outputBias: { otherwise: true },
    ffnBias: { otherwise: true },
  },
  qkNorm: "none",
  activations: ["gelu", "gelu_tanh", "relu"],
  tensors: [
    table("embed", "word_embeddings", "token_embd", "vocab"),
    table("position_embed", "position_embeddings", "position_embd", "context"),
    table("type_embed", "token_type_embeddings", "token_types", "typeVocab"),
    ...withBias("embed_norm", "{prefix}embeddings.LayerNorm", "token_embd_norm", vector),
    ...inLayer("query", "attention.self.query", "attn_q", square),
    ...inLayer("key", "attention.self.key", "attn_k", square),
    ...inLayer("value", "attention.self.value", "attn_v", square),
    ...inLayer("attention_output", "attention.output.dense", "attn_output", square),
    ...inLayer("attention_norm", "attention.output.LayerNorm", "attn_output_norm", vector),
    ...inLayer("up", "intermediate.dense", "ffn_up", ({ width, ffnWidth }) => [ffnWidth, width]),
    ...inLayer("down", "output.dense", "ffn_down", ({ width, ffnWidth }) => [width, ffnWidth]),
    ...inLayer("ffn_norm", "output.LayerNorm", "layer_output_norm", vector),
  ],
};
