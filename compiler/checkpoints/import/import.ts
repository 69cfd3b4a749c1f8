/** From an open checkpoint to the spec of its model: the family is found, the tensors are matched, the text is written. */
import { moecError } from "../../errors/index.js";
import { FAMILIES } from "../families/detect.js";
import { fill } from "../families/tensors.js";
import type { FamilyConfig } from "../families/types.js";
import type { Checkpoint, StorageType } from "../types.js";
import {
  designCounts,
  designOfConfig,
  designOfGguf,
  type FoundDesign,
  matchTensors,
  writeDesign,
} from "./designs/index.js";
import { readFamilyModel } from "./family-model.js";
import { ggufPooling, type Pooling, type SentenceFiles, sentencePooling } from "./pooling.js";
import { type GenerateSettings, parameterCounts, writeSpec } from "./spec.js";

/** What is known beside the checkpoint itself. */
export interface ImportSource {
  readonly checkpoint: Checkpoint;
  /** `config.json` as parsed; GGUF files have it in their metadata. */
  readonly config?: unknown;
  /** Name of the model in the spec. */
  readonly name: string;
  /** What the checkpoint is called. */
  readonly source: string;
  /** Path of the tokenizer from the spec. */
  readonly tokenizer?: string;
  readonly generate?: GenerateSettings;
  /** Reads what Sentence Transformers keeps beside an encoder, and is asked for encoders only; GGUF files have it in their metadata. */
  readonly sentences?: () => SentenceFiles;
}

/** A checkpoint as a spec. */
export interface ImportedModel {
  /** The family's name. */
  readonly family: string;
  /** The longest context that the model was made for, in tokens. */
  readonly context: number;
  /** Rows of the table that token ids choose from. */
  readonly vocabulary: number;
  /** It gives vectors for a whole text instead of writing on. */
  readonly isEncoder: boolean;
  /** The config as moec reads it, for families that have one record of numbers. */
  readonly config?: FamilyConfig;
  /** Text of the spec, before formatting. */
  readonly spec: string;
  /** Storage type of the largest matrices. */
  readonly storage: StorageType;
  readonly parameters: { readonly total: number; readonly active: number };
}

/**
 * Write the spec of a checkpoint.
 *
 * @throws MoecError MOE5613 for an ONNX file, MOE5112, MOE5116, MOE5119 to MOE5122 and MOE5124 for checkpoints that are damaged, of an unknown
 * family, or of other math than the family's; nothing is guessed.
 */
export function importModel(source: ImportSource): ImportedModel {
  const { checkpoint } = source;
  const { format } = checkpoint;
  if (format === "onnx") throw moecError("MOE5613", { source: source.source });
  const isGguf = format === "gguf";
  const designed = isGguf ? designOfGguf(checkpoint) : designOfConfig(source.config, checkpoint);
  if (designed) return importDesign(source, format, designed);
  const { config, storage } = readFamilyModel(checkpoint, source.config);
  const { name, tokenizer, generate } = source;
  const { family, context } = config;
  const isEncoder = family === "bert";
  const pooling = isEncoder ? poolingOf(source, FAMILIES[family].architecture) : undefined;
  const spec = writeSpec({
    config,
    format,
    prefix: isGguf ? "" : prefixOf(checkpoint, config),
    name,
    source: source.source,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(generate === undefined ? {} : { generate }),
    ...(pooling ? { pooling } : {}),
  });
  return {
    family,
    context,
    vocabulary: config.vocab,
    isEncoder,
    config,
    spec,
    storage,
    parameters: parameterCounts(config),
  };
}

function importDesign(
  source: ImportSource,
  format: "gguf" | "safetensors",
  { family, design, saidTied }: FoundDesign,
): ImportedModel {
  const { checkpoint, name, tokenizer, generate } = source;
  const storage = matchTensors(design, family.name, checkpoint, saidTied);
  const spec = writeDesign({
    design,
    format,
    name,
    source: source.source,
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(generate === undefined ? {} : { generate }),
  });
  const { context, axes } = design;
  const vocabulary = axes["V"] ?? Infinity;
  const parameters = designCounts(design);
  return { family: family.name, context, vocabulary, isEncoder: false, spec, storage, parameters };
}

function poolingOf({ checkpoint, sentences }: ImportSource, architecture: string): Pooling | undefined {
  return checkpoint.format === "gguf"
    ? ggufPooling(checkpoint.metadata, architecture)
    : sentencePooling(sentences?.() ?? {});
}

/** What the names of this file begin with: some files leave the family's usual prefix out. */
function prefixOf({ tensors }: Checkpoint, { family }: FamilyConfig): string {
  const { prefixes, tensors: rules } = FAMILIES[family];
  return prefixes.find((prefix) => tensors.has(fill(rules[0]!.hf, undefined, prefix))) ?? prefixes[0]!;
}
