/** Small models of every family, and of every option that a family has, with weights from a hash. */
import {
  type FamilyConfig,
  type FamilyTensor,
  ggufMetadata,
  ggufTensors,
  hfConfig,
  hfTensors,
} from "../../compiler/checkpoints/families/index.js";
import {
  type Checkpoint,
  memorySource,
  openCheckpoint,
  writeGguf,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import { type EncodableType } from "../../compiler/checkpoints/index.js";
import { tinyBert, tinyConfigs, tinyDense, tinyValues, tinyVocabulary } from "../support/tiny-checkpoints.js";

const dense: FamilyConfig = { ...tinyDense, ropeTheta: 10000 };

/** Llama 3.1's scaling with bands that this small context meets all three of. */
const llama3 = {
  kind: "llama3",
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalContext: 64,
} as const;

/** Weights by hash; factors of rotary positions are divisors from 1 to 8, as converters write them. */
export function testValues(tensor: FamilyTensor): Float32Array {
  if (tensor.key !== "rope_factors") return tinyValues(tensor);
  const [count = 0] = tensor.shape;
  return Float32Array.from({ length: count }, (_, i) => 1 + (7 * i) / (count - 1));
}

/** Names say the family and what is special. */
export const configs: Readonly<Record<string, FamilyConfig>> = {
  ...tinyConfigs,
  llama: dense,
  qwen2: { ...dense, family: "qwen2", qkvBias: true, tied: true },
  qwen3: { ...dense, family: "qwen3", headWidth: 64, qkNorm: "head", tied: true },
  bert: tinyBert,
};

/** Options beyond the families' usual ones; not all can be written as GGUF. */
export const variants: Readonly<Record<string, FamilyConfig>> = {
  "llama with biases": { ...dense, qkvBias: true, outputBias: true },
  "llama with linear positions": { ...dense, ropeScaling: { kind: "linear", factor: 4 } },
  "llama with Llama 3 positions": { ...dense, ropeScaling: llama3, tied: true },
  "qwen3 with Llama 3 positions": { ...dense, family: "qwen3", qkNorm: "head", ropeScaling: llama3 },
  "mixtral with a window": { ...tinyConfigs.mixtral, slidingWindow: 4 },
  "olmoe that clips": { ...tinyConfigs.olmoe, clipQkv: 0.5, kvHeads: 2 },
  "olmoe that renormalizes": { ...tinyConfigs.olmoe, normalizeTopK: true },
  "qwen2-moe with a dense layer": { ...tinyConfigs["qwen2-moe"], layers: 4, denseLayers: [1] },
  "qwen3-moe with every other layer dense": { ...tinyConfigs["qwen3-moe"], layers: 4, denseLayers: [0, 2] },
  "qwen3-moe without a sparse layer": { ...tinyConfigs["qwen3-moe"], denseLayers: [0, 1] },
  "bert with tanh": { ...(configs["bert"] as FamilyConfig), activation: "gelu_tanh" },
};

/** Options that only GGUF files say in this way; llama.cpp has them too. */
export const ggufVariants: Readonly<Record<string, FamilyConfig>> = {
  "llama with biases": variants["llama with biases"]!,
  "llama with linear positions": variants["llama with linear positions"]!,
  "llama with stored factors": { ...dense, ropeScaling: { kind: "factors" } },
};

/** Bytes of a GGUF file with matrices stored as `type`. */
export function ggufBytes(config: FamilyConfig, type: EncodableType = "f32"): Uint8Array {
  const metadata = new Map([...ggufMetadata(config, "test"), ...tinyVocabulary(config.vocab)]);
  return writeGguf({ metadata, tensors: ggufTensors(config, testValues, type) });
}

export function ggufOf(config: FamilyConfig, type: EncodableType = "f32"): Checkpoint {
  return openCheckpoint(memorySource(ggufBytes(config, type)));
}

/** A Hugging Face checkpoint and its `config.json`. */
export function hfOf(config: FamilyConfig): {
  readonly checkpoint: Checkpoint;
  readonly config: Record<string, unknown>;
} {
  const bytes = writeSafetensors({ tensors: hfTensors(config, testValues, "f32") });
  return { checkpoint: openCheckpoint(memorySource(bytes)), config: hfConfig(config) };
}
