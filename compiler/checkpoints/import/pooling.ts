/**
 * How the vectors of an encoder's tokens become the vector of the text: Sentence Transformers says it in `modules.json` and
 * in the config of the pooling module, GGUF in `<architecture>.pooling_type`.
 */
import { badConfig, unsupportedConfig } from "../errors.js";
import { optionalNumber } from "../metadata.js";
import { isRecord } from "../safetensors-header.js";
import type { Metadata } from "../types.js";

/** One vector of many. */
export interface Pooling {
  /** The mean of all tokens, or the first one alone. */
  readonly kind: "mean" | "cls";
  /** The vector is brought to length 1. */
  readonly normalize: boolean;
}

/** What Sentence Transformers keeps beside a checkpoint, as parsed. */
export interface SentenceFiles {
  /** `modules.json`; absent where there is only the folder of the pooling module. */
  readonly modules?: unknown;
  /** `config.json` of the pooling module; absent where there is none. */
  readonly pooling?: unknown;
}

/** A module's kind: the last part of its class. */
const kindOf = (module: unknown): string => {
  const type = isRecord(module) ? module["type"] : undefined;
  if (typeof type !== "string") throw badConfig("modules.json", "has a module without a type");
  return type.split(".").at(-1)!;
};

/**
 * The folder of the pooling module, from the checkpoint's.
 *
 * @throws MoecError MOE5120 for a list of another form.
 */
export function poolingFolder(modules: unknown): string | undefined {
  if (!Array.isArray(modules)) throw badConfig("modules.json", "is not a list");
  const module: unknown = modules.find((each) => kindOf(each) === "Pooling");
  if (module === undefined) return undefined;
  const path = isRecord(module) ? module["path"] : undefined;
  // A foreign file: it may only name a folder beside itself.
  if (typeof path !== "string" || !/^\w[\w.-]*$/.test(path)) {
    throw badConfig("modules.json", "names no folder beside it for its pooling");
  }
  return path;
}

/** The flags that a pooling config has, by what they mean; newer files have `pooling_mode` instead. */
const FLAGS: Readonly<Record<string, Pooling["kind"]>> = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "cls",
};

/**
 * @throws MoecError MOE5121 for modules and poolings other than the mean, the first token and the norm, MOE5120 for files of
 * another form.
 */
export function sentencePooling({ modules, pooling }: SentenceFiles): Pooling | undefined {
  const kinds = Array.isArray(modules) ? modules.map(kindOf) : [];
  const other = kinds.find((kind) => !["Transformer", "Pooling", "Normalize"].includes(kind));
  if (other !== undefined)
    throw unsupportedConfig("modules.json", other, "Supported: Transformer, Pooling, Normalize.");
  if (pooling === undefined) return undefined;
  if (!isRecord(pooling)) throw badConfig("pooling", "is not a JSON object");
  const { pooling_mode: mode } = pooling;
  const modes =
    typeof mode === "string"
      ? [mode]
      : Object.keys(pooling).filter((key) => key.startsWith("pooling_mode_") && pooling[key] === true);
  const [first = "none"] = modes;
  const kind = first === "mean" || first === "cls" ? first : FLAGS[first];
  if (modes.length !== 1 || kind === undefined) {
    throw unsupportedConfig(
      "pooling",
      modes.join(" and ") || "none",
      "Supported: the mean of all tokens, or the first one.",
    );
  }
  return { kind, normalize: kinds.includes("Normalize") };
}

/** Numbers of llama.cpp. */
const GGUF_KINDS: ReadonlyMap<number, Pooling["kind"] | undefined> = new Map([
  [0, undefined],
  [1, "mean"],
  [2, "cls"],
]);

/** @throws MoecError MOE5121 for other poolings. GGUF does not say whether a vector is brought to length 1. */
export function ggufPooling(metadata: Metadata, architecture: string): Pooling | undefined {
  const key = `${architecture}.pooling_type`;
  const type = optionalNumber(metadata, key);
  if (type === undefined) return undefined;
  if (!GGUF_KINDS.has(type))
    throw unsupportedConfig(key, String(type), "Supported: 0 (none), 1 (mean), 2 (first token).");
  const kind = GGUF_KINDS.get(type);
  return kind && { kind, normalize: false };
}
