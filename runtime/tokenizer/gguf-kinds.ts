/** From the parts of a `tokenizer.json` to the two kinds of tokenizers that GGUF has. */
import type { MetadataValue } from "../../compiler/checkpoints/types.js";
import { notForGguf, show } from "./errors.js";
import { mergesByScore, TOKEN_TYPES } from "./gguf-models.js";
import { PRE_TOKENIZERS } from "./pre-tokenizers.js";
import { rewritePreTokenizer } from "./rewrite.js";
import type { Step, TokenizerJson } from "./schema.js";

/** Tokens of the file by id. */
export interface TypedTokens {
  readonly tokens: readonly string[];
  /** GGUF token type of each. */
  readonly types: readonly number[];
}

/** Keys behind `tokenizer.` that the kind has beside the vocabulary. */
export interface TokenizerKind {
  readonly metadata: readonly (readonly [string, MetadataValue])[];
  readonly notes: readonly string[];
}

const text = (value: string): MetadataValue => ({ type: "string", value });

/** Steps one after the other, without the sequences around them. */
function flat(step: Step | null | undefined): readonly Step[] {
  if (step === null || step === undefined) return [];
  if (step.type !== "Sequence") return [step];
  return (step.pretokenizers ?? step.normalizers ?? []).flatMap(flat);
}

/** What a split does, as a text to compare. */
function splitKey({ type, pattern, behavior, invert }: Step): string {
  const regex = pattern && "Regex" in pattern ? pattern.Regex : pattern;
  return JSON.stringify([type, regex, behavior, invert === true]);
}

const stepNames = (steps: readonly Step[]): string => steps.map(({ type }) => type).join(", ") || "nothing";

function mergePairs({ model }: TokenizerJson): readonly (readonly [string, string])[] {
  const pairs = (model.merges ?? []) as readonly (string | readonly [string, string])[];
  return pairs.map((merge) => (typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge));
}

function refuseSuffix({ model }: TokenizerJson): void {
  if ((model.end_of_word_suffix ?? "") !== "") throw notForGguf("its tokens end words with a suffix");
}

/**
 * Kind `gpt2`.
 *
 * @throws MoecError MOE5209 for a pre-tokenizer that has no name.
 */
export function byteLevelKind(json: TokenizerJson): TokenizerKind {
  refuseSuffix(json);
  const steps = flat(json.pre_tokenizer && rewritePreTokenizer(json.pre_tokenizer));
  const bytes = steps.at(-1);
  if (bytes?.type !== "ByteLevel" || bytes.use_regex !== false) {
    throw notForGguf(`it is neither byte-level nor SentencePiece BPE: its pre-tokenizer is ${stepNames(steps)}`);
  }
  if (bytes.add_prefix_space !== false) throw notForGguf("it puts a space in front of every text");
  const normalizers = flat(json.normalizer);
  const other = normalizers.find(({ type }) => type !== "NFC");
  if (other) throw notForGguf(`its normalizer is ${other.type}`);
  const wanted = steps.slice(0, -1).map(splitKey).join("\n");
  const ignoreMerges = json.model.ignore_merges === true;
  const alike = PRE_TOKENIZERS.filter(
    (record) => record.steps.map(splitKey).join("\n") === wanted && record.ignoreMerges === ignoreMerges,
  );
  const isNfc = normalizers.length > 0;
  const found = alike.find(({ normalizer }) => (normalizer !== undefined) === isNfc) ?? alike[0];
  if (!found) {
    const known = PRE_TOKENIZERS.map(({ names }) => names[0]!).join(", ");
    throw notForGguf(`its pre-tokenizer is none of those that have a name (${known})`);
  }
  const pairs = mergePairs(json);
  const spaced = pairs.find((pair) => pair.some((part) => part.includes(" ")));
  if (spaced) throw notForGguf(`the merge of \`${show(spaced[0])}\` and \`${show(spaced[1])}\` has a space in it`);
  return {
    metadata: [
      ["ggml.model", text("gpt2")],
      ["ggml.pre", text(found.names[0]!)],
      ["ggml.merges", { type: "array", of: "string", values: pairs.map((pair) => pair.join(" ")) }],
    ],
    notes: isNfc ? ["Readers such as llama.cpp do not bring texts to NFC first, as this tokenizer does."] : [],
  };
}

/**
 * Kind `llama`. SentencePiece has a score for each piece and merges the best first; the scores are the ranks of the merges.
 *
 * @throws MoecError MOE5209 for merges that do not follow from scores, and for other normalizers.
 */
export function sentencePieceKind(json: TokenizerJson, typed: TypedTokens): TokenizerKind {
  refuseSuffix(json);
  if (!typed.types.includes(TOKEN_TYPES.byte)) throw notForGguf("it spells in bytes, but has no tokens of bytes");
  const prefix = spacePrefix(json);
  const pairs = mergePairs(json);
  const ranks = new Map<string, number>();
  for (const pair of pairs) if (!ranks.has(pair.join(""))) ranks.set(pair.join(""), ranks.size);
  // Pieces that nothing merges into are letters; they are there before any merge.
  const scores = Float32Array.from(typed.tokens, (token) => -(ranks.get(token) ?? ranks.size));
  const found = mergesByScore(typed, scores);
  const wrong = found.length === pairs.length ? found.findIndex((pair, i) => pair.join("") !== pairs[i]!.join("")) : -1;
  if (found.length !== pairs.length || wrong >= 0) {
    const at = wrong >= 0 ? `, from merge ${wrong} on` : "";
    throw notForGguf(`its ${pairs.length} merges do not follow from a score for each piece${at}`);
  }
  return {
    metadata: [
      ["ggml.model", text("llama")],
      ["ggml.pre", text("default")],
      ["ggml.scores", { type: "array", of: "f32", values: scores }],
      ["ggml.add_space_prefix", { type: "bool", value: prefix }],
    ],
    notes: [],
  };
}

/** Whether a space goes in front of a text; the rest must be spaces written as `▁`. */
function spacePrefix(json: TokenizerJson): boolean {
  const normalizers = flat(json.normalizer);
  const steps = flat(json.pre_tokenizer);
  const [meta] = steps;
  if (meta?.type === "Metaspace" && steps.length === 1 && normalizers.length === 0) {
    if (meta["split"] !== false || (meta["replacement"] ?? "▁") !== "▁") {
      throw notForGguf("its Metaspace splits words or writes spaces otherwise");
    }
    return (meta["prepend_scheme"] ?? "always") !== "never";
  }
  const spaces = normalizers.at(-1);
  const prepend = normalizers.length === 2 ? normalizers[0] : undefined;
  const isReplace =
    spaces?.type === "Replace" && JSON.stringify(spaces.pattern) === '{"String":" "}' && spaces["content"] === "▁";
  const isPrepend = normalizers.length === 1 || (prepend?.type === "Prepend" && prepend["prepend"] === "▁");
  if (steps.length > 0 || !isReplace || !isPrepend) {
    throw notForGguf(`before its merges stand ${stepNames([...normalizers, ...steps])}`);
  }
  return prepend !== undefined;
}
