/** A checkpoint of a family that has a record, as what goes into a GGUF file: by the records that the import reads. */
import { ggufMetadata, ggufTensors } from "../families/export.js";
import type { FamilyTensor } from "../families/tensors.js";
import type { FamilyConfig } from "../families/types.js";
import { readFamilyModel } from "../import/family-model.js";
import { keptAs } from "../storage.js";
import { typeOfRows } from "./design-tensors.js";
import { refuseForReaders, storesOutput } from "./readers.js";
import { llama3Factors } from "./rotary-factors.js";
import type { GgufContent, GgufExport } from "./types.js";

/** @throws MoecError MOE5121 for options that readers would not follow, and what the import of the checkpoint throws. */
export function recordModel({ checkpoint, config: json, name, type: wanted, encode }: GgufExport): GgufContent {
  const { config, reader, storage } = readFamilyModel(checkpoint, json);
  refuseForReaders(config);
  const written = writtenConfig(config);
  const type = wanted ?? keptAs(storage);
  const values = (tensor: FamilyTensor): Float32Array | Iterable<Float32Array> => {
    if (tensor.key === "rope_factors" && config.ropeScaling?.kind === "llama3") return llama3Factors(config);
    return reader.partsF32(tensor.key === "output" && config.tied ? "embed" : tensor.key);
  };
  const tensors = ggufTensors(written, values, ({ shape }) => typeOfRows(type)(shape), encode);
  return {
    family: config.family,
    vocabulary: config.vocab,
    type,
    metadata: ggufMetadata(written, name),
    tensors,
    notes: [],
  };
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
