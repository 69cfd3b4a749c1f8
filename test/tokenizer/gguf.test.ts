import { describe, expect, it } from "vitest";
import type { MetadataValue } from "../../compiler/checkpoints/index.js";
import { loadTokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { codeOf } from "../checkpoints/coded.js";
import { byteLevelMetadata, sentencePieceMetadata, wordPieceJson } from "./fixtures.js";

type Entries = ReadonlyMap<string, MetadataValue>;
/** The part of a `tokenizer.json` that says where words end. */
interface PreTokenizer {
  readonly pretokenizers: readonly { readonly pattern?: { readonly Regex: string } }[];
}
const load = (metadata: Entries) => loadTokenizer(tokenizerFromGguf(metadata));

function changed(metadata: Entries, changes: Record<string, MetadataValue | undefined>): Entries {
  const copy = new Map(metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) copy.delete(`tokenizer.ggml.${key}`);
    else copy.set(`tokenizer.ggml.${key}`, value);
  }
  return copy;
}

const flag = (value: boolean): MetadataValue => ({ type: "bool", value });
const text = (value: string): MetadataValue => ({ type: "string", value });

describe("SentencePiece", () => {
  const tokenizer = load(sentencePieceMetadata);

  it("merges the pieces of best score first, after a space and the bos token", () => {
    const ids = tokenizer.encode("hello world");
    expect(ids).toEqual([1, 3 + 256 + 12, 3 + 256 + 17]);
    expect(tokenizer.decode(ids.slice(1))).toBe("hello world");
  });

  it("spells what it does not know in bytes", () => {
    const ids = tokenizer.encode("é", { addSpecial: false });
    expect(ids).toEqual([3 + 256, 3 + 0xc3, 3 + 0xa9]);
    expect(tokenizer.decode(ids)).toBe("é");
  });

  it("reads specials, with and without the keys that say when they are added", () => {
    expect(tokenizer).toMatchObject({ bos: 1, eos: [2], vocabSize: 3 + 256 + 18 });
    expect(tokenizer.decode([1, 3 + 256 + 12, 2], { skipSpecial: true })).toBe("hello");
    const bare = load(changed(sentencePieceMetadata, { add_bos_token: flag(false), add_eos_token: flag(true) }));
    expect(bare.encode("hello")).toEqual([3 + 256 + 12, 2]);
    const plain = load(changed(sentencePieceMetadata, { add_space_prefix: flag(false), add_bos_token: flag(false) }));
    expect(plain.decode(plain.encode(" hello"))).toBe(" hello");
  });
});

describe("byte-level BPE", () => {
  const tokenizer = load(byteLevelMetadata);

  it("merges by rank and keeps control and user-defined tokens whole", () => {
    expect(tokenizer.encode(" hello<tool><|end|>")).toEqual([258, 257, "o".charCodeAt(0), 260, 259]);
    expect(tokenizer.decode([258, 257, 111, 260, 259])).toBe(" hello<tool><|end|>");
    expect(tokenizer.decode([258, 260, 259], { skipSpecial: true })).toBe(" he<tool>");
    expect(tokenizer.eos).toEqual([259]);
    expect(tokenizer.bos).toBeUndefined();
  });

  /** A text as the steps of a pre-tokenizer cut it. */
  const pieces = (pre: string, sample: string): readonly string[] => {
    const metadata = changed(byteLevelMetadata, { pre: text(pre) });
    const { tokenizer: parsed } = tokenizerFromGguf(metadata) as { tokenizer: { pre_tokenizer: PreTokenizer } };
    const steps = parsed.pre_tokenizer.pretokenizers.flatMap(({ pattern }) => (pattern ? [pattern.Regex] : []));
    // Each step takes the parts of the last one apart: what it matches, and what lies between.
    return steps.reduce<readonly string[]>((parts, regex) => parts.flatMap((part) => taken(part, regex)), [sample]);
  };
  const taken = (part: string, regex: string): readonly string[] => {
    // Case is given by groups in these patterns, which older engines lack: contractions here are small.
    const all = [...part.matchAll(new RegExp(regex.replaceAll("(?i:", "(?:"), "gu"))];
    let end = 0;
    const found = all.flatMap((match) => {
      const before = part.slice(end, match.index);
      end = match.index + match[0].length;
      return before === "" ? [match[0]] : [before, match[0]];
    });
    return end < part.length ? [...found, part.slice(end)] : found;
  };

  it.each([
    ["gpt-4o", "HelloWorld can't a/b 12345", ["Hello", "World", " can't", " a", "/b", " ", "123", "45"]],
    ["llama4", "x =\n//\n1", ["x", " =\n//\n", "1"]],
    [
      "deepseek-v3",
      "it's 12345 かな漢字 ok!\nfine",
      ["it", "'s", " ", "123", "45", " ", "かな漢字", " ok", "!\n", "fine"],
    ],
    ["glm4", "it's 12345 x", ["it", "'s", " ", "123", "45", " x"]],
    ["lfm2", "it's 12345 x", ["it", "'s", " ", "123", "45", " x"]],
  ])("cuts words as %s does", (pre, sample, expected) => {
    expect(pieces(pre, sample)).toEqual(expected);
    const tokenizer = load(changed(byteLevelMetadata, { pre: text(pre) }));
    expect(tokenizer.decode(tokenizer.encode(sample), { skipSpecial: true })).toBe(sample);
  });

  it("brings text to the normal form of the original", () => {
    expect(tokenizer.encode("e\u0301")).toEqual([0xc3, 0xa9]);
  });

  it("splits digits as the named pre-tokenizer does", () => {
    const llama3 = load(changed(byteLevelMetadata, { pre: text("llama-bpe") }));
    expect(llama3.decode(llama3.encode("it's 12345\n\n  x"))).toBe("it's 12345\n\n  x");
  });
});

it("prefers a complete tokenizer.json in the metadata", () => {
  const metadata = new Map(byteLevelMetadata).set("tokenizer.huggingface.json", text(JSON.stringify(wordPieceJson)));
  metadata.delete("tokenizer.ggml.eos_token_id");
  expect(load(metadata).encode("playing")).toEqual([1, 3, 4, 2]);
});

describe("refusals", () => {
  const strings = (...values: string[]): MetadataValue => ({ type: "array", of: "string", values });
  it.each<[string, string, Entries]>([
    ["no tokenizer", "MOE5205", new Map()],
    ["kind t5", "MOE5206", changed(byteLevelMetadata, { model: text("t5") })],
    ["kind toString", "MOE5206", changed(byteLevelMetadata, { model: text("toString") })],
    ["kind of another type", "MOE5112", changed(byteLevelMetadata, { model: { type: "u32", value: 1 } })],
    ["no tokens", "MOE5205", changed(byteLevelMetadata, { tokens: undefined })],
    ["no pre-tokenizer", "MOE5205", changed(byteLevelMetadata, { pre: undefined })],
    ["pre-tokenizer default", "MOE5206", changed(byteLevelMetadata, { pre: text("default") })],
    ["no merges", "MOE5205", changed(byteLevelMetadata, { merges: undefined })],
    ["no scores", "MOE5205", changed(sentencePieceMetadata, { scores: undefined })],
    [
      "fewer types than tokens",
      "MOE5205",
      changed(byteLevelMetadata, { token_type: { type: "array", of: "i32", values: Int32Array.of(1) } }),
    ],
    ["a token twice", "MOE5204", changed(byteLevelMetadata, { tokens: strings("a", "a"), token_type: undefined })],
    ["a merge of unknown tokens", "MOE5204", changed(byteLevelMetadata, { merges: strings("x yz") })],
    ["a merge of one token", "MOE5202", changed(byteLevelMetadata, { merges: strings("x") })],
    [
      "an eos beyond the vocabulary",
      "MOE5207",
      changed(byteLevelMetadata, { eos_token_id: { type: "u32", value: 9999 } }),
    ],
    [
      "a bos beyond the vocabulary",
      "MOE5205",
      changed(sentencePieceMetadata, { bos_token_id: { type: "u32", value: 9999 } }),
    ],
  ])("%s", (_, code, metadata) => {
    expect(codeOf(() => load(metadata))).toBe(code);
  });
});

describe("WordPiece", () => {
  /** As converters write it: pieces that begin a word with a mark, the others without. */
  const marked = (token: string): string => {
    if (/^\[.*\]$/.test(token)) return token;
    return token.startsWith("##") ? token.slice(2) : `\u2581${token}`;
  };
  const metadata = (vocabulary: readonly string[], more: Readonly<Record<string, MetadataValue>> = {}): Entries =>
    changed(
      new Map<string, MetadataValue>([
        ["tokenizer.ggml.model", text("bert")],
        ["tokenizer.ggml.pre", text("default")],
        ["tokenizer.ggml.tokens", { type: "array", of: "string", values: vocabulary.map(marked) }],
        [
          "tokenizer.ggml.token_type",
          { type: "array", of: "i32", values: Int32Array.from(vocabulary, (_, id) => (id < 3 ? 3 : 1)) },
        ],
      ]),
      more,
    );
  const vocabulary = Object.keys(wordPieceJson.model.vocab);
  const original = loadTokenizer({ tokenizer: wordPieceJson });

  it("has the ids of the original, between its first and its last token", () => {
    const tokenizer = load(metadata(vocabulary));
    for (const sample of ["playing chess.", "Play CHESS", "plays chessing. zebra", "pl\u00e1ying"]) {
      expect(tokenizer.encode(sample), sample).toEqual(original.encode(sample));
      expect(tokenizer.encode(sample, { addSpecial: false })).toEqual(original.encode(sample, { addSpecial: false }));
    }
    expect(tokenizer.encode("playing")).toEqual([1, 3, 4, 2]);
    expect(tokenizer.decode([3, 4, 5, 6])).toBe("playing chess.");
  });

  it("takes the special tokens that keys name, by either spelling", () => {
    const keys = { cls_token_id: { type: "u32", value: 2 }, seperator_token_id: { type: "u32", value: 1 } } as const;
    expect(load(metadata(vocabulary, keys)).encode("play")).toEqual([2, 3, 1]);
    const far = { cls_token_id: { type: "u32", value: 99 } } as const;
    expect(codeOf(() => load(metadata(vocabulary, far)))).toBe("MOE5205");
    expect(codeOf(() => load(metadata(vocabulary.map((token) => (token === "[UNK]" ? "[X]" : token)))))).toBe(
      "MOE5205",
    );
  });

  it("keeps capitals where the vocabulary has some", () => {
    const tokenizer = load(metadata([...vocabulary, "Play"]));
    expect(tokenizer.encode("Play play")).toEqual([1, 8, 3, 2]);
  });
});

describe("chats", () => {
  it("come with the text of the tokens that templates name", () => {
    const template = "{{ bos_token }}{{ messages[0].content }}";
    const files = tokenizerFromGguf(new Map([...sentencePieceMetadata, ["tokenizer.chat_template", text(template)]]));
    expect(files.config).toMatchObject({
      bos_token: "<s>",
      eos_token: "</s>",
      chat_template: template,
    });
    expect(loadTokenizer(files).bos).toBe(1);
    expect(tokenizerFromGguf(sentencePieceMetadata).config).toBeUndefined();
  });
});
