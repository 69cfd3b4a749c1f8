/** A second real model: a published sentence encoder on wasm, beside its own runtime and on the task it is made for. */
import { beforeAll, describe, expect, it } from "vitest";
import { encoderPackage, glosses, publishedEncoder, wasmEncoder, type Encoder } from "./sentence-encoder.js";

const folder = encoderPackage();

/** Fifty texts of the judge, long and short ones, and some that are hard on a tokenizer. */
const texts = [
  "A loaf of bread.",
  "bake bread",
  "stock market",
  "¿Dónde está la biblioteca? 東京 x² ﬁne",
  "http://example.com/a?b=c: 12,345.67 %",
  "   two  spaces   ",
  ...glosses.slice(0, 34).map(({ query }) => query),
  ...glosses.slice(100, 110).map(({ doc }) => doc),
];

describe.skipIf(folder === undefined)("the sentence encoder on wasm", () => {
  let encoder: Encoder;
  beforeAll(async () => {
    encoder = await wasmEncoder(folder!);
    return () => encoder[Symbol.dispose]();
  });

  it("gives the embeddings of its published runtime", async () => {
    expect(texts).toHaveLength(50);
    const expected = await (await publishedEncoder(folder!))(texts);
    for (const [at, text] of texts.entries()) {
      const found = await encoder.embed(text);
      const distance = Math.max(...found.map((value, i) => Math.abs(value - expected[at]![i]!)));
      // A vector of length 1 with 512 entries: 1e-5 is the bar; f32 sums of 1,536 terms give about 3e-7.
      expect(distance, text).toBeLessThan(1e-5);
    }
  }, 300_000);

  it("finds the word of a gloss among 1,500 as often as the published model", async () => {
    const recall = await recallAt10(encoder);
    expect(Math.abs(recall - 0.339), `R@10 = ${recall}`).toBeLessThanOrEqual(0.002);
  }, 600_000);
});

/** Share of glosses whose word is among the ten words with the nearest embeddings. */
async function recallAt10(encoder: Encoder): Promise<number> {
  const words: Float32Array[] = [];
  for (const { doc } of glosses) words.push(await encoder.embed(doc));
  let found = 0;
  for (const [own, { query }] of glosses.entries()) {
    const vector = await encoder.embed(query);
    const mine = cosine(words[own]!, vector);
    if (words.filter((word) => cosine(word, vector) > mine).length < 10) found++;
  }
  return found / glosses.length;
}

/** Of embeddings, which have length 1. A plain loop: it runs two million times. */
function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
