/**
 * The example model through the CUDA device, with a driver that runs the printed kernels on the CPU: greedy text equals
 * the reference, block formats equal the interpreter's numbers on the same kernels. Skips with a printed reason where
 * there is no C++ compiler.
 */
import { describe, expect, it } from "vitest";
import type { Model } from "../../runtime/model/model.js";
import { reference } from "../real/tiny-moe.js";
import { hasCudaCpu } from "../support/cuda-cpu.js";
import { cudaExample, interpretedExample, openExample } from "./models.js";

const COUNT = 8;

async function greedy(model: Model, prompt: readonly number[]): Promise<number[]> {
  const chosen: number[] = [];
  const text = model.generate([...prompt], {
    temperature: 0,
    maxTokens: COUNT,
    onStep: (step) => chosen.push(step.chosen),
  });
  for await (const _ of text);
  return chosen;
}

describe.runIf(hasCudaCpu)("the example on CUDA", () => {
  it.each(["f32", "f16"] as const)("writes the reference's text with %s weights", async (storage) => {
    const example = await cudaExample(storage);
    const model = await openExample(example);
    expect(model.report).toMatchObject({ device: "cuda", gpu: "a GPU of this test" });
    const { prompt_ids, ids } = reference.greedy[0]!;
    expect(await greedy(model, prompt_ids)).toEqual(ids.slice(0, COUNT));
    model.dispose();
    expect(example.driver.held()).toBe(0);
  });

  it.each(["q8_0", "q4_0"] as const)("gives the interpreter's logits with %s weights", async (storage) => {
    const tokens = reference.greedy[1]!.prompt_ids;
    const example = await cudaExample(storage);
    const [gpu, plain] = [await openExample(example), await interpretedExample(example)];
    const [a, b] = [await gpu.call("forward", { tokens }, { trace: true }), await plain.call("forward", { tokens })];
    const [found, expected] = [a, b].map(({ outputs }) => Array.from(Object.values(outputs)[0]!.data));
    const rms = (at: (i: number) => number): number =>
      Math.sqrt(expected!.reduce((sum, _, i) => sum + at(i) ** 2, 0) / expected!.length);
    // a * b + c rounds once here and twice in the interpreter: half an ulp for each of 256 terms, in seven products
    // behind one another of each of four layers and one at the end.
    const bound = (4 * 7 + 1) * 256 * 2 ** -24;
    expect(rms((i) => found![i]! - expected![i]!)).toBeLessThanOrEqual(bound * rms((i) => expected![i]!));
    expect(a.routes[0]!.index).toHaveLength(4 * tokens.length * 2);
    gpu.dispose();
    plain.dispose();
  });
});
