/**
 * What moec knows of a model family: where its numbers are in `config.json` and in GGUF metadata, what its tensors are
 * called in both formats, and how they differ. One record per family, in the file of its name; everything else in this
 * folder reads the records.
 */

/** Families by the name moec gives them. */
export type FamilyName = "llama" | "qwen2" | "qwen3" | "mixtral" | "olmoe" | "qwen2-moe" | "qwen3-moe" | "bert";

/** How rotary angles are stretched beyond the trained context. */
export type RopeScaling =
  | { readonly kind: "linear"; readonly factor: number }
  | {
      readonly kind: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    }
  /** Divisors of the frequencies, stored as the tensor `rope_factors`. */
  | { readonly kind: "factors" };

/** The numbers of a config; sizes are counts, 0 where a family has no such thing. */
export interface FamilyNumbers {
  readonly layers: number;
  /** Channels of the residual stream (d_model). */
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** Channels of one head (head_dim). */
  readonly headWidth: number;
  readonly vocab: number;
  /** Longest context that the model was made for, in tokens. */
  readonly context: number;
  /** Inner channels of the dense feed-forward layers; 0 when every layer has experts. */
  readonly ffnWidth: number;
  /** Experts in a layer; 0 for dense families. */
  readonly experts: number;
  /** Experts that a token visits (top-k). */
  readonly expertsPerToken: number;
  /** Inner channels of one expert. */
  readonly expertWidth: number;
  /** Inner channels of the shared expert that every token visits. */
  readonly sharedWidth: number;
  readonly ropeTheta: number;
  readonly normEps: number;
  /** Rows of the token type table (BERT). */
  readonly typeVocab: number;
}

/** The yes-or-no facts of a config. */
export interface FamilyFlags {
  /** The output projection is the embedding table. */
  readonly tied: boolean;
  /** The weights of the chosen experts are divided by their sum. */
  readonly normalizeTopK: boolean;
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly ffnBias: boolean;
}

/** Everything that decides the math of a model, whichever file it came from. Rotary pairs are always half-split. */
export interface FamilyConfig extends FamilyNumbers, FamilyFlags {
  readonly family: FamilyName;
  /** Norm on queries and keys: of each head, or of the whole projection before it is split into heads. */
  readonly qkNorm: "none" | "head" | "full";
  readonly activation: "silu" | "gelu" | "gelu_tanh" | "relu";
  /** Layers that have a dense feed-forward part although the family has experts. */
  readonly denseLayers: readonly number[];
  readonly ropeScaling?: RopeScaling;
  /** Queries, keys and values are clamped to plus and minus this. */
  readonly clipQkv?: number;
  /** A token attends to itself and at most this many tokens less one before it. */
  readonly slidingWindow?: number;
}

/** A number's names in both files. */
export interface NumberField {
  /** Keys of `config.json`, first found first; a dot goes into an object. The first one is written. */
  readonly hf?: readonly string[];
  /** GGUF key behind `<architecture>.`. */
  readonly gguf?: string;
  /** Stored as f32 in GGUF instead of u32. */
  readonly real?: true;
  /** Value when no key is there; without it the key is required. */
  readonly otherwise?: number | ((known: FamilyNumbers) => number);
}

/** A flag's name in `config.json`; in GGUF the tensors or the family tell. */
export interface FlagField {
  readonly hf?: string;
  readonly otherwise: boolean;
  /** GGUF tensor whose presence (or absence) says it. */
  readonly ggufTensor?: { readonly name: string; readonly means: boolean };
  /** Value for GGUF files when no tensor tells, where it differs from `otherwise`. */
  readonly gguf?: boolean;
}

/** One tensor of a family, or one in each layer when its names have `{layer}`. */
export interface TensorRule {
  /** moec's name for it, the same in all families. */
  readonly key: string;
  /** Outermost axis first. A stack of experts has the expert axis first. */
  readonly shape: (config: FamilyConfig) => readonly number[];
  /**
   * Name in Hugging Face files. `{prefix}` is one of the family's prefixes; `{expert}` makes a stack of one tensor per
   * expert, which GGUF stores as one.
   */
  readonly hf: string;
  readonly gguf: string;
  /** The rows of GGUF are in interleaved rotary order for this many heads; reading puts them back in halves. */
  readonly interleavedHeads?: (config: FamilyConfig) => number;
  /** Whether a model (in this layer) has it; always, when absent. */
  readonly when?: (config: FamilyConfig, layer: number) => boolean;
  /** Norms, biases and routers stay f32 in GGUF; matrices take the type asked for. */
  readonly matrix: boolean;
}

/** A model family. */
export interface Family {
  readonly name: FamilyName;
  /** `model_type` in `config.json`. */
  readonly modelType: string;
  /** Class name in `architectures`, written for other readers. */
  readonly className: string;
  /** `general.architecture` in GGUF. */
  readonly architecture: string;
  /** Prefixes of Hugging Face tensor names; the first is written. */
  readonly prefixes: readonly string[];
  readonly numbers: Readonly<Record<keyof FamilyNumbers, NumberField>>;
  readonly flags: Readonly<Record<keyof FamilyFlags, FlagField>>;
  readonly qkNorm: FamilyConfig["qkNorm"];
  /** Activations that the family's math is known for; the first is the default. */
  readonly activations: readonly FamilyConfig["activation"][];
  readonly tensors: readonly TensorRule[];
}
