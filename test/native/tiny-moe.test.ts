/**
 * The example model on native kernels: greedy text and perplexity equal the reference, and threads change no bit.
 */
import { expect, it } from "vitest";
import type { Target } from "../../compiler/targets/index.js";
import type { Model } from "../../runtime/model/model.js";
import { DOMAINS, measure, reference, rowsOf, tinyModel } from "../real/tiny-moe.js";
import { describeLevels, levels, namedLevels } from "../support/native.js";

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

describeLevels("greedy text", (target) => {
  it.each(["f32", "f16"] as const)(
    "equals the reference on all prompts with %s weights",
    async (storage) => {
      using model = await tinyModel({ storage, native: { target, threads: 2 } });
      for (const { prompt, prompt_ids, ids } of reference.greedy) {
        await model.reset();
        expect(await greedyIds(model, prompt_ids), prompt).toEqual(ids);
      }
    },
    60_000,
  );
});

/**
 * Perplexity on the whole held-out text beside the reference's. As for wasm (`test/real/perplexity.test.ts`), half types
 * explain half a percent, blocks of 8 bits a whole one.
 */
async function hasPerplexity(target: Target, storage: "f16" | "q8_0", tolerance: number): Promise<void> {
  using model = await tinyModel({ storage, native: { target, threads: 2 } });
  for (const domain of DOMAINS) {
    const { perplexity } = await measure(model, rowsOf(domain, model.tokenizer));
    const { ppl } = reference.ppl[domain]!;
    expect(Math.abs(perplexity / ppl - 1), `${domain}: ${perplexity} beside ${ppl}`).toBeLessThan(tolerance);
  }
}

describeLevels("held-out text", (target) => {
  it("has the reference's perplexity with f16 weights", () => hasPerplexity(target, "f16", 0.005), 120_000);
});

// Its rows of 256 tokens are enough for matrices, which quantized weights alone have. Rounding both factors to bf16, by
// 2^-9 of a number at most, moves sums less than the rounding of activations to 8 bits that the bound is for.
describeLevels(
  "held-out text, as tiles of bf16,",
  (target) => {
    it("has the reference's perplexity with q8_0 weights", () => hasPerplexity(target, "q8_0", 0.01), 120_000);
  },
  namedLevels(),
);

describeLevels(
  "held-out text, on the best level,",
  (target) => {
    it("has the reference's perplexity with q8_0 weights", () => hasPerplexity(target, "q8_0", 0.01), 120_000);

    it("gives the same bits on one, two and seven threads, for a prompt and for a token", async () => {
      const { prompt_ids } = reference.greedy[0]!;
      const results: string[] = [];
      for (const threads of [1, 2, 7]) {
        using model = await tinyModel({ storage: "q4_0", native: { target, threads } });
        const first = await model.call("forward", { tokens: prompt_ids });
        const second = await model.extend("forward", { tokens: [prompt_ids[0]!] });
        const bits = [first, second].map(({ outputs }) => {
          const { data } = Object.values(outputs)[0]!;
          return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
        });
        results.push(bits.join(" "));
      }
      expect(new Set(results).size).toBe(1);
    }, 60_000);
  },
  levels.slice(0, 1),
);
