/** The tiny models of families with designs as GGUF files: the same numbers under the names and in the order of llama.cpp. */
import {
  fromF32,
  memorySource,
  openCheckpoint,
  writeGguf,
  type MetadataValue,
} from "../../compiler/checkpoints/index.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { designTensors as ggufTensorsOf } from "../../compiler/checkpoints/export-gguf/design-tensors.js";
import { designOfConfig, designOfGguf } from "../../compiler/checkpoints/import/designs/index.js";
import { tinyVocabulary } from "../support/tiny-checkpoints.js";
import { designCheckpoint, designConfigs, designTensors, type Json } from "./designs.js";

type Keys = Readonly<Record<string, number | boolean | string | readonly number[]>>;

export interface GgufFamily {
  readonly config: Json;
  /** Metadata beside what all families have, without the architecture in front. */
  readonly keys: Keys;
  /** Tensors that say by being there that the model has them. */
  readonly marks?: readonly string[];
  /** Why llama.cpp computes something else. */
  readonly differs?: string;
}

const configOf = (name: string, changes: Json = {}): Json => ({ ...designConfigs[name]!, ...changes });

const mla: Keys = {
  feed_forward_length: 96,
  "attention.head_count_kv": 4,
  "attention.kv_lora_rank": 32,
  "attention.q_lora_rank": 48,
  "attention.key_length": 24,
  "attention.value_length": 24,
  "rope.dimension_count": 8,
  expert_count: 16,
  expert_used_count: 4,
  expert_feed_forward_length: 32,
  expert_shared_count: 1,
  leading_dense_block_count: 1,
  expert_group_count: 4,
  expert_group_used_count: 2,
  expert_weights_scale: 2.5,
  expert_weights_norm: true,
  expert_gating_func: 2,
};

/** As converters write attention with latents since 2025. */
const latentsApart: Keys = {
  "attention.head_count_kv": 1,
  "attention.key_length": 40,
  "attention.value_length": 32,
  "attention.key_length_mla": 24,
  "attention.value_length_mla": 24,
};

/** DeepSeek-V2: a softmax over all experts, weights not divided by their sum. */
const softmaxMla: Keys = {
  feed_forward_length: 96,
  "attention.head_count_kv": 4,
  "attention.kv_lora_rank": 32,
  "attention.key_length": 24,
  "attention.value_length": 24,
  "rope.dimension_count": 8,
  expert_count: 16,
  expert_used_count: 4,
  expert_feed_forward_length: 32,
  expert_shared_count: 2,
  leading_dense_block_count: 1,
  expert_weights_scale: 1,
  expert_weights_norm: false,
  expert_gating_func: 1,
};

const granite: Keys = {
  feed_forward_length: 32,
  expert_count: 8,
  expert_used_count: 3,
  embedding_scale: 12,
  "attention.scale": 0.1,
  residual_scale: 0.22,
  logit_scale: 6,
  "rope.dimension_count": 16,
};

/** By the names of `designConfigs`; constants that llama.cpp has in its code are in the configs here. */
export const ggufFamilies: Readonly<Record<string, GgufFamily>> = {
  "deepseek-v3": { config: configOf("deepseek-v3"), keys: mla },
  // The two halves of kv_b apart, keys counted for the absorbed form of one shared head.
  "deepseek-v3 with its latents apart": {
    config: configOf("deepseek-v3"),
    keys: { ...mla, ...latentsApart },
    marks: ["blk.0.attn_k_b.weight"],
  },
  // Files of V2 do not say that experts are chosen by groups, and so llama.cpp chooses among all.
  // The 16 of the release would let experts outweigh the residual stream of random weights, and gated products then double
  // what f32 rounds, layer by layer.
  "deepseek-v2": {
    config: configOf("deepseek-v2", { topk_method: "greedy", n_group: 1, topk_group: 1, routed_scaling_factor: 2 }),
    keys: {
      ...softmaxMla,
      "attention.q_lora_rank": 48,
      expert_weights_scale: 2,
      "rope.scaling.type": "yarn",
      "rope.scaling.factor": 4,
      "rope.scaling.original_context_length": 64,
      // A tenth of `mscale_all_dim`.
      "rope.scaling.yarn_log_multiplier": 0.0707,
    },
  },
  "gpt-oss": {
    config: configOf("gpt-oss without scaling"),
    keys: {
      "attention.key_length": 32,
      "attention.value_length": 32,
      "attention.sliding_window": 4,
      feed_forward_length: 48,
      expert_feed_forward_length: 48,
      expert_count: 8,
      expert_used_count: 3,
    },
  },
  "glm-4.5": {
    config: configOf("glm-4.5"),
    keys: {
      "attention.key_length": 32,
      "attention.value_length": 32,
      "rope.dimension_count": 16,
      feed_forward_length: 96,
      expert_feed_forward_length: 32,
      expert_shared_count: 1,
      expert_count: 8,
      expert_used_count: 3,
      leading_dense_block_count: 1,
      expert_weights_scale: 2.5,
      expert_weights_norm: true,
      expert_gating_func: 2,
    },
    marks: ["blk.0.attn_q.bias", "blk.0.attn_q_norm.weight"],
  },
  granite: { config: configOf("granite"), keys: granite },
  "granite with a shared expert": {
    config: configOf("granite with a shared expert"),
    keys: { ...granite, expert_shared_feed_forward_length: 48 },
  },
  "phi-3.5-moe": {
    // GGUF does not carry the router's number: 0.01 is the release's.
    config: configOf("phi-3.5-moe", { router_jitter_noise: 0.01 }),
    keys: {
      feed_forward_length: 48,
      expert_count: 8,
      expert_used_count: 2,
      "rope.dimension_count": 16,
      "rope.scaling.type": "longrope",
      "rope.scaling.attn_factor": 1.243163121016122,
      "rope.scaling.original_context_length": 128,
    },
    marks: ["blk.0.attn_q.bias", "output.bias"],
    differs: "a plain softmax of two experts in place of SparseMixer, and other norms",
  },
  "llama-4": {
    config: configOf("llama-4", { attention_chunk_size: 8192, floor_scale: 8192 }),
    keys: {
      "attention.key_length": 16,
      "attention.value_length": 16,
      "rope.dimension_count": 16,
      feed_forward_length: 96,
      expert_feed_forward_length: 48,
      expert_count: 8,
      expert_used_count: 1,
      interleave_moe_layer_step: 2,
    },
  },
  "lfm2-moe": {
    config: configOf("lfm2-moe"),
    keys: {
      "attention.head_count_kv": [0, 0, 2, 0],
      "shortconv.l_cache": 3,
      feed_forward_length: 96,
      expert_feed_forward_length: 32,
      expert_count: 8,
      expert_used_count: 3,
      leading_dense_block_count: 1,
      expert_gating_func: 2,
    },
  },
  smallthinker: {
    // Of as many layers as positions skip, llama.cpp turns all.
    config: configOf("smallthinker", {
      num_hidden_layers: 5,
      sliding_window_size: 4096,
      sliding_window_layout: [0, 1, 1, 1, 0],
      rope_layout: [0, 1, 1, 1, 0],
    }),
    keys: {
      "attention.key_length": 32,
      "attention.value_length": 32,
      "rope.dimension_count": 32,
      "attention.sliding_window": 4096,
      feed_forward_length: 32,
      expert_feed_forward_length: 32,
      expert_count: 8,
      expert_used_count: 3,
      expert_gating_func: 2,
    },
  },
  dbrx: {
    config: configOf("dbrx"),
    keys: {
      "attention.layer_norm_epsilon": 1e-5,
      "attention.clamp_kqv": 1.5,
      feed_forward_length: 48,
      expert_count: 8,
      expert_used_count: 4,
    },
  },
  arctic: {
    config: configOf("arctic"),
    keys: { feed_forward_length: 48, expert_count: 8, expert_used_count: 2, "rope.dimension_count": 16 },
  },
};

/** Those whose number of layers tells llama.cpp what they are: too many for plain loops. */
export const deepGgufFamilies: typeof ggufFamilies = {
  // Of 27 layers: queries have no latent.
  "deepseek-v2-lite": { config: configOf("deepseek-v2-lite", { num_hidden_layers: 27 }), keys: softmaxMla },
};

/** As Scout's; GGUF files have the table `rope_freqs.weight` for it. */
const stretchedLlama4: Json = {
  ...ggufFamilies["llama-4"]!.config,
  rope_scaling: {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  },
};

/** Families that `moec export` writes, by name, with the keys that their files have. */
export const exportedDesigns: readonly (readonly [string, GgufFamily])[] = Object.entries({
  ...ggufFamilies,
  ...deepGgufFamilies,
})
  .filter(([name, { differs }]) => differs === undefined && !name.endsWith("apart"))
  .concat([["llama-4 with stretched positions", { ...ggufFamilies["llama-4"]!, config: stretchedLlama4 }]])
  .map(([name, family]) => [name, name.startsWith("deepseek") ? withApart(family) : family]);

function withApart(family: GgufFamily): GgufFamily {
  return { ...family, keys: { ...family.keys, ...latentsApart } };
}

/** Metadata that the file of a family has. */
export const metadataOfFamily = (family: GgufFamily): ReadonlyMap<string, MetadataValue> =>
  metadataOf(family, designOfConfig(family.config)!.family.architecture!);

function valueOf(value: Keys[string], key: string): MetadataValue {
  if (typeof value === "string") return { type: "string", value };
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value !== "number") return { type: "array", of: "u32", values: Uint32Array.from(value) };
  return { type: Number.isInteger(value) && !/scale$|clamp|factor/.test(key) ? "u32" : "f32", value };
}

function metadataOf({ config, keys }: GgufFamily, architecture: string): ReadonlyMap<string, MetadataValue> {
  const vocabulary = Number(config["vocab_size"]);
  const common: Keys = {
    block_count: Number(config["num_hidden_layers"] ?? config["n_layers"]),
    context_length: 256,
    embedding_length: 64,
    vocab_size: vocabulary,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
  };
  const floats: Keys = { "attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 10_000 };
  return new Map<string, MetadataValue>([
    ["general.architecture", { type: "string", value: architecture }],
    ["general.name", { type: "string", value: `tiny ${architecture}` }],
    ...Object.entries({ ...common, ...keys }).map(
      ([key, value]) => [`${architecture}.${key}`, valueOf(value, key)] as const,
    ),
    ...Object.entries(floats).map(
      ([key, value]) => [`${architecture}.${key}`, { type: "f32", value } as MetadataValue] as const,
    ),
    ...tinyVocabulary(vocabulary),
  ]);
}

/** Bytes of the GGUF file of a family. */
export function designGguf(family: GgufFamily, tensors = designTensors(family.config)): Uint8Array {
  const from = designOfConfig(family.config)!;
  const metadata = metadataOf(family, from.family.architecture!);
  const isTied = !from.design.tensors.some(({ path }) => path === "output");
  const shape = [Number(family.config["vocab_size"]), 64];
  const marks = ["token_embd.weight", ...(isTied ? [] : ["output.weight"]), ...(family.marks ?? [])];
  const to = designOfGguf({ metadata, tensors: new Map(marks.map((name) => [name, { shape }])) })!;
  return writeGguf({
    metadata,
    tensors: ggufTensorsOf({
      checkpoint: designCheckpoint(tensors),
      from: from.design,
      to: to.design,
      typeOf: () => "f32",
      encode: (_, type, values) => fromF32(type, values),
    }),
  });
}

export const designGgufCheckpoint = (family: GgufFamily): Checkpoint =>
  openCheckpoint(memorySource(designGguf(family)));
