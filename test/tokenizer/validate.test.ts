import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { loadTokenizer } from "../../runtime/tokenizer/index.js";
import { codedError, codeOf } from "../checkpoints/coded.js";
import { wordPieceJson } from "./fixtures.js";

const bpe = (changes: object = {}, model: object = {}): object => ({
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  post_processor: null,
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"], ...model },
  ...changes,
});

describe("refusals", () => {
  it.each<[string, string, unknown]>([
    ["text that is not JSON", "MOE5201", "version https://git-lfs.github.com/spec/v1"],
    ["a list", "MOE5202", "[]"],
    ["nothing", "MOE5202", null],
    ["no model", "MOE5202", { added_tokens: [] }],
    ["nesting without end", "MOE5202", `${"[".repeat(5000)}${"]".repeat(5000)}`],
    ["a word-level model", "MOE5203", bpe({ model: { type: "WordLevel", vocab: {} } })],
    ["an unknown pre-tokenizer", "MOE5203", bpe({ pre_tokenizer: { type: "UnicodeScripts" } })],
    ["one inside a sequence", "MOE5203", bpe({ normalizer: { type: "Sequence", normalizers: [{ type: "Nmt" }] } })],
    ["an unknown decoder", "MOE5203", bpe({ decoder: { type: "CTC" } })],
    ["an unknown post-processor", "MOE5203", bpe({ post_processor: { type: "Else" } })],
    [
      "a Split that merges",
      "MOE5203",
      bpe({ pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithNext" } }),
    ],
    ["a Split without pattern", "MOE5202", bpe({ pre_tokenizer: { type: "Split", behavior: "Isolated" } })],
    [
      "a pattern that does not compile",
      "MOE5202",
      bpe({ pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } }),
    ],
    ["whole-word added tokens", "MOE5203", bpe({ added_tokens: [{ id: 3, content: "x", single_word: true }] })],
    ["an added token without text", "MOE5202", bpe({ added_tokens: [{ id: 3, content: "" }] })],
    ["subword prefixes", "MOE5203", bpe({}, { continuing_subword_prefix: "##" })],
    ["dropout", "MOE5203", bpe({}, { dropout: 0.1 })],
    ["no merges", "MOE5202", bpe({}, { merges: undefined })],
    ["a merge that is a number", "MOE5202", bpe({}, { merges: [1] })],
    ["merges in two spellings", "MOE5202", bpe({}, { merges: ["a b", ["a", "b"]] })],
    ["a merge into no token", "MOE5204", bpe({}, { merges: ["b a"] })],
    ["two tokens with one id", "MOE5204", bpe({}, { vocab: { a: 0, b: 0 } })],
    ["a negative id", "MOE5204", bpe({}, { vocab: { a: -1 } })],
    ["a huge id", "MOE5204", bpe({}, { vocab: { a: 4e9 } })],
    ["an id that is text", "MOE5202", bpe({}, { vocab: { a: "0" } })],
    ["an unknown token that is not there", "MOE5204", bpe({}, { unk_token: "<unk>" })],
    [
      "a template with a missing token",
      "MOE5204",
      bpe({ post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "<s>" } }] } }),
    ],
    ["a template without parts", "MOE5202", bpe({ post_processor: { type: "TemplateProcessing" } })],
    [
      "a wrong id in BertProcessing",
      "MOE5204",
      { ...wordPieceJson, post_processor: { type: "BertProcessing", sep: ["[SEP]", 7], cls: ["[CLS]", 1] } },
    ],
    ["a Unigram model without unknown token", "MOE5204", bpe({ model: { type: "Unigram", vocab: [["a", -1]] } })],
    ["a Unigram piece without score", "MOE5202", bpe({ model: { type: "Unigram", unk_id: 0, vocab: [["a", null]] } })],
    ["an empty Unigram model", "MOE5204", bpe({ model: { type: "Unigram", unk_id: 0, vocab: [] } })],
  ])("%s", (_, code, tokenizer) => {
    expect(codeOf(() => loadTokenizer({ tokenizer }))).toBe(code);
  });

  it("say where", () => {
    const error = codedError(() => loadTokenizer({ tokenizer: bpe({ added_tokens: [{ id: "x", content: "y" }] }) }));
    expect(error.place).toEqual({ file: "tokenizer.json", path: "added_tokens.0.id" });
  });

  it("of configurations that do not belong to the vocabulary", () => {
    const load = (config: unknown) => () => loadTokenizer({ tokenizer: bpe(), config });
    expect(codeOf(load({ eos_token: "</s>" }))).toBe("MOE5208");
    expect(codeOf(load({ eos_token: 3 }))).toBe("MOE5202");
    expect(codeOf(() => loadTokenizer({ tokenizer: bpe(), eos: [17] }))).toBe("MOE5207");
    expect(loadTokenizer({ tokenizer: bpe(), config: { eos_token: { content: "ab" }, bos_token: null } }).eos).toEqual([
      2,
    ]);
  });
});

describe("steps whose JavaScript version is replaced", () => {
  const split = (step: object, text: string): string[] => {
    const letters = [...new Set(text)];
    const vocab = Object.fromEntries([...letters, "?"].map((letter, id) => [letter, id]));
    // Without merges every letter is a token; a marker token between pieces shows where the text was split.
    const pre = {
      type: "Sequence",
      pretokenizers: [step, { type: "Metaspace", replacement: "|", prepend_scheme: "always" }],
    };
    const model = { type: "BPE", vocab: { ...vocab, "|": letters.length + 1 }, merges: [] };
    const tokenizer = loadTokenizer({ tokenizer: bpe({ pre_tokenizer: pre, decoder: { type: "Fuse" } }, model) });
    return tokenizer.decode(tokenizer.encode(text)).split("|").slice(1);
  };

  it.each<[object, string, string[]]>([
    [{ type: "Whitespace" }, "größer ja!? x", ["größer", "ja", "!?", "x"]],
    [{ type: "WhitespaceSplit" }, "a\u0085b\ufeffc d", ["a", "b\ufeffc", "d"]],
    [{ type: "Digits", individual_digits: true }, "a٣٤b1", ["a", "٣", "٤", "b", "1"]],
    [{ type: "Digits", individual_digits: false }, "a٣٤b1", ["a", "٣٤", "b", "1"]],
    [{ type: "Punctuation" }, "a?!b$", ["a", "?", "!", "b", "$"]],
    [{ type: "Punctuation", behavior: "Contiguous" }, "a?!b$", ["a", "?!", "b", "$"]],
  ])("%j splits %j as the original does", (step, text, pieces) => {
    expect(split(step, text)).toEqual(pieces);
  });
});

it("encodes with WordPiece and decodes with spaces between words", () => {
  const tokenizer = loadTokenizer({ tokenizer: wordPieceJson });
  expect(tokenizer.encode("Playing  chess.")).toEqual([1, 3, 4, 5, 6, 2]);
  expect(tokenizer.decode([3, 4, 5, 6])).toBe("playing chess .");
  expect(tokenizer.bos).toBe(1);
});

it("survives damaged files: a tokenizer or a coded error", () => {
  const valid = JSON.stringify(wordPieceJson);
  const tokens = [...valid.matchAll(/"[^"]*"|-?\d+|true|false|null|[{}[\]:,]/g)].map(([token]) => token);
  const other = fc.constantFrom("null", "-1", "1e99", '""', '"x"', "[]", "{}", "true", "0.5");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(tokens.length - 1), other), { minLength: 1, maxLength: 3 }), (changes) => {
      const copy = [...tokens];
      for (const [at, token] of changes) if (!/^[{}[\]:,]$/.test(copy[at]!)) copy[at] = token;
      try {
        const tokenizer = loadTokenizer({ tokenizer: copy.join("") });
        tokenizer.decode(tokenizer.encode("playing chess ü"));
      } catch (error) {
        if (!(error instanceof MoecError)) throw error;
        expect(error.code).toMatch(/^MOE520\d$/);
      }
    }),
    { numRuns: Number(process.env["MOEC_FUZZ_RUNS"] ?? 300) },
  );
});
