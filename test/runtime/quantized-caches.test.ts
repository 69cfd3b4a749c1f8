/** The example model with caches of q8_0: texts that are saved, restored and rewound, and several side by side. */
import { describe, expect, it } from "vitest";
import { compareRows } from "../../cli/verify/compare.js";
import { expectedError } from "../../cli/verify/expected-error.js";
import { Model, type CallResult } from "../../runtime/model/model.js";
import { levels } from "../support/native.js";
import { reference, tinyModel, tinyParts, type TinyOptions } from "../real/tiny-moe.js";

const [one, two] = reference.greedy.map(({ prompt_ids }) => prompt_ids);
const native = levels.slice(0, 1).map((target) => ({ target, threads: 2 }));

async function greedy(model: Model, prompt: readonly number[]): Promise<readonly number[]> {
  const chosen: number[] = [];
  const onStep = (step: { readonly chosen: number }): void => void chosen.push(step.chosen);
  for await (const _ of model.generate(prompt, { temperature: 0, maxTokens: 12, onStep }));
  return chosen;
}

const logits = async (call: Promise<CallResult>): Promise<number[]> =>
  Array.from(Object.values((await call).outputs)[0]!.data);

describe.each<TinyOptions>([
  { storage: "f16", cache: "q8_0" },
  ...native.map((own) => ({ storage: "f16", cache: "q8_0", native: own }) as const),
])("caches as q8_0 ($native.target.name)", (options) => {
  it("come back as they were saved, and take 34 bytes for 32 numbers", async () => {
    using model = await tinyModel(options);
    await model.call("forward", { tokens: one! });
    const saved = await model.save();
    const expected = await logits(model.extend("forward", { tokens: [7] }));
    await model.call("forward", { tokens: two! });
    await model.restore(saved);
    expect(await logits(model.extend("forward", { tokens: [7] }))).toEqual(expected);
    const bytes = saved.states.reduce((sum, { length }) => sum + length, 0);
    // Keys and values of 4 layers with 2 heads of 64.
    expect(bytes).toBe((one!.length * 2 * 4 * 2 * 64 * 34) / 32);
  });

  it("are rewound to what a new text shares with the old one", async () => {
    using model = await tinyModel(options);
    const other = [...one!.slice(0, -2), ...two!.slice(0, 3)];
    const expected = await greedy(model, other);
    await model.reset();
    await greedy(model, one!);
    expect(await greedy(model, other)).toEqual(expected);
  });

  it("go on side by side as alone", async () => {
    const parts = await tinyParts({ ...options, texts: 2 });
    using model = new Model(parts);
    await model.reset();
    const alone: number[][] = [];
    for (const prompt of [one!, two!]) {
      await model.call("forward", { tokens: prompt });
      alone.push(await logits(model.extend("forward", { tokens: [9] })));
    }
    await Promise.all([one!, two!].map((tokens, text) => model.call("forward", { tokens }, { text })));
    const together = await Promise.all(
      [0, 1].map((text) => logits(model.extend("forward", { tokens: [9] }, { text }))),
    );
    // Each of the two is off by no more than the plan's rounding explains.
    const bound = 2 * expectedError(parts.plan, "q8_0");
    for (const [text, found] of together.entries()) {
      expect(compareRows(found, alone[text]!, found.length).relativeError).toBeLessThan(bound);
    }
  });
});
