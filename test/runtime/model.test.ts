/** A whole model over a bundle in memory: calls, caches, generation, aborting, disposing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeHost } from "../../runtime/node/host.js";
import { loadAs } from "../../runtime/load.js";
import { Model } from "../../runtime/model/model.js";
import { greedy } from "../../runtime/generate/sampling.js";
import { memoryFiles } from "../support/memory-bundle.js";
import { EOS, toyFiles } from "./toy-bundle.js";
import { CONTEXT, expectedLogits, V } from "./toy-model.js";

const files = toyFiles();
const code = (expected: string): unknown => expect.objectContaining({ code: expected });
let model: Model;
beforeAll(async () => {
  model = await loadAs(Model, memoryFiles(files), nodeHost(), { threads: 1 });
});
afterAll(() => model.dispose());

/** What greedy generation writes, by the definition of the toy model. */
function expectedText(prompt: readonly number[], count: number): number[] {
  const ids = [...prompt];
  const written: number[] = [];
  while (written.length < count && ids.length <= CONTEXT) {
    const next = greedy(Float32Array.from(expectedLogits(ids)));
    if (next === EOS) break;
    ids.push(next);
    written.push(next);
  }
  return written;
}

const letters = (ids: readonly number[]): string => ids.map((id) => String.fromCharCode(65 + id)).join("");

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of pieces) text += piece;
  return text;
}

describe("call", () => {
  it("gives logits of all tokens, also of more than fit into one call", async () => {
    const ids = Array.from({ length: 20 }, (_, i) => (i * 5) % V);
    const { outputs } = await model.call("forward", { tokens: ids });
    expect(outputs["logits"]!.axes).toEqual([
      { name: "T", size: 20 },
      { name: "V", size: V },
    ]);
    expect([...outputs["logits"]!.data]).toEqual(ids.flatMap((_, i) => expectedLogits(ids.slice(0, i + 1))));
  });

  it("begins a new text, extend goes on with it", async () => {
    await model.call("forward", { tokens: [1, 2] });
    const first = await model.extend("forward", { tokens: [3] });
    expect([...first.outputs["logits"]!.data]).toEqual(expectedLogits([1, 2, 3]));
    const second = await model.call("forward", { tokens: [3] });
    expect([...second.outputs["logits"]!.data]).toEqual(expectedLogits([3]));
    expect(model.tokens).toEqual([3]);
  });

  it("saves and restores a text", async () => {
    await model.call("forward", { tokens: [4, 5, 6] });
    const saved = await model.save();
    await model.call("forward", { tokens: [9, 9, 9, 9] });
    await model.restore(saved);
    const { outputs } = await model.extend("forward", { tokens: [7] });
    expect([...outputs["logits"]!.data]).toEqual(expectedLogits([4, 5, 6, 7]));
  });

  it.each([
    ["forward", { tokens: [0.5] }, "MOE5321"],
    ["forward", { tokens: [V] }, "MOE5321"],
    ["forward", { tokens: [-1] }, "MOE5321"],
    ["forward", {}, "MOE5321"],
    ["forward", { tokens: [1], more: [1] }, "MOE5321"],
    ["forward", { tokens: { data: [1, 2], shape: [3] } }, "MOE5321"],
    ["forward", { tokens: new Array<number>(CONTEXT + 1).fill(1) }, "MOE5320"],
    ["backward", { tokens: [1] }, "MOE5322"],
  ])("refuses %s(%o) with %s", async (entry, inputs, expected) => {
    await expect(model.call(entry, inputs)).rejects.toThrow(code(expected));
  });

  it("is not disturbed by a refused call", async () => {
    await expect(model.call("forward", { tokens: [99] })).rejects.toThrow(code("MOE5321"));
    const { outputs } = await model.call("forward", { tokens: [8] });
    expect([...outputs["logits"]!.data]).toEqual(expectedLogits([8]));
  });
});

describe("generate", () => {
  it("writes what the definition says", async () => {
    await model.reset();
    expect(await textOf(model.generate("ABC", { maxTokens: 10 }))).toBe(letters(expectedText([0, 1, 2], 10)));
  });

  it("reads only what is new of a prompt", async () => {
    await model.reset();
    const read: number[] = [];
    const onStep = (step: { read: readonly number[] }): void => void read.push(step.read.length);
    await textOf(model.generate("ABCDEF", { maxTokens: 1, onStep }));
    await textOf(model.generate("ABCDXY", { maxTokens: 1, onStep }));
    await textOf(model.generate("ABCDXY", { maxTokens: 1, onStep }));
    expect(read).toEqual([6, 2, 1]);
    const direct = letters(expectedText([0, 1, 2, 3, 23, 24], 4));
    expect(await textOf(model.generate("ABCDXY", { maxTokens: 4 }))).toBe(direct);
  });

  it("ends when the context is full", async () => {
    await model.reset();
    const prompt = letters(Array.from({ length: CONTEXT - 2 }, (_, i) => (i * 3) % 20));
    const text = await textOf(model.generate(prompt, { maxTokens: 50 }));
    expect(text.length).toBeLessThanOrEqual(3);
    await expect(textOf(model.generate("A".repeat(CONTEXT + 1)))).rejects.toThrow(code("MOE5320"));
  });

  it("ends before a stop string", async () => {
    await model.reset();
    const whole = await textOf(model.generate("ABC", { maxTokens: 12 }));
    const stop = whole.slice(3, 5);
    expect(await textOf(model.generate("ABC", { maxTokens: 12, stop: [stop] }))).toBe(
      whole.slice(0, whole.indexOf(stop)),
    );
  });

  it("repeats itself for a seed", async () => {
    const options = { temperature: 50, seed: 5, maxTokens: 10 };
    expect(await textOf(model.generate("AB", options))).toBe(await textOf(model.generate("AB", options)));
    expect(await textOf(model.generate("AB", options))).not.toBe(
      await textOf(model.generate("AB", { ...options, seed: 6 })),
    );
  });

  it("ends by a signal, also one that fires between tokens", async () => {
    await expect(textOf(model.generate("AB", { signal: AbortSignal.abort(new Error("no")) }))).rejects.toThrow("no");
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      for await (const piece of model.generate("AB", { maxTokens: 1000, temperature: 50, signal: stop.signal })) {
        if (piece !== "") setTimeout(() => stop.abort(new Error("enough")), 0);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(await textOf(model.generate("ABC", { maxTokens: 2 }))).toBe(letters(expectedText([0, 1, 2], 2)));
  });

  it("leaves the model free when the reader stops reading", async () => {
    for await (const piece of model.generate("AB", { maxTokens: 20 })) if (piece !== "") break;
    expect(await textOf(model.generate("AB", { maxTokens: 1 }))).toHaveLength(1);
  });

  it("refuses a second call at the same time", async () => {
    const first = model.generate("AB", { maxTokens: 3 });
    await first.next();
    await expect(model.call("forward", { tokens: [1] })).rejects.toThrow(code("MOE5325"));
    await first.return();
    await model.call("forward", { tokens: [1] });
  });

  it.each([{ maxTokens: -1 }, { maxTokens: 1.5 }, { maxTokens: 1_000_001 }, { topP: 2 }])(
    "refuses %o",
    async (options) => {
      await expect(textOf(model.generate("A", options))).rejects.toThrow(code("MOE5323"));
    },
  );

  it("refuses a prompt without tokens", async () => {
    await expect(textOf(model.generate(""))).rejects.toThrow(code("MOE5321"));
  });
});

describe("the end", () => {
  it("is final, and may come twice", async () => {
    const other = await loadAs(Model, memoryFiles(files), nodeHost(), { threads: 1 });
    other.dispose();
    other[Symbol.dispose]();
    await expect(other.call("forward", { tokens: [1] })).rejects.toThrow(code("MOE5324"));
    await expect(textOf(other.generate("A"))).rejects.toThrow(code("MOE5324"));
  });
});
