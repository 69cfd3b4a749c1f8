/**
 * The example model through the CUDA device, with a driver that runs the printed kernels on the CPU: greedy text equals
 * the reference, block formats equal the interpreter's numbers on the same kernels. Skips with a printed reason where
 * there is no C++ compiler.
 */
import { describe, expect, it } from "vitest";
import type { Model } from "../../runtime/model/model.js";
import { reference } from "../real/tiny-moe.js";
import { hasCudaCpu } from "../support/cuda-cpu.js";
import { expectLogits } from "../support/logits.js";
import { cudaExample, interpretedExample, openExample } from "./models.js";

const COUNT = 8;
/** A few seconds where nothing else runs; most of it is the C++ compiler. */
const timeout = 240_000;
/** The other formats by `MOEC_CUDA=all npx vitest run test/cuda`. */
const everything = process.env["MOEC_CUDA"] === "all";
const floats = everything ? (["f32", "f16", "bf16"] as const) : (["f16"] as const);
const blocks = everything ? (["q8_0", "q4_0"] as const) : (["q8_0"] as const);

/** What is written, and with how many texts each token was written in one call. */
async function greedy(model: Model, prompt: readonly number[], text: number) {
  const chosen: number[] = [];
  const together: number[] = [];
  const pieces = model.generate([...prompt], {
    text,
    temperature: 0,
    maxTokens: COUNT,
    onStep: (step) => {
      chosen.push(step.chosen);
      together.push(step.texts);
    },
  });
  for await (const _ of pieces);
  return { chosen, together };
}

describe.runIf(hasCudaCpu)("the example on CUDA", () => {
  it.each(floats)("writes the reference's texts with %s weights, side by side", { timeout }, async (storage) => {
    const example = await cudaExample(storage);
    const model = await openExample(example, { texts: 2 });
    expect(model.report).toMatchObject({ device: "cuda", gpu: "a GPU of this test" });
    const two = reference.greedy.slice(0, 2);
    const found = await Promise.all(two.map(({ prompt_ids }, text) => greedy(model, prompt_ids, text)));
    expect(found.map(({ chosen }) => chosen)).toEqual(two.map(({ ids }) => ids.slice(0, COUNT)));
    // Weights are read once for both.
    for (const { together } of found) expect(together.filter((texts) => texts === 2).length).toBeGreaterThan(COUNT / 2);
    model.dispose();
    expect(example.driver.held()).toBe(0);
  });

  it.each(blocks)("gives the interpreter's logits with %s weights", { timeout }, async (storage) => {
    const tokens = reference.greedy[1]!.prompt_ids.slice(0, 7);
    const example = await cudaExample(storage);
    const [gpu, plain] = [await openExample(example), await interpretedExample(example)];
    await expectLogits(gpu, plain, tokens);
    gpu.dispose();
    plain.dispose();
  });
});
