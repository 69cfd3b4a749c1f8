/** A checkpoint of a family that has a record: its config and its tensors, with all that is strange about it refused. */
import { OUTPUT_TENSOR } from "../families/common.js";
import { readFamilyConfig } from "../families/config.js";
import { type FamilyReader, readFamilyTensors } from "../families/tensors.js";
import type { FamilyConfig } from "../families/types.js";
import { isRecord } from "../safetensors-header.js";
import type { Checkpoint, StorageType } from "../types.js";
import { refuseOtherMath, refuseUnusedTensors } from "./requirements.js";

export interface FamilyModel {
  readonly config: FamilyConfig;
  readonly reader: FamilyReader;
  /** Storage type of the largest matrices. */
  readonly storage: StorageType;
}

/**
 * @param json `config.json` as parsed; GGUF files have it in their metadata.
 * @throws MoecError MOE5112, MOE5116, MOE5119 to MOE5122 and MOE5124.
 */
export function readFamilyModel(checkpoint: Checkpoint, json: unknown): FamilyModel {
  const isGguf = checkpoint.format === "gguf";
  const config = readFamilyConfig(isGguf ? { checkpoint } : { config: withTies(json, checkpoint) });
  refuseOtherMath(config, checkpoint, json);
  const saidOwnOutput = !isGguf && isRecord(json) && json["tie_word_embeddings"] === false;
  const reader = readFamilyTensors(checkpoint, config, { saidOwnOutput });
  refuseUnusedTensors(config, reader.unused);
  const largest = reader.tensors.reduce((best, tensor) =>
    valuesOf(tensor.shape) > valuesOf(best.shape) ? tensor : best,
  );
  return { config, reader, storage: reader.typeOf(largest.key) };
}

/** A config that does not say whether the output projection is the embedding: without a matrix of its own it is. */
function withTies(config: unknown, { tensors }: Checkpoint): unknown {
  if (!isRecord(config) || typeof config["tie_word_embeddings"] === "boolean") return config;
  return tensors.has(OUTPUT_TENSOR) ? config : { ...config, tie_word_embeddings: true };
}

const valuesOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
