/** What is exported as GGUF, and what becomes of it. */
import type { Encode } from "../families/export.js";
import type { EncodableType } from "../storage.js";
import type { Checkpoint, MetadataValue, TensorSource } from "../types.js";

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

/** The content of the file as its family says it. */
export interface GgufContent {
  readonly family: string;
  /** Rows of the embedding. */
  readonly vocabulary: number;
  /** How matrices are stored, but for those that `others` says. */
  readonly type: EncodableType;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorSource[];
  /** What readers of the file do otherwise than the model, in sentences. */
  readonly notes: readonly string[];
}

/** The content of the file, but for the tokenizer. */
export interface GgufModel extends GgufContent {
  /** Matrices in f16 because their rows are no whole blocks. */
  readonly others: readonly string[];
}
