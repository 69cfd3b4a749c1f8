/** The example model on native kernels: greedy text equals the reference, on every level that this machine has. */
import { describe, expect, it } from "vitest";
import type { Model } from "../../runtime/model/model.js";
import { reference, tinyModel } from "../real/tiny-moe.js";
import { levels } from "../support/native.js";

const COUNT = 48;

async function greedyIds(model: Model, prompt: readonly number[]): Promise<number[]> {
  const chosen: number[] = [];
  const pieces = model.generate(prompt, {
    temperature: 0,
    maxTokens: COUNT,
    onStep: (step) => chosen.push(step.chosen),
  });
  for await (const _ of pieces);
  // The reference leaves the end-of-text token out.
  return chosen.filter((id) => !model.tokenizer.eos.includes(id));
}

const cases = levels.flatMap((target) =>
  (["f32", "f16"] as const).map((storage) => [target.name, storage, target] as const),
);

describe.each(cases)("greedy text on %s with %s weights", (_, storage, target) => {
  it("equals the reference on all prompts", async () => {
    using model = await tinyModel({ storage, native: { target, threads: 2 } });
    for (const { prompt, prompt_ids, ids } of reference.greedy) {
      await model.reset();
      expect(await greedyIds(model, prompt_ids), prompt).toEqual(ids);
    }
  });
});
