/** Which family a checkpoint belongs to. */
import { badConfig, unknownFamily } from "../errors.js";
import { optionalNumber, requiredString } from "../metadata.js";
import { isRecord } from "../safetensors-header.js";
import type { Metadata } from "../types.js";
import { bert } from "./bert.js";
import { llama } from "./llama.js";
import { mixtral } from "./mixtral.js";
import { olmoe } from "./olmoe.js";
import { qwen2Moe } from "./qwen2-moe.js";
import { qwen2 } from "./qwen2.js";
import { qwen3Moe } from "./qwen3-moe.js";
import { qwen3 } from "./qwen3.js";
import type { Family, FamilyName } from "./types.js";

/** Every family that moec knows; a total map, so that a name without a record does not compile. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  llama,
  qwen2,
  qwen3,
  mixtral,
  olmoe,
  "qwen2-moe": qwen2Moe,
  "qwen3-moe": qwen3Moe,
  bert,
};

const all = Object.values(FAMILIES);

/** Where a family is read from: the parsed `config.json`, or a GGUF file's metadata. */
export type FamilySource = { readonly config: unknown } | { readonly metadata: Metadata };

/**
 * The family of a model.
 *
 * @throws MoecError MOE5119 for a family that is not known (the help lists the known ones), MOE5120 or MOE5112 when the
 * source does not name one.
 */
export function detectFamily(source: FamilySource): Family {
  return "config" in source ? familyOfConfig(source.config) : familyOfMetadata(source.metadata);
}

function familyOfConfig(config: unknown): Family {
  if (!isRecord(config)) throw badConfig("config.json", "is not a JSON object");
  const { model_type: modelType } = config;
  if (typeof modelType !== "string") throw badConfig("model_type", "is not a string");
  const family = all.find((candidate) => candidate.modelType === modelType);
  if (family === undefined) {
    throw unknownFamily(
      "model_type",
      modelType,
      all.map((candidate) => candidate.modelType),
    );
  }
  return family;
}

function familyOfMetadata(metadata: Metadata): Family {
  const architecture = requiredString(metadata, "general.architecture");
  const hasExperts = (optionalNumber(metadata, `${architecture}.expert_count`) ?? 0) > 0;
  const candidates = all.filter((family) => family.architecture === architecture);
  // Two families may share an architecture: Mixtral is a `llama` with experts.
  const family = candidates.find((candidate) => (candidate.numbers.experts.gguf !== undefined) === hasExperts);
  if (family !== undefined) return family;
  if (candidates.length > 0) {
    const kind = hasExperts ? "with experts" : "without experts";
    throw unknownFamily("general.architecture", `${architecture} ${kind}`, ggufNames());
  }
  throw unknownFamily("general.architecture", architecture, ggufNames());
}

const ggufNames = (): string[] => [...new Set(all.map(({ architecture }) => architecture))];
