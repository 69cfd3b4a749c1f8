/** Greedy text of the example model equals the reference made with another program, token by token. */
import { describe, expect, it } from "vitest";
import type { Model } from "../../runtime/model/model.js";
import { reference, tinyModel } from "./tiny-moe.js";

const COUNT = 48;

async function greedyIds(model: Model, prompt: string | readonly number[], count: number): Promise<number[]> {
  const chosen: number[] = [];
  const pieces = model.generate(prompt, {
    temperature: 0,
    maxTokens: count,
    onStep: (step) => chosen.push(step.chosen),
  });
  for await (const _ of pieces);
  // The reference leaves the end-of-text token out.
  return chosen.filter((id) => !model.tokenizer.eos.includes(id));
}

describe.each(["f32", "f16"] as const)("greedy text on wasm with %s weights", (storage) => {
  it("equals the reference on all prompts", async () => {
    using model = await tinyModel({ storage });
    for (const { prompt, prompt_ids, ids } of reference.greedy) {
      expect(model.tokenizer.encode(prompt), prompt).toEqual(prompt_ids);
      await model.reset();
      expect(await greedyIds(model, prompt, COUNT), prompt).toEqual(ids);
    }
  });
});

describe("greedy text on the interpreter", () => {
  it("equals the reference on all prompts", async () => {
    using model = await tinyModel({ storage: "f16", interpreter: true });
    for (const { prompt, prompt_ids, ids } of reference.greedy) {
      await model.reset();
      expect(await greedyIds(model, prompt_ids, COUNT), prompt).toEqual(ids);
    }
  }, 300_000);
});
