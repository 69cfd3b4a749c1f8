/**
 * The tokenizer of `examples/tiny-moe` against a byte-pair encoder that is written from the rule alone: split by the
 * training's pattern, then merge the pair of lowest rank, leftmost first, until no pair has a rank.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../runtime/tokenizer/index.js";

const folder = new URL("../../examples/tiny-moe/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const texts = readdirSync(new URL("val/", folder)).map((name) => ({ name, text: read(`val/${name}`) }));
const tokenizer = loadTokenizer({ tokenizer: read("tokenizer.json"), config: read("tokenizer_config.json") });

interface Reference {
  readonly greedy: readonly { prompt: string; prompt_ids: number[]; ids: number[]; text: string }[];
}
const reference = JSON.parse(read("reference.json")) as Reference;

/** White space of Python's `\s`, which the training used: the Unicode property and U+001C to U+001F. */
const space = "\\p{White_Space}\\x1C-\\x1F";
const words = new RegExp(
  `'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]| ?[^${space}A-Za-z0-9]+|[${space}]+(?![^${space}])|[${space}]+`,
  "gu",
);

/** Encoder over byte values, from the vocabulary and merges of the converted file. */
function plainEncoder(): (text: string) => number[] {
  const { model } = JSON.parse(read("tokenizer.json")) as {
    model: { vocab: Record<string, number>; merges: string[] };
  };
  const ranks = new Map<string, { rank: number; id: number }>();
  model.merges.forEach((merge, rank) => {
    const [left, right] = merge.split(" ") as [string, string];
    ranks.set(`${model.vocab[left]} ${model.vocab[right]}`, { rank, id: model.vocab[left + right]! });
  });
  const cache = new Map<string, number[]>();
  const encodeWord = (word: string): number[] => {
    let ids = [...Buffer.from(word)];
    for (;;) {
      let best: { rank: number; id: number; at: number } | undefined;
      for (let at = 0; at + 1 < ids.length; at++) {
        const found = ranks.get(`${ids[at]} ${ids[at + 1]}`);
        if (found !== undefined && (best === undefined || found.rank < best.rank)) best = { ...found, at };
      }
      if (best === undefined) return ids;
      ids = [...ids.slice(0, best.at), best.id, ...ids.slice(best.at + 2)];
    }
  };
  return (text) =>
    (text.match(words) ?? []).flatMap((word) => {
      const known = cache.get(word) ?? encodeWord(word);
      cache.set(word, known);
      return known;
    });
}

describe("ids", () => {
  const plain = plainEncoder();

  it.each(texts)("equal the plain encoder's on every document of $name", ({ text }) => {
    for (const document of text.split("\0")) {
      expect(tokenizer.encode(document, { addSpecial: false })).toEqual(plain(document));
    }
  });

  it.each([
    ["", "nothing"],
    ["   \n\t  x  ", "runs of white space"],
    ["a\u001cb \u001f!", "separators that only Python takes for white space"],
    ["a\u0085b\u00a0c\u3000d\ufeffe", "white space beyond ASCII, and U+FEFF, which is none"],
    ["naïve Grüße 你好 👩‍🚀", "characters of several bytes"],
    ["it's we'll THEY'RE don't", "apostrophes"],
    ["x=12345; // 0.5", "digits one by one"],
    ["a\0b", "the zero character"],
  ])("equal the plain encoder's on %j (%s)", (text) => {
    expect(tokenizer.encode(text, { addSpecial: false })).toEqual(plain(text));
  });

  it("begin with the end-of-text token, as the reference's prompts do", () => {
    for (const { prompt, prompt_ids: ids } of reference.greedy) expect(tokenizer.encode(prompt)).toEqual(ids);
    expect(tokenizer.bos).toBe(2047);
    expect(tokenizer.eos).toEqual([2047]);
    expect(tokenizer.vocabSize).toBe(2048);
  });

  it("of all texts take a few seconds at most", () => {
    // Time of this process, not of the clock: other test files run beside this one.
    const start = process.cpuUsage();
    for (const { text } of texts) tokenizer.encode(text);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  });
});

describe("text", () => {
  it("of the reference's continuations is the reference's", () => {
    for (const { ids, text } of reference.greedy) expect(tokenizer.decode(ids)).toBe(text);
  });

  it.each(texts)("comes back whole for $name", ({ text }) => {
    const document = text.split("\0")[0]!;
    expect(tokenizer.decode(tokenizer.encode(document), { skipSpecial: true })).toBe(document);
  });

  it("has the special token unless it is skipped", () => {
    expect(tokenizer.decode([2047, 65])).toBe("<|eot|>A");
    expect(tokenizer.decode([2047, 65], { skipSpecial: true })).toBe("A");
    expect(tokenizer.encode("A<|eot|>", { addSpecial: false })).toEqual([65, 2047]);
  });
});
