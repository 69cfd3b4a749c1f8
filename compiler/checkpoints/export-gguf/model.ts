/**
 * A Hugging Face checkpoint as what goes into a GGUF file, without the tokenizer: metadata and tensors under the names and
 * in the orders of llama.cpp, from the same records that the import reads. Numbers are asked for tensor by tensor.
 */
import { badConfig, noGgufOfFamily } from "../errors.js";
import { designOfConfig } from "../import/designs/index.js";
import { isRecord } from "../safetensors-header.js";
import { type EncodableType, STORAGE } from "../storage.js";
import type { MetadataValue } from "../types.js";
import { designModel } from "./design-model.js";
import { GGUF_MODELS } from "./names.js";
import { recordModel } from "./record-model.js";
import type { GgufExport, GgufModel } from "./types.js";

/** `general.file_type` of llama.cpp: what most matrices are. */
const FILE_TYPES: Readonly<Record<EncodableType, number>> = { f32: 0, f16: 1, q4_0: 2, q8_0: 7, bf16: 32 };

/**
 * @throws MoecError MOE5120 for a config without `model_type`, MOE5125 for a family without GGUF, MOE5121 and MOE5128 for
 * what readers would compute otherwise, and what the import of the checkpoint throws.
 */
export function ggufModel(source: GgufExport): GgufModel {
  const { config } = source;
  const type = isRecord(config) ? config["model_type"] : undefined;
  if (typeof type !== "string") throw badConfig("model_type", "is not a string");
  if (!Object.hasOwn(GGUF_MODELS, type)) throw noGgufOfFamily(type, Object.keys(GGUF_MODELS));
  const designed = designOfConfig(config, source.checkpoint);
  const model = designed ? designModel(source, designed) : recordModel(source);
  const metadata = new Map<string, MetadataValue>([
    ...model.metadata,
    ["general.file_type", { type: "u32", value: FILE_TYPES[model.type] }],
  ]);
  if (STORAGE[model.type].blockValues > 1) metadata.set("general.quantization_version", { type: "u32", value: 2 });
  const others = model.tensors.filter(({ type: stored }) => stored !== model.type && stored !== "f32");
  return { ...model, metadata, others: others.map(({ name }) => name) };
}
