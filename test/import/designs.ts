/** Tiny models of the families that have designs: their `config.json`, and a checkpoint with weights from a hash. */
import { memorySource, openCheckpoint, writeSafetensors } from "../../compiler/checkpoints/index.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { designOfConfig, expectedTensors } from "../../compiler/checkpoints/import/designs/index.js";
import { noise } from "../support/noise.js";

export type Json = Readonly<Record<string, unknown>>;

const base = {
  hidden_size: 64,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 320,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
};

const mla = {
  ...base,
  num_attention_heads: 4,
  kv_lora_rank: 32,
  q_lora_rank: 48,
  qk_nope_head_dim: 16,
  qk_rope_head_dim: 8,
  v_head_dim: 24,
  intermediate_size: 96,
  moe_intermediate_size: 32,
  n_routed_experts: 16,
  n_shared_experts: 2,
  num_experts_per_tok: 4,
  first_k_dense_replace: 1,
};

const yarn = {
  type: "yarn",
  factor: 4,
  original_max_position_embeddings: 64,
  beta_fast: 32,
  beta_slow: 1,
};

/** By what is special about them. */
export const designConfigs: Readonly<Record<string, Json>> = {
  "deepseek-v2-lite": {
    ...mla,
    model_type: "deepseek_v2",
    q_lora_rank: null,
    topk_method: "greedy",
    scoring_func: "softmax",
    norm_topk_prob: false,
    routed_scaling_factor: 1,
    n_group: 1,
    topk_group: 1,
  },
  "deepseek-v2": {
    ...mla,
    model_type: "deepseek_v2",
    topk_method: "group_limited_greedy",
    scoring_func: "softmax",
    norm_topk_prob: false,
    routed_scaling_factor: 16,
    n_group: 4,
    topk_group: 2,
    rope_scaling: { ...yarn, mscale: 0.707, mscale_all_dim: 0.707 },
  },
  "deepseek-v3": {
    ...mla,
    model_type: "deepseek_v3",
    topk_method: "noaux_tc",
    scoring_func: "sigmoid",
    norm_topk_prob: true,
    routed_scaling_factor: 2.5,
    n_group: 4,
    topk_group: 2,
    n_shared_experts: 1,
  },
  "gpt-oss": {
    ...base,
    model_type: "gpt_oss",
    head_dim: 32,
    num_local_experts: 8,
    num_experts_per_tok: 3,
    intermediate_size: 48,
    sliding_window: 4,
    swiglu_limit: 7,
    layer_types: ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    rope_scaling: { ...yarn, rope_type: "yarn", truncate: false },
  },
  "gpt-oss without scaling": {
    ...base,
    model_type: "gpt_oss",
    head_dim: 32,
    num_local_experts: 8,
    num_experts_per_tok: 3,
    intermediate_size: 48,
    sliding_window: 4,
    swiglu_limit: 7,
  },
  "glm-4.5": {
    ...base,
    model_type: "glm4_moe",
    head_dim: 32,
    partial_rotary_factor: 0.5,
    n_routed_experts: 8,
    n_shared_experts: 1,
    num_experts_per_tok: 3,
    moe_intermediate_size: 32,
    intermediate_size: 96,
    first_k_dense_replace: 1,
    routed_scaling_factor: 2.5,
    norm_topk_prob: true,
    n_group: 1,
    topk_group: 1,
    use_qk_norm: true,
    attention_bias: true,
  },
  granite: {
    ...base,
    model_type: "granitemoe",
    tie_word_embeddings: true,
    num_local_experts: 8,
    num_experts_per_tok: 3,
    intermediate_size: 32,
    embedding_multiplier: 12,
    attention_multiplier: 0.1,
    residual_multiplier: 0.22,
    logits_scaling: 6,
  },
  "granite with a shared expert": {
    ...base,
    model_type: "granitemoeshared",
    num_local_experts: 8,
    num_experts_per_tok: 3,
    intermediate_size: 32,
    shared_intermediate_size: 48,
    embedding_multiplier: 12,
    attention_multiplier: 0.1,
    residual_multiplier: 0.22,
    logits_scaling: 6,
  },
  "phi-3.5-moe": {
    ...base,
    model_type: "phimoe",
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 48,
    attention_bias: true,
    lm_head_bias: true,
    router_jitter_noise: 0.3,
    rope_scaling: {
      type: "longrope",
      short_factor: new Array<number>(8).fill(1),
      long_factor: new Array<number>(8).fill(2),
      short_mscale: 1.243163121016122,
      long_mscale: 1.243163121016122,
      original_max_position_embeddings: 128,
    },
  },
  "llama-4": {
    ...base,
    model_type: "llama4_text",
    head_dim: 16,
    num_hidden_layers: 8,
    num_local_experts: 8,
    num_experts_per_tok: 1,
    intermediate_size: 48,
    intermediate_size_mlp: 96,
    interleave_moe_layer_step: 2,
    attention_chunk_size: 8,
    use_qk_norm: true,
    floor_scale: 4,
    attn_scale: 0.1,
    attn_temperature_tuning: true,
    no_rope_layers: [1, 1, 1, 0, 1, 1, 1, 0],
  },
  "lfm2-moe": {
    ...base,
    model_type: "lfm2_moe",
    num_experts: 8,
    num_experts_per_tok: 3,
    moe_intermediate_size: 32,
    intermediate_size: 96,
    num_dense_layers: 1,
    norm_eps: 1e-5,
    norm_topk_prob: true,
    use_expert_bias: true,
    conv_L_cache: 3,
    conv_bias: false,
    layer_types: ["conv", "conv", "full_attention", "conv"],
  },
  smallthinker: {
    ...base,
    model_type: "smallthinker",
    head_dim: 32,
    moe_num_primary_experts: 8,
    moe_num_active_primary_experts: 3,
    moe_ffn_hidden_size: 32,
    moe_primary_router_apply_softmax: false,
    norm_topk_prob: true,
    sliding_window_size: 6,
    sliding_window_layout: [0, 1, 1, 1],
    rope_layout: [0, 1, 1, 1],
  },
  dbrx: {
    model_type: "dbrx",
    d_model: 64,
    n_layers: 3,
    n_heads: 4,
    vocab_size: 320,
    max_seq_len: 256,
    attn_config: { kv_n_heads: 2, clip_qkv: 1.5, rope_theta: 10_000 },
    ffn_config: { ffn_hidden_size: 48, moe_num_experts: 8, moe_top_k: 4, moe_normalize_expert_weights: 1 },
  },
  arctic: {
    ...base,
    model_type: "arctic",
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 48,
    use_residual: true,
    moe_layer_frequency: 1,
  },
  "pangu-pro-moe": {
    ...base,
    model_type: "PanguProMoE",
    num_experts: 16,
    num_experts_per_tok: 8,
    num_expert_groups: 8,
    moe_intermediate_size: 24,
    shared_expert_intermediate_size: 48,
  },
  jetmoe: {
    ...base,
    model_type: "jetmoe",
    kv_channels: 16,
    num_local_experts: 4,
    num_experts_per_tok: 2,
    intermediate_size: 48,
    tie_word_embeddings: true,
  },
};

/** Values of a tensor by its name, sized so that what goes through it keeps its size. */
export function hashed(name: string, shape: readonly number[], inputs: number, seed = 1): Float32Array {
  const isNorm = /norm[^.]*\.weight$|norm_[12f]\.weight$|router_scale$/.test(name);
  const isBias = /bias$|sinks$/.test(name);
  const gain = /gate\.weight$|router[a-z_.]*weight$/.test(name) ? 3 : 1;
  const spread =
    isNorm || isBias ? 0.3 : /embed_tokens|wte|embeddings?\.weight$/.test(name) ? 1 : gain * Math.sqrt(3 / inputs);
  const count = shape.reduce((product, size) => product * size, 1);
  return noise(name, count, { seed, middle: isNorm ? 1 : 0, spread });
}

/** A tensor by name, row-major over its stored axes. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Every tensor of a tiny model under its Hugging Face name. */
export function designTensors(config: Json, seed = 1): readonly NamedTensor[] {
  const { design } = designOfConfig(config)!;
  return expectedTensors(design).map(({ name, shape }) => {
    const inputs = Math.max(shape.at(-1)!, 8);
    return { name, shape, values: hashed(name, shape, inputs, seed) };
  });
}

/** A Hugging Face checkpoint of a tiny model. */
export function designCheckpoint(tensors: readonly NamedTensor[]): Checkpoint {
  const sources = tensors.map(({ name, shape, values }) => ({
    name,
    shape,
    type: "f32" as const,
    data: () => new Uint8Array(values.buffer),
  }));
  return openCheckpoint(memorySource(writeSafetensors({ tensors: sources })));
}
