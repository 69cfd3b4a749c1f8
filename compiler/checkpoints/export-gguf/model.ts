/**
 * A Hugging Face checkpoint as what goes into a GGUF file, without the tokenizer: metadata and tensors under the names and
 * in the orders of llama.cpp, from the same records that the import reads. Numbers are asked for tensor by tensor.
 */
import { type Encode, ggufMetadata, ggufTensors } from "../families/export.js";
import type { FamilyTensor } from "../families/tensors.js";
import type { FamilyConfig } from "../families/types.js";
import { readFamilyModel } from "../import/family-model.js";
import { type EncodableType, keptAs, STORAGE } from "../storage.js";
import type { Checkpoint, MetadataValue, TensorSource } from "../types.js";
import { refuseForReaders, requireGgufFamily, storesOutput } from "./readers.js";
import { llama3Factors } from "./rotary-factors.js";

/** What to export. */
export interface GgufExport {
  /** Safetensors. */
  readonly checkpoint: Checkpoint;
  /** `config.json` as parsed. */
  readonly config: unknown;
  /** `general.name`. */
  readonly name: string;
  /** How matrices are stored; as the checkpoint has its largest when absent. */
  readonly type?: EncodableType;
  /** Stored bytes of values; may refuse what a type does not hold. */
  readonly encode?: Encode;
}

/** The content of the file. */
export interface GgufModel {
  readonly family: string;
  readonly config: FamilyConfig;
  /** How matrices are stored, but for those that `others` says. */
  readonly type: EncodableType;
  /** Matrices in f16 because their rows are no whole blocks. */
  readonly others: readonly string[];
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorSource[];
}

/** `general.file_type` of llama.cpp: what most matrices are. */
const FILE_TYPES: Readonly<Record<EncodableType, number>> = { f32: 0, f16: 1, q4_0: 2, q8_0: 7, bf16: 32 };

/**
 * @throws MoecError MOE5125 for a family without GGUF, MOE5121 for options that readers would not follow, and what the
 * import of the checkpoint throws.
 */
export function ggufModel({ checkpoint, config: json, name, type: wanted, encode }: GgufExport): GgufModel {
  requireGgufFamily(json);
  const { config, reader, storage } = readFamilyModel(checkpoint, json);
  refuseForReaders(config);
  const written = writtenConfig(config);
  const type = wanted ?? keptAs(storage);
  const values = (tensor: FamilyTensor): Float32Array | Iterable<Float32Array> => {
    if (tensor.key === "rope_factors" && config.ropeScaling?.kind === "llama3") return llama3Factors(config);
    return reader.partsF32(tensor.key === "output" && config.tied ? "embed" : tensor.key);
  };
  const typeOf = ({ shape }: FamilyTensor): EncodableType =>
    shape.at(-1)! % STORAGE[type].blockValues === 0 ? type : "f16";
  const tensors = ggufTensors(written, values, typeOf, encode);
  const others = tensors.filter((tensor) => tensor.type !== type && tensor.type !== "f32").map((tensor) => tensor.name);
  const metadata = new Map<string, MetadataValue>([
    ...ggufMetadata(written, name),
    ["general.file_type", { type: "u32", value: FILE_TYPES[type] }],
  ]);
  if (STORAGE[type].blockValues > 1) metadata.set("general.quantization_version", { type: "u32", value: 2 });
  return { family: config.family, config, type, others, metadata, tensors };
}

/** The same model as a file says it. */
function writtenConfig(config: FamilyConfig): FamilyConfig {
  const { slidingWindow: _, ...rest } = config;
  return {
    ...rest,
    // Readers that need an output projection get a copy of the embedding.
    tied: config.tied && !storesOutput(config.family),
    // The file has the divisors of the frequencies in place of the numbers that they follow from.
    ...(config.family === "llama" && config.ropeScaling?.kind === "llama3"
      ? { ropeScaling: { kind: "factors" } as const }
      : {}),
  };
}
