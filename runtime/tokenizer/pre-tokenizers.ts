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

/** DeepSeek's first vocabularies: letters that have two cases, range by range. */
const CASED =
  "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373" +
  "\u0376\u0377\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481" +
  "\u048A-\u052F\u0531-\u0556\u10A0-\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B" +
  "\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B" +
  "\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB" +
  "\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115\u2119-\u211D\u2124\u2126\u2128" +
  "\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B\u2C7E-\u2CE4" +
  "\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF" +
  "\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\u{10400}-\u{1044F}\u{104B0}-\u{104D3}" +
  "\u{104D8}-\u{104FB}\u{10C80}-\u{10CB2}\u{10CC0}-\u{10CF2}\u{118A0}-\u{118DF}\u{1E900}-\u{1E943}";
const CJK = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+";
const LINES = "[\r\n]";

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
  {
    names: ["deepseek-llm"],
    // llama.cpp keeps digits together, of which these vocabularies have no token.
    steps: [
      split(LINES),
      split(`\\s?[${CASED}]+`),
      split("\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+"),
      split("\\s+$"),
      split(CJK),
      split("\\p{N}"),
    ],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ["deepseek-coder"],
    steps: [split(LINES), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"), split(CJK), split("\\p{N}")],
    ignoreMerges: false,
    addBos: false,
  },
];
