import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadTokenizer, type Tokenizer, tokenizerFromGguf } from "../../runtime/tokenizer/index.js";
import { codeOf } from "../checkpoints/coded.js";
import { byteLevelMetadata, sentencePieceMetadata, wordPieceJson } from "./fixtures.js";

const folder = new URL("../../examples/tiny-moe/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");

const tokenizers: { name: string; tokenizer: Tokenizer }[] = [
  { name: "tiny-moe", tokenizer: loadTokenizer({ tokenizer: read("tokenizer.json") }) },
  { name: "byte-level", tokenizer: loadTokenizer(tokenizerFromGguf(byteLevelMetadata)) },
  { name: "SentencePiece", tokenizer: loadTokenizer(tokenizerFromGguf(sentencePieceMetadata)) },
  { name: "WordPiece", tokenizer: loadTokenizer({ tokenizer: wordPieceJson }) },
];

describe.each(tokenizers)("$name", ({ tokenizer }) => {
  it.each([true, false])("streams what decode gives in one go (skipSpecial %s)", (skipSpecial) => {
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 40 }), (ids) => {
        const stream = tokenizer.streamDecoder({ skipSpecial });
        const pieces = ids.map((id) => stream.push(id));
        expect(pieces.join("") + stream.flush()).toBe(tokenizer.decode(ids, { skipSpecial }));
      }),
      { numRuns: 300 },
    );
  });

  it("can be used again after flush", () => {
    const ids = tokenizer.encode("hello hello", { addSpecial: false });
    const stream = tokenizer.streamDecoder();
    const once = ids.map((id) => stream.push(id)).join("") + stream.flush();
    const twice = ids.map((id) => stream.push(id)).join("") + stream.flush();
    expect(twice).toBe(once);
  });

  it("refuses ids that are no tokens", () => {
    for (const id of [-1, 0.5, NaN, tokenizer.vocabSize]) {
      expect(codeOf(() => tokenizer.streamDecoder().push(id))).toBe("MOE5207");
      expect(codeOf(() => tokenizer.decode([id]))).toBe("MOE5207");
    }
  });
});

describe.each(tokenizers.slice(0, 3))("$name, characters of several bytes", ({ tokenizer }) => {
  it("never emits a part of one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (text) => {
        const stream = tokenizer.streamDecoder();
        const pieces = tokenizer.encode(text, { addSpecial: false }).map((id) => stream.push(id));
        pieces.push(stream.flush());
        for (const piece of pieces) expect(piece).not.toMatch(/[\ud800-\udfff]/u);
        if (!text.includes("\ufffd")) expect(pieces.join("")).not.toContain("\ufffd");
      }),
      { numRuns: 300 },
    );
  });
});

it("holds the bytes of a character back until the last one", () => {
  const stream = tokenizers[0]!.tokenizer.streamDecoder();
  expect([0xf0, 0x9f, 0x98, 0x80].map((byte) => stream.push(byte))).toEqual(["", "", "", "😀"]);
  expect([0xe2, 0x82].map((byte) => stream.push(byte))).toEqual(["", ""]);
  expect(stream.flush()).toBe("\ufffd");
});
