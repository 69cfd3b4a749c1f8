/**
 * The tokenizer inside a GGUF file, converted to the Hugging Face schema. Three kinds are known: `gpt2` (byte-level BPE,
 * merges and a named pre-tokenizer), `llama` (SentencePiece BPE, scores instead of merges) and `bert` (WordPiece).
 */
import {
  optionalBool,
  optionalNumber,
  optionalNumbers,
  optionalString,
  optionalStrings,
} from "../../compiler/checkpoints/metadata.js";
import type { Metadata } from "../../compiler/checkpoints/types.js";
import { badVocabulary, noEmbeddedTokenizer, show, unsupportedEmbedded } from "./errors.js";
import {
  byteLevelModel,
  type ConvertedModel,
  type EmbeddedVocabulary,
  sentencePieceModel,
  TOKEN_TYPES,
  wordPieceModel,
} from "./gguf-models.js";
import { PRE_TOKENIZERS } from "./pre-tokenizers.js";
import type { TokenizerFiles } from "./tokenizer.js";

/**
 * The files that `loadTokenizer` takes, from a GGUF file's metadata. A `tokenizer.huggingface.json` in the metadata is
 * preferred, because it says everything.
 *
 * @throws MoecError MOE5205 when the file has no tokenizer or a contradictory one, MOE5206 when it is of an unknown
 * kind, MOE5112 when a key has another type, MOE5204 when a token is there twice.
 */
export function tokenizerFromGguf(metadata: Metadata): TokenizerFiles {
  const ends = ["eos", "eot", "eom"].map((role) => optionalNumber(metadata, `tokenizer.ggml.${role}_token_id`));
  const eos = [...new Set(ends.filter((id) => id !== undefined))];
  const bos = optionalNumber(metadata, "tokenizer.ggml.bos_token_id");
  const ids = { ...(bos === undefined ? {} : { bos }), eos };
  const template = optionalString(metadata, "tokenizer.chat_template");
  const chats = template === undefined ? {} : { chat_template: template };
  const complete = optionalString(metadata, "tokenizer.huggingface.json");
  if (complete !== undefined) return { tokenizer: complete, ...configWith(chats), ...ids };

  const model = optionalString(metadata, "tokenizer.ggml.model");
  if (model === undefined) throw noEmbeddedTokenizer("`tokenizer.ggml.model` is missing");
  if (!Object.hasOwn(KINDS, model)) throw unsupportedEmbedded("tokenizer.ggml.model", model, Object.keys(KINDS));
  const vocabulary = readVocabulary(metadata);
  const converted = KINDS[model as keyof typeof KINDS](metadata, vocabulary);
  const tokenizer = assemble(vocabulary, converted);
  // Templates of chats name these two.
  const text = (key: string, id: number | undefined): object => {
    const token = template === undefined || id === undefined ? undefined : vocabulary.tokens[id];
    return token === undefined ? {} : { [key]: token };
  };
  return { tokenizer, ...configWith({ ...chats, ...text("bos_token", bos), ...text("eos_token", eos[0]) }), ...ids };
}

const configWith = (config: object): { readonly config?: object } => (Object.keys(config).length > 0 ? { config } : {});

/** Parts of a `tokenizer.json`, and what stands around a text. */
interface Converted extends ConvertedModel {
  readonly around: Boundaries;
}

type Convert = (metadata: Metadata, vocabulary: EmbeddedVocabulary) => Converted;

const KINDS: Readonly<Record<"gpt2" | "llama" | "bert", Convert>> = {
  gpt2: (metadata, vocabulary) => {
    const pre = optionalString(metadata, "tokenizer.ggml.pre");
    if (pre === undefined) throw noEmbeddedTokenizer("`tokenizer.ggml.pre` is missing");
    const record = PRE_TOKENIZERS.find(({ names }) => names.includes(pre));
    if (record === undefined) {
      throw unsupportedEmbedded(
        "tokenizer.ggml.pre",
        pre,
        PRE_TOKENIZERS.flatMap(({ names }) => names),
      );
    }
    return { ...byteLevelModel(vocabulary, record), around: wantedTokens(metadata, vocabulary, record.addBos) };
  },
  llama: (metadata, vocabulary) => {
    const prefix = optionalBool(metadata, "tokenizer.ggml.add_space_prefix") ?? true;
    const model = sentencePieceModel(vocabulary, prefix, vocabulary.types.indexOf(TOKEN_TYPES.unknown));
    return { ...model, around: wantedTokens(metadata, vocabulary, true) };
  },
  bert: (metadata, vocabulary) => {
    const unknown = tokenOf(metadata, vocabulary, "unknown", ["unknown"], "[UNK]");
    if (unknown === undefined) throw noEmbeddedTokenizer("it has no token for unknown words");
    return { ...wordPieceModel(vocabulary, unknown), around: encoderTokens(metadata, vocabulary) };
  },
};

/**
 * A special token by the first key that the file has, or by its usual text.
 *
 * @param roles of the keys `tokenizer.ggml.<role>_token_id`.
 */
function tokenOf(
  metadata: Metadata,
  { tokens }: EmbeddedVocabulary,
  what: string,
  roles: readonly string[],
  usual: string,
): string | undefined {
  const ids = roles.map((role) => optionalNumber(metadata, `tokenizer.ggml.${role}_token_id`));
  const id = ids.find((each) => each !== undefined);
  if (id === undefined) return tokens.includes(usual) ? usual : undefined;
  const text = tokens[id];
  if (text === undefined) {
    throw noEmbeddedTokenizer(`the ${what} token has id ${id}, beyond the ${tokens.length} tokens`);
  }
  return text;
}

function readVocabulary(metadata: Metadata): EmbeddedVocabulary {
  const tokens = optionalStrings(metadata, "tokenizer.ggml.tokens");
  if (tokens === undefined) throw noEmbeddedTokenizer("`tokenizer.ggml.tokens` is missing");
  const seen = new Set<string>();
  for (const token of tokens) {
    if (seen.has(token)) throw badVocabulary(`\`${show(token)}\` is there twice`);
    seen.add(token);
  }
  const ofEach = (key: string): readonly number[] | undefined => {
    const values = optionalNumbers(metadata, key);
    if (values !== undefined && values.length !== tokens.length) {
      throw noEmbeddedTokenizer(`\`${key}\` has ${values.length} entries for ${tokens.length} tokens`);
    }
    return values;
  };
  return {
    tokens,
    types: ofEach("tokenizer.ggml.token_type") ?? tokens.map(() => 1),
    scores: ofEach("tokenizer.ggml.scores"),
    merges: optionalStrings(metadata, "tokenizer.ggml.merges"),
  };
}

/** Special tokens put before and after a text. */
interface Boundaries {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** @param addBosByDefault Whether a text begins with the bos token when the file does not say. */
function wantedTokens(metadata: Metadata, vocabulary: EmbeddedVocabulary, addBosByDefault: boolean): Boundaries {
  const token = (role: "bos" | "eos", byDefault: boolean): string[] => {
    const wanted = optionalBool(metadata, `tokenizer.ggml.add_${role}_token`) ?? byDefault;
    if (!wanted || !metadata.has(`tokenizer.ggml.${role}_token_id`)) return [];
    return [tokenOf(metadata, vocabulary, role, [role], "")!];
  };
  return { before: token("bos", addBosByDefault), after: token("eos", false) };
}

/** BERT reads a text between two tokens of its own; files have had several keys for the second. */
function encoderTokens(metadata: Metadata, vocabulary: EmbeddedVocabulary): Boundaries {
  const first = tokenOf(metadata, vocabulary, "first", ["cls", "bos"], "[CLS]");
  const last = tokenOf(metadata, vocabulary, "last", ["seperator", "separator", "eos"], "[SEP]");
  return { before: first === undefined ? [] : [first], after: last === undefined ? [] : [last] };
}

function assemble({ tokens, types }: EmbeddedVocabulary, converted: Converted): object {
  const { before, after } = converted.around;
  const added = tokens.flatMap((content, id) => {
    const special = types[id] === TOKEN_TYPES.control || types[id] === TOKEN_TYPES.unknown;
    if (!special && types[id] !== TOKEN_TYPES.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
  const around = [...before, ...after];
  const item = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const special = (token: string) => [token, { id: token, ids: [tokens.indexOf(token)], tokens: [token] }] as const;
  const template = {
    type: "TemplateProcessing",
    single: [...before.map(item), { Sequence: { id: "A", type_id: 0 } }, ...after.map(item)],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: Object.fromEntries(around.map(special)),
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.filter(({ content }) => content !== ""),
    normalizer: converted.normalizer,
    pre_tokenizer: converted.preTokenizer,
    post_processor: around.length === 0 ? null : template,
    decoder: converted.decoder,
    model: converted.model,
  };
}
