/**
 * The Hugging Face `tokenizer.json`, as far as the tokenizer library carries it out faithfully. What is not listed here
 * is refused by name: a step that is skipped in silence gives other ids.
 */
// The small form of zod: the runtime travels with every bundle. Its sentences are a module of their own.
import * as z from "zod/mini";
import english from "zod/v4/locales/en.js";

z.config(english());

const pattern = z.union([
  z.object({ Regex: z.string().check(z.minLength(1)) }),
  z.object({ String: z.string().check(z.minLength(1)) }),
]);
const flag = z.nullish(z.boolean());
const count = z.int().check(z.minimum(0));
const countFromOne = z.int().check(z.minimum(1));
const text = z.string();

/** Component types that are carried out, by the part of the file they stand in. */
export const SUPPORTED = {
  normalizer: [
    "BertNormalizer",
    "Sequence",
    "Replace",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Strip",
    "StripAccents",
    "Lowercase",
    "Prepend",
  ],
  pre_tokenizer: [
    "BertPreTokenizer",
    "Sequence",
    "Whitespace",
    "WhitespaceSplit",
    "Metaspace",
    "ByteLevel",
    "Split",
    "Punctuation",
    "Digits",
    "FixedLength",
  ],
  model: ["BPE", "WordPiece", "Unigram"],
  post_processor: ["TemplateProcessing", "ByteLevel", "BertProcessing", "RobertaProcessing", "Sequence"],
  decoder: [
    "ByteLevel",
    "WordPiece",
    "Metaspace",
    "BPEDecoder",
    "Sequence",
    "Replace",
    "Fuse",
    "Strip",
    "ByteFallback",
  ],
} as const;

/** Fields that steps share; each step is checked for the ones it has, and unknown ones are left alone. */
const stepFields = {
  pattern: z.optional(pattern),
  content: z.optional(text),
  prepend: z.optional(text),
  behavior: z.optional(text),
  invert: flag,
  add_prefix_space: flag,
  use_regex: flag,
  individual_digits: flag,
  replacement: z.optional(text),
  prepend_scheme: z.nullish(z.enum(["always", "first", "never"])),
  length: z.optional(countFromOne),
  suffix: z.nullish(text),
  prefix: z.nullish(text),
  cleanup: flag,
  start: z.optional(count.check(z.maximum(1000))),
  stop: z.optional(count.check(z.maximum(1000))),
  strip_left: flag,
  strip_right: flag,
  clean_text: flag,
  handle_chinese_chars: flag,
  strip_accents: flag,
  lowercase: flag,
};

/** A step of a normalizer, pre-tokenizer or decoder. Sequences nest through one of three keys. */
export interface Step extends z.infer<typeof stepBase> {
  normalizers?: Step[] | undefined;
  pretokenizers?: Step[] | undefined;
  decoders?: Step[] | undefined;
}

const stepBase = z.looseObject({ type: text, ...stepFields });
const step: z.ZodMiniType<Step> = z.lazy(() =>
  z.extend(stepBase, {
    normalizers: z.optional(z.array(step)),
    pretokenizers: z.optional(z.array(step)),
    decoders: z.optional(z.array(step)),
  }),
);

const templateItem = z.union([
  z.object({ SpecialToken: z.object({ id: text, type_id: z.optional(z.int()) }) }),
  z.object({ Sequence: z.object({ id: z.enum(["A", "B"]), type_id: z.optional(z.int()) }) }),
]);
const namedId = z.tuple([text, count]);

const postBase = z.looseObject({
  type: text,
  single: z.optional(z.array(templateItem)),
  pair: z.optional(z.array(templateItem)),
  special_tokens: z.optional(z.record(text, z.object({ id: text, ids: z.array(count), tokens: z.array(text) }))),
  sep: z.optional(namedId),
  cls: z.optional(namedId),
});

/** A post-processor: what `encode` adds around the text. */
export interface PostProcessor extends z.infer<typeof postBase> {
  processors?: PostProcessor[] | undefined;
}

const postProcessor: z.ZodMiniType<PostProcessor> = z.lazy(() =>
  z.extend(postBase, { processors: z.optional(z.array(postProcessor)) }),
);

const model = z.looseObject({
  type: z.optional(text),
  unk_token: z.nullish(text),
  unk_id: z.nullish(count),
  continuing_subword_prefix: z.nullish(text),
  end_of_word_suffix: z.nullish(text),
  max_input_chars_per_word: z.optional(countFromOne),
  byte_fallback: flag,
  ignore_merges: flag,
  fuse_unk: flag,
  dropout: z.nullish(z.number()),
  // Their entries are checked by `vocabulary.ts`: a schema over 150,000 entries costs more than the whole load.
  vocab: z.custom<unknown>((value) => typeof value === "object" && value !== null, "must be an object or a list"),
  merges: z.optional(z.array(z.unknown())),
});

const addedToken = z.looseObject({
  id: count,
  content: text.check(z.minLength(1)),
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
});

/** `tokenizer.json`. */
export const tokenizerSchema = z.looseObject({
  added_tokens: z._default(z.array(addedToken), []),
  normalizer: z.nullish(step),
  pre_tokenizer: z.nullish(step),
  post_processor: z.nullish(postProcessor),
  decoder: z.nullish(step),
  model,
});

/** A `tokenizer.json` whose form was checked (the meaning of its parts was not yet). */
export type TokenizerJson = z.infer<typeof tokenizerSchema>;

const tokenName = z.nullish(z.union([text, z.looseObject({ content: text })]));

/** `tokenizer_config.json`, only what changes ids or text; `serve/chat.ts` reads how chats are written. */
export const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  clean_up_tokenization_spaces: flag,
});

/** A checked `tokenizer_config.json`. */
export type TokenizerConfig = z.infer<typeof configSchema>;
