/**
 * What readers of GGUF do with each family, as llama.cpp does: options that it takes from the architecture in place of the
 * file are refused, since the file would load there and be another model.
 */
import { unsupportedConfig } from "../errors.js";
import type { FamilyConfig, FamilyName } from "../families/types.js";

/** How a reader treats a family. */
interface ReaderRecord {
  /** Biases of queries, keys and values: of every model, of none, or as the file has them. */
  readonly qkvBias: "always" | "never" | "as stored";
  /** A model without an output projection of its own is read with its embedding; others need a copy of it. */
  readonly readsTied: boolean;
}

/** Families without a record here are not written. */
export const READERS: Readonly<Partial<Record<FamilyName, ReaderRecord>>> = {
  llama: { qkvBias: "as stored", readsTied: true },
  mixtral: { qkvBias: "as stored", readsTied: true },
  qwen2: { qkvBias: "always", readsTied: true },
  qwen3: { qkvBias: "never", readsTied: true },
  olmoe: { qkvBias: "never", readsTied: false },
  "qwen2-moe": { qkvBias: "always", readsTied: false },
  "qwen3-moe": { qkvBias: "never", readsTied: false },
};

/** Whether the file gets an output projection although the model's is its embedding. */
export const storesOutput = (family: FamilyName): boolean => READERS[family]?.readsTied === false;

/** @throws MoecError MOE5121. */
export function refuseForReaders({ family, ...config }: FamilyConfig): void {
  const refuse = (key: string, value: number | boolean): never => {
    throw unsupportedConfig(key, String(value), `Readers of GGUF files do not follow it for ${family}.`);
  };
  if (config.clipQkv !== undefined) refuse("clip_qkv", config.clipQkv);
  const { slidingWindow, context } = config;
  if (slidingWindow !== undefined && slidingWindow < context) refuse("sliding_window", slidingWindow);
  const biases = READERS[family]?.qkvBias;
  if (biases !== "as stored") {
    if (config.qkvBias !== (biases === "always")) refuse("attention_bias", config.qkvBias);
    if (config.outputBias) refuse("attention_bias", true);
  }
}
