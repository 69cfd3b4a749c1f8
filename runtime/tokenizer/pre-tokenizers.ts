/**
 * The pre-tokenizers that a GGUF file names in `tokenizer.ggml.pre` instead of spelling them out. One record for each
 * behaviour; the names are the ones that llama.cpp's converter writes.
 */
import { GPT2_PATTERN } from "./rewrite.js";
import type { Step } from "./schema.js";

/** What a name stands for. */
export interface PreTokenizerRecord {
  readonly names: readonly string[];
  /** Steps before the bytes. */
  readonly steps: readonly Step[];
  /** Normal form of the original tokenizer, if it has one. */
  readonly normalizer?: Step;
  /** A word that is a token is taken whole, without merging. */
  readonly ignoreMerges: boolean;
  /** Whether a text begins with the bos token when the file does not say. */
  readonly addBos: boolean;
}

const split = (regex: string): Step => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior: "Isolated",
  invert: false,
});

/** The common pattern of newer vocabularies; they differ in how many digits stay together. */
const words = (digits: string): string =>
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
  `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** Words of o200k: capitals begin a word, marks belong to it, and slashes follow signs. */
const CAPITALS = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
const SMALL = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";
const ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
const O200K =
  `[^\\r\\n\\p{L}\\p{N}]?[${CAPITALS}]*[${SMALL}]+${ENDING}|` +
  `[^\\r\\n\\p{L}\\p{N}]?[${CAPITALS}]+[${SMALL}]*${ENDING}|` +
  "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** DeepSeek-V3's, behind digits in threes and runs of Chinese and Japanese signs. */
const DEEPSEEK_3 =
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|" +
  " ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Every known pre-tokenizer. */
export const PRE_TOKENIZERS: readonly PreTokenizerRecord[] = [
  {
    names: ["gpt-2", "olmo", "mpt", "phi-2"],
    steps: [split(GPT2_PATTERN)],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["llama-bpe", "llama3", "llama-v3", "lfm2"],
    steps: [split(words("\\p{N}{1,3}"))],
    ignoreMerges: true,
    addBos: true,
  },
  {
    names: ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
    steps: [split(words("\\p{N}{1,3}"))],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["qwen2", "deepseek-r1-qwen"],
    steps: [split(words("\\p{N}"))],
    normalizer: { type: "NFC" },
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["smollm", "starcoder", "refact", "command-r"],
    steps: [split("\\p{N}"), split(GPT2_PATTERN)],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["gpt-4o", "llama4"],
    steps: [split(O200K)],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["deepseek-v3"],
    steps: [split("\\p{N}{1,3}"), split("[一-龥\\u3040-ゟ゠-ヿ]+"), split(DEEPSEEK_3)],
    ignoreMerges: false,
    addBos: false,
  },
];
