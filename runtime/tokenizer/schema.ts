/**
 * The Hugging Face `tokenizer.json`, as far as the tokenizer library carries it out faithfully. What is not listed here
 * is refused by name: a step that is skipped in silence gives other ids.
 */
import { z } from "zod";

const pattern = z.union([z.object({ Regex: z.string().min(1) }), z.object({ String: z.string().min(1) })]);
const flag = z.boolean().nullish();
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
  pattern: pattern.optional(),
  content: text.optional(),
  prepend: text.optional(),
  behavior: text.optional(),
  invert: flag,
  add_prefix_space: flag,
  use_regex: flag,
  individual_digits: flag,
  replacement: text.optional(),
  prepend_scheme: z.enum(["always", "first", "never"]).nullish(),
  length: z.number().int().min(1).optional(),
  suffix: text.nullish(),
  prefix: text.nullish(),
  cleanup: flag,
  start: z.number().int().min(0).max(1000).optional(),
  stop: z.number().int().min(0).max(1000).optional(),
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
const step: z.ZodType<Step> = z.lazy(() =>
  stepBase.extend({
    normalizers: z.array(step).optional(),
    pretokenizers: z.array(step).optional(),
    decoders: z.array(step).optional(),
  }),
);

const templateItem = z.union([
  z.object({ SpecialToken: z.object({ id: text, type_id: z.number().int().optional() }) }),
  z.object({ Sequence: z.object({ id: z.enum(["A", "B"]), type_id: z.number().int().optional() }) }),
]);
const namedId = z.tuple([text, z.number().int().min(0)]);

const postBase = z.looseObject({
  type: text,
  single: z.array(templateItem).optional(),
  pair: z.array(templateItem).optional(),
  special_tokens: z
    .record(text, z.object({ id: text, ids: z.array(z.number().int().min(0)), tokens: z.array(text) }))
    .optional(),
  sep: namedId.optional(),
  cls: namedId.optional(),
});

/** A post-processor: what `encode` adds around the text. */
export interface PostProcessor extends z.infer<typeof postBase> {
  processors?: PostProcessor[] | undefined;
}

const postProcessor: z.ZodType<PostProcessor> = z.lazy(() =>
  postBase.extend({ processors: z.array(postProcessor).optional() }),
);

const model = z.looseObject({
  type: text.optional(),
  unk_token: text.nullish(),
  unk_id: z.number().int().min(0).nullish(),
  continuing_subword_prefix: text.nullish(),
  end_of_word_suffix: text.nullish(),
  max_input_chars_per_word: z.number().int().min(1).optional(),
  byte_fallback: flag,
  ignore_merges: flag,
  fuse_unk: flag,
  dropout: z.number().nullish(),
  // Their entries are checked by `vocabulary.ts`: a schema over 150,000 entries costs more than the whole load.
  vocab: z.custom<unknown>((value) => typeof value === "object" && value !== null, "must be an object or a list"),
  merges: z.array(z.unknown()).optional(),
});

const addedToken = z.looseObject({
  id: z.number().int().min(0),
  content: text.min(1),
  single_word: flag,
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
});

/** `tokenizer.json`. */
export const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: step.nullish(),
  pre_tokenizer: step.nullish(),
  post_processor: postProcessor.nullish(),
  decoder: step.nullish(),
  model,
});

/** A `tokenizer.json` whose form was checked (the meaning of its parts was not yet). */
export type TokenizerJson = z.infer<typeof tokenizerSchema>;

const tokenName = z.union([text, z.looseObject({ content: text })]).nullish();

/** `tokenizer_config.json`, only what changes ids or text. */
export const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  clean_up_tokenization_spaces: flag,
});

/** A checked `tokenizer_config.json`. */
export type TokenizerConfig = z.infer<typeof configSchema>;
