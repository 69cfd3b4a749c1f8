/** The kinds of embedded tokenizers as parts of the Hugging Face schema. */
import { badVocabulary, noEmbeddedTokenizer, show } from "./errors.js";
import type { PreTokenizerRecord } from "./pre-tokenizers.js";
import type { Step } from "./schema.js";

/** Token types of GGUF. */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Vocabulary as the file has it, checked to be consistent. */
export interface EmbeddedVocabulary {
  readonly tokens: readonly string[];
  /** GGUF token type of each token. */
  readonly types: readonly number[];
  readonly scores: readonly number[] | undefined;
  readonly merges: readonly string[] | undefined;
}

/** Parts of a `tokenizer.json`. */
export interface ConvertedModel {
  readonly normalizer: Step | null;
  readonly preTokenizer: Step | null;
  readonly decoder: Step;
  readonly model: object;
}

const vocabOf = ({ tokens }: EmbeddedVocabulary): object => Object.fromEntries(tokens.map((token, id) => [token, id]));

/**
 * Byte-level BPE.
 *
 * @throws MoecError MOE5205 without merges.
 */
export function byteLevelModel(vocabulary: EmbeddedVocabulary, pre: PreTokenizerRecord): ConvertedModel {
  const { merges } = vocabulary;
  if (merges === undefined) throw noEmbeddedTokenizer("`tokenizer.ggml.merges` is missing");
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  return {
    normalizer: pre.normalizer ?? null,
    preTokenizer: { type: "Sequence", pretokenizers: [...pre.steps, { ...bytes, use_regex: false }] },
    decoder: { ...bytes, use_regex: true },
    model: {
      type: "BPE",
      vocab: vocabOf(vocabulary),
      merges,
      byte_fallback: false,
      fuse_unk: false,
      ignore_merges: pre.ignoreMerges,
    },
  };
}

/** SentencePiece keeps pieces far shorter; a longer one would only make the search for its splits slow. */
const MAX_PIECE_LENGTH = 512;

/**
 * SentencePiece BPE. The file has a score for each piece instead of a list of merges; a better score merges earlier, so
 * the merges are all splits of all pieces into two pieces, best score first. (Pieces of equal score merge in the order
 * of their ids here and from left to right in llama.cpp; trained vocabularies have no equal scores.)
 *
 * @param prefix whether a space is put before a text.
 * @param unknown id of the unknown token, or -1.
 * @throws MoecError MOE5205 without scores, MOE5204 for pieces that are too long.
 */
export function sentencePieceModel(vocabulary: EmbeddedVocabulary, prefix: boolean, unknown: number): ConvertedModel {
  const { scores } = vocabulary;
  if (scores === undefined) throw noEmbeddedTokenizer("`tokenizer.ggml.scores` is missing");
  const spaces: Step = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const first: Step[] = prefix ? [{ type: "Prepend", prepend: "▁" }] : [];
  const strip: Step[] = prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  return {
    normalizer: { type: "Sequence", normalizers: [...first, spaces] },
    preTokenizer: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...strip,
      ],
    },
    model: {
      type: "BPE",
      unk_token: unknown === -1 ? null : vocabulary.tokens[unknown],
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: vocabOf(vocabulary),
      merges: mergesByScore(vocabulary, scores),
    },
  };
}

/** All splits of all normal pieces into two, best score first. */
export function mergesByScore(
  { tokens, types }: Pick<EmbeddedVocabulary, "tokens" | "types">,
  scores: ArrayLike<number>,
): [string, string][] {
  const pieces = new Set(tokens.filter((_, id) => types[id] === TOKEN_TYPES.normal));
  const merges: { score: number; id: number; pair: [string, string] }[] = [];
  for (const [id, token] of tokens.entries()) {
    if (!pieces.has(token)) continue;
    if (token.length > MAX_PIECE_LENGTH)
      throw badVocabulary(`the piece \`${show(token)}\` has ${token.length} letters`);
    const letters = Array.from(token);
    for (let cut = 1; cut < letters.length; cut++) {
      const pair: [string, string] = [letters.slice(0, cut).join(""), letters.slice(cut).join("")];
      if (pieces.has(pair[0]) && pieces.has(pair[1])) merges.push({ score: scores[id]!, id, pair });
    }
  }
  return merges.sort((a, b) => b.score - a.score || a.id - b.id).map(({ pair }) => pair);
}

/** Special tokens of BERT's vocabularies are in brackets, and stay as they are. */
const isBracketed = (token: string): boolean => token.startsWith("[") && token.endsWith("]");

/**
 * WordPiece. The file writes the first piece of a word with `▁` in front and the others without; the original has `##` in
 * front of those others. A vocabulary without capital letters is one of texts in small letters.
 *
 * @param unknown text of the unknown token.
 */
export function wordPieceModel({ tokens }: EmbeddedVocabulary, unknown: string): ConvertedModel {
  const original = (token: string): string => {
    if (isBracketed(token)) return token;
    return token.startsWith("▁") ? token.slice(1) : `##${token}`;
  };
  const isCased = tokens.some((token) => !isBracketed(token) && /\p{Lu}/u.test(token));
  return {
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: !isCased,
    },
    preTokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map((token, id) => [original(token), id])),
    },
  };
}
