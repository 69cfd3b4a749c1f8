/**
 * A design: what a checkpoint's config says, as text of the language and as the tensors that the text reads. Families whose
 * layers differ in more than options have one design each, in the file of their name.
 */
import type { MathKey } from "../requirements.js";
import type { Fields } from "./fields.js";

/** One parameter of the spec and where the checkpoint has it. */
export interface StoredTensor {
  /** Path in the spec; `layers[i].` in front of those that layers have. */
  readonly path: string;
  /** Name in the checkpoint with `{i}` for the layer and `{e}` for the expert. */
  readonly name: string;
  /**
   * Axes as stored, outermost first; without the expert axis where the name has `{e}`. `F=I` is the axis that its module
   * calls F, of the model's size I.
   */
  readonly axes: readonly string[];
  /** Rows of queries and keys that pair (2i, 2i + 1) where the spec pairs halves. */
  readonly interleaved?: true;
  /** Layers that have it, for tensors that not all layers have. */
  readonly layers?: readonly number[];
}

/** The output projection in Hugging Face's layout. */
export interface OutputHead {
  /** Name of its tensor. */
  readonly tensor: string;
  /** Keys that say whether it is the embedding, the one that decides first; none for families where it never is. */
  readonly tieKeys: readonly string[];
}

/** A model as a spec. */
export interface Design {
  /** The family's own name. */
  readonly title: string;
  /** Authors, year and number of the paper. */
  readonly paper: string;
  /** Names to import from "std". */
  readonly imports: readonly string[];
  /** Declarations in front of the model. */
  readonly declarations: readonly string[];
  /** The model's axes with their sizes, in order. */
  readonly axes: Readonly<Record<string, number>>;
  /** Axes that only tensors have, such as a merged projection. */
  readonly inner?: Readonly<Record<string, number>>;
  /** Experts per token, the model's parameter `k`; 0 without experts. */
  readonly k: number;
  /** Members of the model in front of its weights. */
  readonly members: string;
  readonly tensors: readonly StoredTensor[];
  /** Longest context, in tokens. */
  readonly context: number;
  /** Tensors of the checkpoint that are for something else than this forward pass. */
  readonly ignored?: RegExp;
  /** Its output projection, where that is not the usual one by the usual key. */
  readonly head?: OutputHead;
  /** Further sentences of the model's comment: which of several readings of the family's math is written. */
  readonly notes?: readonly string[];
}

/** How a family is found and read. */
export interface DesignedFamily {
  readonly name: string;
  /** `model_type` in `config.json`. */
  readonly modelTypes: readonly string[];
  /** `general.architecture` in GGUF; absent where no reader of GGUF has the family. */
  readonly architecture?: string;
  /** Keys of `config.json` that change the math and that the design reads; other families of designs refuse them. */
  readonly reads?: readonly MathKey[];
  /** Prefix of its config's keys about positions, where they are nested: `attn_config.`. */
  readonly positions?: string;
  readonly design: (fields: Fields) => Design;
}
