/** Folders in Hugging Face's layout with tiny models and tokenizers of both kinds that GGUF files have. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FamilyConfig, hfConfig, hfTensors } from "../../compiler/checkpoints/families/index.js";
import { writeSafetensors } from "../../compiler/checkpoints/index.js";
import { tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { BYTE_CHARACTERS } from "../../runtime/tokenizer/piece-bytes.js";
import { tinyConfigs, tinyVocabulary } from "../support/tiny-checkpoints.js";
import { configs, testValues, variants } from "./configs.js";
import { designTensors, type Json } from "./designs.js";

export const TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}";

/** A text's bytes as byte-level vocabularies spell them, one character each. */
export const spelled = (text: string): readonly string[] =>
  Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]!);

/** Words that merge letter by letter. */
const WORDS = ["the", " the", " quick", " brown", "fox", "12345", "  ", "\n\n", "é", " can't", "'t"];

/** `tokenizer.json` of byte-level BPE as published: `pre` is its pre-tokenizer without the bytes' own step. */
export function byteLevelTokenizer(
  pre: readonly object[],
  more: { readonly normalizer?: object; readonly ignoreMerges?: boolean; readonly bos?: boolean } = {},
): Record<string, unknown> {
  const tokens = [...BYTE_CHARACTERS];
  const merges: string[] = [];
  for (const word of WORDS.map((text) => spelled(text).join(""))) {
    for (let end = 2; end <= word.length; end++) {
      const token = word.slice(0, end);
      if (tokens.includes(token)) continue;
      tokens.push(token);
      merges.push(`${word.slice(0, end - 1)} ${word[end - 1]!}`);
    }
  }
  const size = tokens.length;
  const token = (content: string, id: number, special: boolean): object => ({ id, content, special });
  const processor = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [size], tokens: ["<s>"] } },
  };
  return {
    added_tokens: [token("<s>", size, true), token("</s>", size + 1, true), token("<tool>", size + 2, false)],
    normalizer: more.normalizer ?? null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [...pre, { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false }],
    },
    post_processor: more.bos === true ? processor : null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((each, id) => [each, id])),
      merges,
      ignore_merges: more.ignoreMerges ?? false,
    },
  };
}

export const split = (regex: string): object => ({
  type: "Split",
  pattern: { Regex: regex },
  behavior: "Isolated",
  invert: false,
});

/** Of Qwen2 and later, as in their `tokenizer.json`. */
export const QWEN_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Of Llama 3. */
export const LLAMA3_WORDS = QWEN_WORDS.replace("|\\p{N}|", "|\\p{N}{1,3}|");

export const sentencePieceTokenizer = (rows: number): unknown => tokenizerFromGguf(tinyVocabulary(rows)).tokenizer;

/** The tokenizer that models of the family come with. */
export function familyTokenizer({ family, vocab }: FamilyConfig): unknown {
  switch (family) {
    case "qwen2":
    case "qwen3":
    case "qwen2-moe":
    case "qwen3-moe":
      return byteLevelTokenizer([split(QWEN_WORDS)], { normalizer: { type: "NFC" } });
    case "olmoe":
      return byteLevelTokenizer([
        split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
      ]);
    case "llama":
      return byteLevelTokenizer([split(LLAMA3_WORDS)], { ignoreMerges: true, bos: true });
    default:
      return sentencePieceTokenizer(vocab);
  }
}

/** Models that can be exported as GGUF, by name: every decoder, options, and ties of families with experts. */
export const exportable: readonly (readonly [string, FamilyConfig])[] = [
  ...Object.entries(configs).filter(([name]) => name !== "bert"),
  ...["llama with biases", "llama with linear positions", "llama with Llama 3 positions"].map(
    (name) => [name, variants[name]!] as const,
  ),
  ...(["olmoe", "qwen2-moe", "qwen3-moe", "mixtral"] as const).map(
    (name) => [`${name} that ties its output`, { ...tinyConfigs[name], tied: true }] as const,
  ),
];

/** Writes the folder of a family's model. */
export function hfFolder(
  place: string,
  config: FamilyConfig,
  tokenizer: unknown = familyTokenizer(config),
  type: "f32" | "f16" | "bf16" = "f32",
): void {
  const weights = writeSafetensors({ tensors: hfTensors(config, testValues, type) });
  writeFolder(place, hfConfig(config), weights, tokenizer);
}

/** Writes the folder of a model of a family with a design. */
export function designFolder(place: string, config: Json): void {
  const tensors = designTensors(config).map(({ name, shape, values }) => ({
    name,
    shape,
    type: "f32" as const,
    data: () => new Uint8Array(values.buffer),
  }));
  writeFolder(place, config, writeSafetensors({ tensors }), sentencePieceTokenizer(Number(config["vocab_size"])));
}

/** Writes a folder of these. @param weights Bytes of safetensors. */
export function writeFolder(place: string, config: object, weights: Uint8Array, tokenizer: unknown): void {
  mkdirSync(place, { recursive: true });
  const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(place, name), content);
  write("config.json", JSON.stringify(config));
  write("model.safetensors", weights);
  write("tokenizer.json", JSON.stringify(tokenizer));
  write("tokenizer_config.json", JSON.stringify({ bos_token: "<s>", eos_token: "</s>", chat_template: TEMPLATE }));
}
