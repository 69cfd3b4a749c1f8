/** Tokenizers as GGUF metadata: the way there and back gives the same ids, and what has no name there is refused. */
import { describe, expect, it } from "vitest";
import { optionalNumbers, optionalStrings } from "../../compiler/checkpoints/index.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { tokenizerToGguf } from "../../runtime/tokenizer/gguf-write.js";
import { PRE_TOKENIZERS } from "../../runtime/tokenizer/pre-tokenizers.js";
import { codeOf } from "../checkpoints/coded.js";
import { byteLevelTokenizer, LLAMA3_WORDS, QWEN_WORDS, sentencePieceTokenizer, split } from "../import/hf-folder.js";
import { byteLevelMetadata, sentencePieceMetadata, wordPieceJson } from "./fixtures.js";

const TEXTS = ["the quick  brown fox", "12345 can't\n\n é <tool> x", "hello hello world", "かな"];
const config = { bos_token: "<s>", eos_token: "</s>" };
const nameOf = (tokenizer: unknown): unknown =>
  tokenizerToGguf({ files: { tokenizer, config } }, 512).metadata.get("tokenizer.ggml.pre");

describe("there and back", () => {
  it.each(PRE_TOKENIZERS.map((record) => [record.names[0]!, record] as const))(
    "byte-level BPE of %s",
    (name, record) => {
      const { normalizer, ignoreMerges, steps } = record;
      const more = { ignoreMerges, bos: true, ...(normalizer ? { normalizer } : {}) };
      const tokenizer = byteLevelTokenizer(steps, more);
      const { metadata } = tokenizerToGguf({ files: { tokenizer, config } }, 512);
      expect(metadata.get("tokenizer.ggml.pre")).toEqual({ type: "string", value: name });
      const [from, to] = [loadTokenizer({ tokenizer, config }), loadTokenizer(tokenizerFromGguf(metadata))];
      for (const text of TEXTS) expect(to.encode(text), text).toEqual(from.encode(text));
      expect([to.bos, to.eos]).toEqual([from.bos, from.eos]);
    },
  );

  it.each([
    ["SentencePiece", sentencePieceMetadata],
    ["byte-level BPE", byteLevelMetadata],
  ])("what a GGUF file had: %s", (_, before) => {
    const files = tokenizerFromGguf(before);
    const { vocabSize } = loadTokenizer(files);
    const { metadata } = tokenizerToGguf({ files }, vocabSize);
    const key = "tokenizer.ggml.";
    for (const name of ["model", "tokens", "merges", "eos_token_id"]) {
      expect(metadata.get(key + name), name).toEqual(before.get(key + name));
    }
    const back = loadTokenizer(tokenizerFromGguf(metadata));
    for (const text of TEXTS) expect(back.encode(text), text).toEqual(loadTokenizer(files).encode(text));
  });

  it("fills rows without a token, and writes the template and the padding", () => {
    const tokenizer = sentencePieceTokenizer(400);
    const source = { files: { tokenizer, config }, chatTemplate: "{{ x }}", padding: 2 };
    const { metadata } = tokenizerToGguf(source, 402);
    const last = (values: Iterable<unknown>): unknown[] => [...values].slice(400);
    expect(last(optionalStrings(metadata, "tokenizer.ggml.tokens")!)).toEqual(["[PAD400]", "[PAD401]"]);
    expect(last(optionalNumbers(metadata, "tokenizer.ggml.token_type")!)).toEqual([5, 5]);
    expect(metadata.get("tokenizer.chat_template")).toEqual({ type: "string", value: "{{ x }}" });
    expect(metadata.get("tokenizer.ggml.padding_token_id")).toEqual({ type: "u32", value: 2 });
  });
});

it("finds the name of published spellings", () => {
  const name = (value: string) => ({ type: "string", value });
  expect(nameOf(byteLevelTokenizer([split(QWEN_WORDS)], { normalizer: { type: "NFC" } }))).toEqual(name("qwen2"));
  expect(nameOf(byteLevelTokenizer([split(LLAMA3_WORDS)], { ignoreMerges: true }))).toEqual(name("llama-bpe"));
  expect(nameOf(byteLevelTokenizer([split(LLAMA3_WORDS)]))).toEqual(name("dbrx"));
  // GPT-2's own form: the step of the bytes cuts words too.
  const gpt2 = { ...byteLevelTokenizer([]), pre_tokenizer: { type: "ByteLevel", add_prefix_space: false } };
  expect(nameOf(gpt2)).toEqual(name("gpt-2"));
  const digits = byteLevelTokenizer([
    { type: "Digits", individual_digits: true },
    { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  ]);
  expect(codeOf(() => nameOf(digits))).toBe("MOE5209");
});

describe("refuses", () => {
  const plain = byteLevelTokenizer([split(QWEN_WORDS)]);
  const model = plain["model"] as object;
  const twice = {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<tool>" } }, { SpecialToken: { id: "<tool>" } }, { Sequence: { id: "A" } }],
    special_tokens: {
      "<tool>": { id: "<tool>", ids: [loadTokenizer({ tokenizer: plain }).vocabSize - 1], tokens: ["<tool>"] },
    },
  };
  it.each<[string, unknown]>([
    ["another pattern", byteLevelTokenizer([split("[a-z]+")])],
    ["patterns in another order", byteLevelTokenizer([split(QWEN_WORDS), split("\\p{N}")])],
    ["a space in front", { ...plain, pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } }],
    ["a step that is not of bytes", { ...plain, pre_tokenizer: { type: "Whitespace" } }],
    ["a normalizer", { ...plain, normalizer: { type: "Lowercase" } }],
    ["a suffix", { ...plain, model: { ...model, end_of_word_suffix: "</w>" } }],
    ["other tokens in front", { ...plain, post_processor: twice }],
    ["words taken whole", byteLevelTokenizer([split(QWEN_WORDS)], { ignoreMerges: true })],
    ["WordPiece", { ...wordPieceJson, added_tokens: [] }],
  ])("%s", (_, tokenizer) => {
    expect(codeOf(() => tokenizerToGguf({ files: { tokenizer, eos: [1] } }, 512))).toBe("MOE5209");
  });

  it("merges that no scores give, steps in front of them, and a text without an end", () => {
    const tokenizer = tokenizerFromGguf(sentencePieceMetadata).tokenizer as {
      readonly model: { readonly merges: readonly unknown[] };
    };
    const files = (changes: object) => ({ files: { tokenizer: { ...tokenizer, ...changes }, config } });
    const { merges } = tokenizer.model;
    expect(() => tokenizerToGguf(files({}), 512)).not.toThrow();
    const fewer = { model: { ...tokenizer.model, merges: merges.slice(1) } };
    expect(codeOf(() => tokenizerToGguf(files(fewer), 512))).toBe("MOE5209");
    expect(codeOf(() => tokenizerToGguf(files({ normalizer: { type: "NFC" } }), 512))).toBe("MOE5209");
    expect(codeOf(() => tokenizerToGguf({ files: { tokenizer: plain } }, 512))).toBe("MOE5209");
  });
});
