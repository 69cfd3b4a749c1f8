/** Small tokenizers of each kind. */
import type { MetadataValue } from "../../compiler/checkpoints/index.js";
import { BYTE_CHARACTERS } from "../../runtime/tokenizer/piece-bytes.js";

const strings = (values: readonly string[]): MetadataValue => ({ type: "array", of: "string", values });
const types = (values: readonly number[]): MetadataValue => ({
  type: "array",
  of: "i32",
  values: Int32Array.from(values),
});
const u32 = (value: number): MetadataValue => ({ type: "u32", value });
const text = (value: string): MetadataValue => ({ type: "string", value });

const hexBytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
const pieces = [
  "▁",
  "h",
  "e",
  "l",
  "o",
  "w",
  "r",
  "d",
  "▁h",
  "el",
  "lo",
  "▁hel",
  "▁hello",
  "▁w",
  "or",
  "ld",
  "▁wor",
  "▁world",
];

/** SentencePiece vocabulary: `<unk> <s> </s>`, 256 bytes, a few pieces; the longer a piece, the better its score. */
export const sentencePieceMetadata: ReadonlyMap<string, MetadataValue> = new Map<string, MetadataValue>([
  ["tokenizer.ggml.model", text("llama")],
  ["tokenizer.ggml.tokens", strings(["<unk>", "<s>", "</s>", ...hexBytes, ...pieces])],
  [
    "tokenizer.ggml.scores",
    {
      type: "array",
      of: "f32",
      values: Float32Array.from([
        0,
        0,
        0,
        ...hexBytes.map(() => 0),
        ...pieces.map((piece, i) => piece.length - i / 100),
      ]),
    },
  ],
  ["tokenizer.ggml.token_type", types([2, 3, 3, ...hexBytes.map(() => 6), ...pieces.map(() => 1)])],
  ["tokenizer.ggml.bos_token_id", u32(1)],
  ["tokenizer.ggml.eos_token_id", u32(2)],
]);

/** Byte-level vocabulary: 256 bytes, three merges, a control token and one that the user defined. */
export const byteLevelMetadata: ReadonlyMap<string, MetadataValue> = new Map<string, MetadataValue>([
  ["tokenizer.ggml.model", text("gpt2")],
  ["tokenizer.ggml.pre", text("qwen2")],
  ["tokenizer.ggml.tokens", strings([...BYTE_CHARACTERS, "he", "ll", "Ġhe", "<|end|>", "<tool>"])],
  ["tokenizer.ggml.token_type", types([...BYTE_CHARACTERS.map(() => 1), 1, 1, 1, 3, 4])],
  ["tokenizer.ggml.merges", strings(["h e", "l l", "Ġ he"])],
  ["tokenizer.ggml.eos_token_id", u32(259)],
]);

/** A WordPiece tokenizer in the style of BERT. */
export const wordPieceJson = {
  version: "1.0",
  added_tokens: ["[UNK]", "[CLS]", "[SEP]"].map((content, id) => ({ id, content, special: true })),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "BertProcessing", sep: ["[SEP]", 2], cls: ["[CLS]", 1] },
  decoder: { type: "WordPiece", prefix: "##", cleanup: false },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, play: 3, "##ing": 4, chess: 5, ".": 6, "##s": 7 },
  },
};
