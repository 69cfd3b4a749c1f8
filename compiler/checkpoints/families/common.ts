/** Fields and tensors that most decoder families share; the family files put them together. */
import { positionKeys } from "./positions.js";
import type { FamilyFlags, FamilyNumbers, FlagField, NumberField, TensorRule } from "./types.js";

/** The output projection in Hugging Face's layout. */
export const OUTPUT_TENSOR = "lm_head.weight";

/** A number that the family does not have. */
export const absent: NumberField = { otherwise: 0 };

/** Sizes of a dense decoder in the common spelling. */
export const decoderNumbers: Readonly<Record<keyof FamilyNumbers, NumberField>> = {
  layers: { hf: ["num_hidden_layers"], gguf: "block_count" },
  width: { hf: ["hidden_size"], gguf: "embedding_length" },
  heads: { hf: ["num_attention_heads"], gguf: "attention.head_count" },
  kvHeads: { hf: ["num_key_value_heads"], gguf: "attention.head_count_kv", otherwise: ({ heads }) => heads },
  headWidth: { hf: ["head_dim"], gguf: "attention.key_length", otherwise: ({ width, heads }) => width / heads },
  vocab: { hf: ["vocab_size"], gguf: "vocab_size" },
  context: { hf: ["max_position_embeddings"], gguf: "context_length" },
  ffnWidth: { hf: ["intermediate_size"], gguf: "feed_forward_length" },
  experts: absent,
  expertsPerToken: absent,
  expertWidth: absent,
  sharedWidth: absent,
  ropeTheta: { hf: positionKeys("rope_theta"), gguf: "rope.freq_base", real: true, otherwise: 10000 },
  normEps: { hf: ["rms_norm_eps"], gguf: "attention.layer_norm_rms_epsilon", real: true },
  typeVocab: absent,
};

const never: FlagField = { otherwise: false };

/** Flags of a decoder without biases whose output projection is its own unless the config says otherwise. */
export const decoderFlags: Readonly<Record<keyof FamilyFlags, FlagField>> = {
  tied: { hf: "tie_word_embeddings", otherwise: false, ggufTensor: { name: "output.weight", means: false } },
  normalizeTopK: never,
  qkvBias: never,
  outputBias: never,
  ffnBias: never,
};

/** Bias flag that `attention_bias` switches, and the GGUF tensor that shows it. */
export const attentionBias = (tensor: string): FlagField => ({
  hf: "attention_bias",
  otherwise: false,
  ggufTensor: { name: `blk.0.${tensor}.bias`, means: true },
});

const layer = "{prefix}layers.{layer}.";

/** Tensors of the embedding, the norms and the output. */
export const outerTensors: readonly TensorRule[] = [
  {
    key: "embed",
    shape: ({ vocab, width }) => [vocab, width],
    hf: "{prefix}embed_tokens.weight",
    gguf: "token_embd.weight",
    matrix: true,
  },
  { key: "norm", shape: ({ width }) => [width], hf: "{prefix}norm.weight", gguf: "output_norm.weight", matrix: false },
  {
    key: "output",
    shape: ({ vocab, width }) => [vocab, width],
    hf: OUTPUT_TENSOR,
    gguf: "output.weight",
    when: ({ tied }) => !tied,
    matrix: true,
  },
  {
    key: "layers.{layer}.attention_norm",
    shape: ({ width }) => [width],
    hf: `${layer}input_layernorm.weight`,
    gguf: "blk.{layer}.attn_norm.weight",
    matrix: false,
  },
  {
    key: "layers.{layer}.ffn_norm",
    shape: ({ width }) => [width],
    hf: `${layer}post_attention_layernorm.weight`,
    gguf: "blk.{layer}.ffn_norm.weight",
    matrix: false,
  },
];

type Sizes = (config: FamilyNumbers) => { rows: number; heads: number };
const queries: Sizes = ({ heads, headWidth }) => ({ rows: heads * headWidth, heads });
const keys: Sizes = ({ kvHeads, headWidth }) => ({ rows: kvHeads * headWidth, heads: kvHeads });

/**
 * Tensors of attention.
 *
 * @param interleaved whether the GGUF architecture pairs rotary channels (2i, 2i+1), so that its converter reordered
 * the rows of the query and key projections.
 */
export function attentionTensors(interleaved: boolean): readonly TensorRule[] {
  const projection = (key: string, hf: string, gguf: string, sizes: Sizes, turned: boolean): TensorRule[] => {
    const order = interleaved && turned ? { interleavedHeads: (config: FamilyNumbers) => sizes(config).heads } : {};
    return [
      {
        key: `layers.{layer}.${key}`,
        shape: (config) => [sizes(config).rows, config.width],
        hf: `${layer}self_attn.${hf}.weight`,
        gguf: `blk.{layer}.${gguf}.weight`,
        matrix: true,
        ...order,
      },
      {
        key: `layers.{layer}.${key}_bias`,
        shape: (config) => [sizes(config).rows],
        hf: `${layer}self_attn.${hf}.bias`,
        gguf: `blk.{layer}.${gguf}.bias`,
        when: ({ qkvBias }) => qkvBias,
        matrix: false,
        ...order,
      },
    ];
  };
  const norm = (key: string, hf: string, gguf: string, sizes: Sizes): TensorRule => ({
    key: `layers.{layer}.${key}`,
    shape: (config) => [config.qkNorm === "full" ? sizes(config).rows : config.headWidth],
    hf: `${layer}self_attn.${hf}.weight`,
    gguf: `blk.{layer}.${gguf}.weight`,
    when: ({ qkNorm }) => qkNorm !== "none",
    matrix: false,
  });
  return [
    ...projection("query", "q_proj", "attn_q", queries, true),
    ...projection("key", "k_proj", "attn_k", keys, true),
    ...projection("value", "v_proj", "attn_v", keys, false),
    {
      key: "layers.{layer}.attention_output",
      shape: ({ width, heads, headWidth }) => [width, heads * headWidth],
      hf: `${layer}self_attn.o_proj.weight`,
      gguf: "blk.{layer}.attn_output.weight",
      matrix: true,
    },
    {
      key: "layers.{layer}.attention_output_bias",
      shape: ({ width }) => [width],
      hf: `${layer}self_attn.o_proj.bias`,
      gguf: "blk.{layer}.attn_output.bias",
      when: ({ outputBias }) => outputBias,
      matrix: false,
    },
    norm("query_norm", "q_norm", "attn_q_norm", queries),
    norm("key_norm", "k_norm", "attn_k_norm", keys),
  ];
}

const isDense = (config: { experts: number; denseLayers: readonly number[] }, index: number): boolean =>
  config.experts === 0 || config.denseLayers.includes(index);

/** Gate, up and down projections of a gated feed-forward part. */
function gated(
  key: string,
  hf: readonly [string, string, string],
  gguf: string,
): Pick<TensorRule, "key" | "hf" | "gguf">[] {
  const [suffix = ""] = /_(exps|shexp)$/.exec(gguf) ?? [];
  return (["gate", "up", "down"] as const).map((part, i) => ({
    key: `layers.{layer}.${key}${part}`,
    hf: `${layer}${hf[i]!}.weight`,
    gguf: `blk.{layer}.ffn_${part}${suffix}.weight`,
  }));
}

/** Feed-forward part of dense layers. */
export const denseTensors: readonly TensorRule[] = gated(
  "",
  ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"],
  "ffn",
).map((names, i) => ({
  ...names,
  shape: ({ width, ffnWidth }) => (i === 2 ? [width, ffnWidth] : [ffnWidth, width]),
  when: isDense,
  matrix: true,
}));

/**
 * Router and experts.
 *
 * @param router Hugging Face name of the router inside a layer.
 * @param experts Hugging Face names of gate, up and down inside a layer, with `{expert}`.
 */
export function expertTensors(router: string, experts: readonly [string, string, string]): readonly TensorRule[] {
  const when = (config: { experts: number; denseLayers: readonly number[] }, index: number): boolean =>
    !isDense(config, index);
  const stacks = gated("experts.", experts, "ffn_exps").map((names, i): TensorRule => ({
    ...names,
    shape: ({ experts: count, width, expertWidth }) =>
      i === 2 ? [count, width, expertWidth] : [count, expertWidth, width],
    when,
    matrix: true,
  }));
  return [
    {
      key: "layers.{layer}.router",
      shape: ({ experts: count, width }) => [count, width],
      hf: `${layer}${router}.weight`,
      gguf: "blk.{layer}.ffn_gate_inp.weight",
      when,
      matrix: false,
    },
    ...stacks,
  ];
}

/** The shared expert of Qwen2-MoE and the vector whose sigmoid scales it. */
export const sharedExpertTensors: readonly TensorRule[] = [
  ...gated(
    "shared.",
    ["mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj", "mlp.shared_expert.down_proj"],
    "ffn_shexp",
  ).map((names, i): TensorRule => ({
    ...names,
    shape: ({ width, sharedWidth }) => (i === 2 ? [width, sharedWidth] : [sharedWidth, width]),
    when: (config, index) => !isDense(config, index),
    matrix: true,
  })),
  {
    key: "layers.{layer}.shared.scale",
    // One row of a matrix in Hugging Face files, a vector in GGUF.
    shape: ({ width }) => [width],
    hf: `${layer}mlp.shared_expert_gate.weight`,
    gguf: "blk.{layer}.ffn_gate_inp_shexp.weight",
    when: (config, index) => !isDense(config, index),
    matrix: false,
  },
];

/** Expert names of OLMoE and both Qwen families. */
export const mlpExperts = [
  "mlp.experts.{expert}.gate_proj",
  "mlp.experts.{expert}.up_proj",
  "mlp.experts.{expert}.down_proj",
] as const;
