/** The tiny models of families with designs as GGUF files: the same numbers under the names and in the order of llama.cpp. */
import { memorySource, openCheckpoint, writeGguf, type MetadataValue } from "../../compiler/checkpoints/index.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import {
  designOfConfig,
  designOfGguf,
  expectedTensors,
  type StoredTensor,
} from "../../compiler/checkpoints/import/designs/index.js";
import { tinyVocabulary } from "../support/tiny-checkpoints.js";
import { designConfigs, designTensors, type Json, type NamedTensor } from "./designs.js";

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
  // As converters write it since 2025: the two halves of kv_b apart, keys counted for the absorbed form of one shared head.
  "deepseek-v3 with its latents apart": {
    config: configOf("deepseek-v3"),
    keys: {
      ...mla,
      "attention.head_count_kv": 1,
      "attention.key_length": 40,
      "attention.value_length": 32,
      "attention.key_length_mla": 24,
      "attention.value_length_mla": 24,
    },
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

/** Numbers of one parameter in one layer over its named axes. */
interface Named {
  readonly axes: readonly string[];
  readonly sizes: readonly number[];
  readonly values: Float32Array;
  readonly interleaved: boolean;
}

const own = ({ axes }: StoredTensor): readonly string[] => axes.map((axis) => axis.split("=")[0]!);

/** Rearranges to other axes in order; `at` fixes one axis that the result lacks. */
function taken(from: Named, axes: readonly string[], at: Readonly<Record<string, number>> = {}): Float32Array {
  const sizeOf = (axis: string): number => from.sizes[from.axes.indexOf(axis)]!;
  const stride = (axis: string): number =>
    from.sizes.slice(from.axes.indexOf(axis) + 1).reduce((product, size) => product * size, 1);
  const start = Object.entries(at).reduce((sum, [axis, index]) => sum + index * stride(axis), 0);
  const sizes = axes.map(sizeOf);
  const out = new Float32Array(sizes.reduce((product, size) => product * size, 1));
  for (let i = 0; i < out.length; i++) {
    let rest = i;
    let place = start;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      place += (rest % sizes[axis]!) * stride(axes[axis]!);
      rest = Math.floor(rest / sizes[axis]!);
    }
    out[i] = from.values[place]!;
  }
  return out;
}

/** Entry i and i + C / 2 of a head as 2 i and 2 i + 1, C being the second axis. */
function paired(values: Float32Array, sizes: readonly number[]): Float32Array {
  const width = sizes[1]!;
  const inner = sizes.slice(2).reduce((product, size) => product * size, 1);
  const out = new Float32Array(values.length);
  for (let head = 0; head < sizes[0]!; head++)
    for (let c = 0; c < width; c++) {
      const to = (c % (width / 2)) * 2 + Math.floor(c / (width / 2));
      const row = (head * width + c) * inner;
      out.set(values.subarray(row, row + inner), (head * width + to) * inner);
    }
  return out;
}

/** What the Hugging Face tensors say of each parameter and layer, experts joined. */
function parametersOf(config: Json, tensors: readonly NamedTensor[]): ReadonlyMap<string, Named> {
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  const found = new Map<string, Named>();
  const parts = new Map<string, Float32Array[]>();
  for (const { name, shape, tensor, layer, expert } of expectedTensors(designOfConfig(config)!.design)) {
    const key = `${tensor.path} ${String(layer)}`;
    const interleaved = tensor.interleaved === true;
    if (expert === undefined) {
      found.set(key, { axes: own(tensor), sizes: shape, values: values.get(name)!, interleaved });
      continue;
    }
    const list = parts.get(key) ?? [];
    list.push(values.get(name)!);
    parts.set(key, list);
    const all = Float32Array.from(list.flatMap((part) => [...part]));
    found.set(key, { axes: ["E", ...own(tensor)], sizes: [list.length, ...shape], values: all, interleaved });
  }
  return found;
}

function valuesFor(params: ReadonlyMap<string, Named>, tensor: StoredTensor, layer: number | undefined): Float32Array {
  const axes = own(tensor);
  const direct = params.get(`${tensor.path} ${String(layer)}`);
  if (direct) {
    const sizes = axes.map((axis) => direct.sizes[direct.axes.indexOf(axis)]!);
    const values = taken(direct, axes);
    return tensor.interleaved && !direct.interleaved ? paired(values, sizes) : values;
  }
  // Keys and values of latents are one tensor there: U is the width of a key, then that of a value.
  const half = /\battn\.(k|v)_up$/.exec(tensor.path)?.[1];
  const latents = half && params.get(`${tensor.path.replace(/[kv]_up$/, "kv_up")} ${String(layer)}`);
  if (latents) return halfOf(latents, axes, half === "k" ? [0, MLA_KEY] : [MLA_KEY, latents.sizes[1]!]);
  // Gate and up are one tensor there and two here.
  const joined = params.get(`${tensor.path.replace(/\b(gate|up)(_bias)?$/, "gate_up$2")} ${String(layer)}`);
  if (!joined) throw new Error(`no numbers for ${tensor.path}`);
  return taken(joined, axes, { Z: /\bup(_bias)?$/.test(tensor.path) ? 1 : 0 });
}

/** Width of the part of a key that does not turn, in the models with latents. */
const MLA_KEY = Number(designConfigs["deepseek-v3"]!["qk_nope_head_dim"]);

/** Rows `from` to `to` of each head of [H, U, K], over `axes`, in which U is called C or W. */
function halfOf(
  { sizes, values }: Named,
  axes: readonly string[],
  [from, to]: readonly [number, number],
): Float32Array {
  const [heads = 0, all = 0, width = 0] = sizes;
  const parts = Array.from({ length: heads }, (_, head) =>
    values.subarray((head * all + from) * width, (head * all + to) * width),
  );
  const own = axes.find((axis) => axis === "C" || axis === "W")!;
  const cut = { axes: ["H", own, "K"], sizes: [heads, to - from, width], interleaved: false };
  return taken({ ...cut, values: Float32Array.from(parts.flatMap((part) => [...part])) }, axes);
}

/** Bytes of the GGUF file of a family. */
export function designGguf(family: GgufFamily, tensors = designTensors(family.config)): Uint8Array {
  const { architecture } = designOfConfig(family.config)!.family;
  const metadata = metadataOf(family, architecture!);
  const params = parametersOf(family.config, tensors);
  const isTied = !params.has("output undefined");
  const marks = ["token_embd.weight", ...(isTied ? [] : ["output.weight"]), ...(family.marks ?? [])];
  const vocabulary = Number(family.config["vocab_size"]);
  const stub = writeGguf({
    metadata,
    tensors: marks.map((name) => ({
      name,
      shape: [vocabulary, 64],
      type: "f32",
      data: () => new Uint8Array(vocabulary * 256),
    })),
  });
  const { design } = designOfGguf(openCheckpoint(memorySource(stub)))!;
  return writeGguf({
    metadata,
    tensors: expectedTensors(design).map(({ name, shape, tensor, layer }) => {
      const values = valuesFor(params, tensor, layer);
      return { name, shape: merged(tensor, shape), type: "f32" as const, data: () => new Uint8Array(values.buffer) };
    }),
  });
}

/** Rows of heads lie merged in files: [H, C, D] is [H C, D], [D, H, C] is [D, H C]; experts and latents apart keep all axes. */
function merged(tensor: StoredTensor, shape: readonly number[]): readonly number[] {
  const axes = own(tensor);
  const isApart = /_up$/.test(tensor.path) && axes.includes("K") && !axes.includes("U") && axes.length === 3;
  if (axes.length < 2 || axes[0] === "E" || isApart) return shape;
  if (axes.length === 2) return axes[1] === "C" ? [shape[0]! * shape[1]!] : shape;
  return axes[0] === "D" && axes.at(-1) !== "D"
    ? [shape[0]!, shape.slice(1).reduce((product, size) => product * size, 1)]
    : [shape.slice(0, -1).reduce((product, size) => product * size, 1), shape.at(-1)!];
}

export const designGgufCheckpoint = (family: GgufFamily): Checkpoint =>
  openCheckpoint(memorySource(designGguf(family)));
