/** The example model on held-out text of six domains: as good as its reference, and measurably so. */
import { describe, expect, it } from "vitest";
import { randomSource } from "../../compiler/6-bundle/index.js";
import { DOMAINS, histogramDistance, measure, reference, rowsOf, tinyModel, tinyTokenizer } from "./tiny-moe.js";

const tokenizer = tinyTokenizer();

describe.each([
  ["f16", 0.005],
  ["q8_0", 0.01],
] as const)("with %s weights", (storage, tolerance) => {
  it(`has the reference's perplexity within ${tolerance * 100}%, and its choices of experts`, async () => {
    using model = await tinyModel({ storage });
    for (const domain of DOMAINS) {
      const rows = rowsOf(domain, tokenizer);
      const { perplexity, counts } = await measure(model, rows);
      const { ppl, tokens } = reference.ppl[domain]!;
      expect(rows.length * 256, domain).toBe(tokens);
      expect(Math.abs(perplexity / ppl - 1), `${domain}: ${perplexity} beside ${ppl}`).toBeLessThan(tolerance);
      if (storage !== "f16") continue;
      counts.forEach((layer, number) => {
        const distance = histogramDistance(layer, reference.routing[domain]![number]!);
        expect(distance, `${domain}, layer ${number}`).toBeLessThan(0.01);
      });
    }
  }, 300_000);
});

describe("with a random router", () => {
  it("has a perplexity above 200: the measurement can fail", async () => {
    using model = await tinyModel({
      storage: "f16",
      parameters: (own, program) => {
        const random = randomSource(program, 1);
        return { read: (path, layer, axes) => (path.endsWith("route.w") ? random : own).read(path, layer, axes) };
      },
    });
    for (const domain of DOMAINS) {
      const { perplexity } = await measure(model, rowsOf(domain, tokenizer, 3));
      expect(perplexity, domain).toBeGreaterThan(200);
    }
  }, 120_000);
});
