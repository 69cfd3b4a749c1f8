/**
 * Tiny random models of the four mixture-of-experts families, in both formats. Weights come from a hash of tensor name
 * and index, so a model is the same on every machine and in every format; they are scaled so that activations stay
 * finite and routing is not flat. llama.cpp loads the GGUF files: a SentencePiece vocabulary is embedded.
 */
import {
  type EncodableType,
  type MetadataValue,
  writeGguf,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import {
  type FamilyConfig,
  type FamilyTensor,
  ggufMetadata,
  ggufTensors,
  hfConfig,
  hfTensors,
} from "../../compiler/checkpoints/families/index.js";
import { noise } from "./noise.js";

/** Families that have a tiny model. */
export type TinyFamily = "olmoe" | "mixtral" | "qwen2-moe" | "qwen3-moe";

/** A small design without the additions of a family. */
export const plainConfig = {
  layers: 2,
  width: 128,
  heads: 4,
  kvHeads: 2,
  headWidth: 32,
  vocab: 512,
  context: 256,
  ffnWidth: 0,
  experts: 8,
  expertsPerToken: 2,
  expertWidth: 64,
  sharedWidth: 0,
  ropeTheta: 10000,
  normEps: 1e-5,
  typeVocab: 0,
  tied: false,
  normalizeTopK: false,
  qkvBias: false,
  outputBias: false,
  ffnBias: false,
  qkNorm: "none",
  activation: "silu",
  denseLayers: [],
} as const;

/** Their configs. Each differs from the others in what its family adds; rows are whole blocks of 32. */
export const tinyConfigs: Readonly<Record<TinyFamily, FamilyConfig>> = {
  olmoe: {
    ...plainConfig,
    family: "olmoe",
    kvHeads: 4,
    experts: 64,
    expertsPerToken: 8,
    expertWidth: 32,
    qkNorm: "full",
  },
  mixtral: { ...plainConfig, family: "mixtral", ropeTheta: 1e6, normalizeTopK: true },
  "qwen2-moe": {
    ...plainConfig,
    family: "qwen2-moe",
    ffnWidth: 128,
    sharedWidth: 96,
    ropeTheta: 1e6,
    normEps: 1e-6,
    qkvBias: true,
  },
  "qwen3-moe": {
    ...plainConfig,
    family: "qwen3-moe",
    headWidth: 64,
    experts: 16,
    expertsPerToken: 4,
    expertWidth: 32,
    ffnWidth: 96,
    ropeTheta: 1e6,
    normEps: 1e-6,
    normalizeTopK: true,
    qkNorm: "head",
  },
};

/** The dense family, of the same size. */
export const tinyDense: FamilyConfig = {
  ...tinyConfigs.mixtral,
  family: "llama",
  normalizeTopK: false,
  experts: 0,
  expertsPerToken: 0,
  expertWidth: 0,
  ffnWidth: 96,
};

/** An encoder, of the same size. */
export const tinyBert: FamilyConfig = {
  ...tinyDense,
  family: "bert",
  kvHeads: 4,
  ropeTheta: 0,
  normEps: 1e-12,
  typeVocab: 2,
  tied: true,
  qkvBias: true,
  outputBias: true,
  ffnBias: true,
  activation: "gelu",
};

/** All of them, for `it.each`. */
export const tinyFamilies = Object.keys(tinyConfigs) as TinyFamily[];

/** Middle and spread of a tensor's values. A matrix of spread sqrt(3 / inputs) keeps the size of what goes through it. */
function spreadOf({ key, shape }: FamilyTensor): { middle: number; spread: number } {
  if (key.endsWith("norm")) return { middle: 1, spread: 0.2 };
  if (key.endsWith("_bias")) return { middle: 0, spread: 0.2 };
  const inputs = shape.at(-1)!;
  if (key === "embed") return { middle: 0, spread: Math.sqrt(3) };
  const gain = key.endsWith("router") ? 3 : 1;
  return { middle: 0, spread: gain * Math.sqrt(3 / inputs) };
}

/** Values of one tensor, row-major, rotary rows in halves. */
export function tinyValues(tensor: FamilyTensor, seed = 1): Float32Array {
  const { middle, spread } = spreadOf(tensor);
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  return noise(tensor.key, count, { seed, middle, spread });
}

/** SentencePiece vocabulary: three specials, 256 bytes, small letters with and without a space, fillers. */
export function tinyVocabulary(size: number): Map<string, MetadataValue> {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const letters = Array.from("abcdefghijklmnopqrstuvwxyz");
  const pieces = [...letters.map((letter) => `▁${letter}`), "▁", ...letters];
  const named = ["<unk>", "<s>", "</s>", ...bytes, ...pieces];
  const fillers = Array.from({ length: size - named.length }, (_, i) => `filler${i}`);
  const types = [2, 3, 3, ...bytes.map(() => 6), ...[...pieces, ...fillers].map(() => 1)];
  const tokens = [...named, ...fillers];
  return new Map<string, MetadataValue>([
    ["tokenizer.ggml.model", { type: "string", value: "llama" }],
    ["tokenizer.ggml.tokens", { type: "array", of: "string", values: tokens }],
    ["tokenizer.ggml.scores", { type: "array", of: "f32", values: Float32Array.from(tokens, (_, id) => -id) }],
    ["tokenizer.ggml.token_type", { type: "array", of: "i32", values: Int32Array.from(types) }],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: 1 }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: 2 }],
    ["tokenizer.ggml.unknown_token_id", { type: "u32", value: 0 }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
  ]);
}

/** Bytes of a GGUF file with matrices stored as `type`. */
export function tinyGguf(family: TinyFamily, type: EncodableType, seed = 1): Uint8Array {
  const config = tinyConfigs[family];
  const metadata = new Map([...ggufMetadata(config, `tiny ${family}`), ...tinyVocabulary(config.vocab)]);
  return writeGguf({ metadata, tensors: ggufTensors(config, (tensor) => tinyValues(tensor, seed), type) });
}

/** The files of a Hugging Face folder. */
export interface TinyFolder {
  /** Text of `config.json`. */
  readonly config: string;
  /** Bytes of `model.safetensors`. */
  readonly model: Uint8Array;
}

/** A Hugging Face folder with all tensors stored as `type`. */
export function tinyHuggingFace(family: TinyFamily, type: "f32" | "f16" | "bf16", seed = 1): TinyFolder {
  const config = tinyConfigs[family];
  const tensors = hfTensors(config, (tensor) => tinyValues(tensor, seed), type);
  return {
    config: `${JSON.stringify({ ...hfConfig(config), torch_dtype: type }, null, 1)}\n`,
    model: writeSafetensors({ tensors, metadata: new Map([["format", "pt"]]) }),
  };
}
