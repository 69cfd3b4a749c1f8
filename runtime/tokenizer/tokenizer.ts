/** The tokenizer of a model, from Hugging Face's `tokenizer.json` (and `tokenizer_config.json` when there is one). */
import { unknownId, unknownSpecialToken } from "./errors.js";
import { buildLibraryTokenizer } from "./library.js";
import { parseTokenizerConfig, parseTokenizerJson } from "./parse.js";
import { pieceBytes } from "./piece-bytes.js";
import type { PostProcessor, TokenizerConfig } from "./schema.js";
import { byteStream, windowStream } from "./stream.js";
import type { DecodeOptions, Tokenizer } from "./types.js";
import { checkVocabulary, type Vocabulary } from "./vocabulary.js";

/** What a tokenizer is made of. */
export interface TokenizerFiles {
  /** Text or parsed JSON of `tokenizer.json`. */
  readonly tokenizer: unknown;
  /** Text or parsed JSON of `tokenizer_config.json`. */
  readonly config?: unknown;
  /** Overrides the first token, such as `bos_token_id` of `config.json`. */
  readonly bos?: number;
  /** Overrides the last tokens, such as `eos_token_id` of `generation_config.json`. */
  readonly eos?: readonly number[];
}

/**
 * Build a tokenizer. Without `bos` the configuration decides, then the first special token that `encode` adds; without
 * `eos` the configuration decides.
 *
 * @throws MoecError MOE5201 to MOE5204, MOE5207 and MOE5208 for files that are damaged or not supported.
 */
export function loadTokenizer(files: TokenizerFiles): Tokenizer {
  const json = parseTokenizerJson(files.tokenizer);
  const config = files.config === undefined ? {} : parseTokenizerConfig(files.config);
  const vocabulary = checkVocabulary(json);
  const vocabSize = vocabulary.texts.length;
  const textOf = (id: number): string => {
    const text = vocabulary.texts[id];
    if (text === undefined) throw unknownId(id, vocabSize);
    return text;
  };
  const bos = files.bos ?? configuredId(config, "bos_token", vocabulary) ?? firstAdded(json.post_processor, vocabulary);
  const eosToken = configuredId(config, "eos_token", vocabulary);
  const eos = files.eos ?? (eosToken === undefined ? [] : [eosToken]);
  for (const id of bos === undefined ? eos : [bos, ...eos]) textOf(id);

  const library = buildLibraryTokenizer(json);
  const added = new Set(json.added_tokens.map(({ id }) => id));
  const special = new Set(json.added_tokens.filter((token) => token.special === true).map(({ id }) => id));
  const cleanUp = config.clean_up_tokenization_spaces ?? false;
  const decode = (ids: readonly number[], { skipSpecial = false }: DecodeOptions = {}): string => {
    for (const id of ids) textOf(id);
    if (ids.length === 0) return "";
    return library.decode([...ids], { skip_special_tokens: skipSpecial, clean_up_tokenization_spaces: cleanUp });
  };
  const pieces = cleanUp ? undefined : pieceBytes(json);
  return {
    vocabSize,
    ...(bos === undefined ? {} : { bos }),
    eos,
    encode: (text, { addSpecial = true } = {}) => library.encode(text, { add_special_tokens: addSpecial }).ids,
    decode,
    streamDecoder(options = {}) {
      const isSkipped = (id: number): boolean => options.skipSpecial === true && special.has(id);
      const isAdded = (id: number): boolean => added.has(id);
      const view = { textOf, isAdded, isSkipped, decode: (ids: readonly number[]) => decode(ids, options) };
      return pieces === undefined ? windowStream(view) : byteStream(view, pieces);
    },
  };
}

function configuredId(
  config: TokenizerConfig,
  role: "bos_token" | "eos_token",
  { ids }: Vocabulary,
): number | undefined {
  const entry = config[role];
  if (entry === null || entry === undefined) return undefined;
  const token = typeof entry === "string" ? entry : entry.content;
  const id = ids.get(token);
  if (id === undefined) throw unknownSpecialToken("tokenizer_config.json", token, role);
  return id;
}

/** The special token that the post-processor puts before a text. */
function firstAdded(processor: PostProcessor | null | undefined, { ids }: Vocabulary): number | undefined {
  if (processor === null || processor === undefined) return undefined;
  const first = processor.single?.[0];
  if (first !== undefined) return "SpecialToken" in first ? ids.get(first.SpecialToken.id) : undefined;
  if (processor.cls !== undefined) return processor.cls[1];
  for (const inner of processor.processors ?? []) {
    const found = firstAdded(inner, { ids, texts: [] });
    if (found !== undefined) return found;
  }
  return undefined;
}
