/** Several texts side by side: each goes its own way, whatever the others do, and they take turns. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles } from "../support/memory-bundle.js";
import { levels } from "../support/native.js";
import { tinyModel } from "../real/tiny-moe.js";

const PROMPTS = ["declare function ", "In the beginning", "the king of "];

async function write(model: Model, prompt: string, text: number, steps?: number[]): Promise<string> {
  let written = "";
  const onStep = (): void => void steps?.push(text);
  for await (const piece of model.generate(prompt, { text, temperature: 0, maxTokens: 12, onStep })) written += piece;
  return written;
}

const native = levels[0];
const devices = [
  { name: "wasm", options: {} },
  ...(native ? [{ name: "native", options: { native: { target: native, threads: 1 } } }] : []),
];

describe.each(devices)("texts side by side on $name", ({ options }) => {
  let model: Model;
  let alone: string[];
  beforeAll(async () => {
    model = await tinyModel({ storage: "f16", texts: 3, ...options });
    alone = [];
    for (const prompt of PROMPTS) {
      await model.reset();
      alone.push(await write(model, prompt, 0));
    }
    await model.reset();
  });
  afterAll(() => model.dispose());

  it("write the same as alone, in turns", async () => {
    expect(model.textCount).toBe(3);
    const steps: number[] = [];
    expect(await Promise.all(PROMPTS.map((prompt, text) => write(model, prompt, text, steps)))).toEqual(alone);
    // Fair: after its step a text waits until each other text had one.
    for (let from = 3; from + 3 <= 30; from += 3) expect(new Set(steps.slice(from, from + 3)).size).toBe(3);
  });

  it("have ids of their own, and move from one place to another", async () => {
    expect(model.tokensOf(1)).not.toEqual(model.tokensOf(2));
    const saved = await model.save({ text: 1 });
    await model.restore(saved, { text: 2 });
    expect(model.tokensOf(2)).toEqual(saved.tokens);
    await model.reset({ text: 1 });
    expect(model.tokensOf(1)).toEqual([]);
    expect(model.tokensOf(2)).toEqual(saved.tokens);
  });

  it("refuse a text that is busy or not there", async () => {
    const first = model.generate("a", { text: 0, maxTokens: 2 });
    await first.next();
    await expect(model.generate("b", { text: 0 }).next()).rejects.toMatchObject({ code: "MOE5325" });
    await first.return();
    await expect(model.generate("b", { text: 3 }).next()).rejects.toMatchObject({ code: "MOE5323" });
    expect(() => model.tokensOf(-1)).toThrow("text");
  });
});

describe("a number of texts", () => {
  it.each([0, 1.5, 257, NaN])("%d is refused", async (texts) => {
    await expect(openModel(memoryFiles(new Map()), nodeHost(), { texts })).rejects.toMatchObject({ code: "MOE5323" });
  });
});
