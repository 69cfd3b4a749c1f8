import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomSource } from "../../runtime/generate/random.js";
import {
  draw,
  greedy,
  keepMinP,
  keepTopP,
  makeSampler,
  mostLikely,
  penalizeRepetition,
  probabilities,
} from "../../runtime/generate/sampling.js";

const logits = (...values: number[]): Float32Array => Float32Array.from(values);
const finite = fc.float({ min: -30, max: 30, noNaN: true });
const vector = fc.array(finite, { minLength: 1, maxLength: 40 }).map((values) => Float32Array.from(values));

describe("greedy", () => {
  it("takes the largest, the first of equals, and never NaN", () => {
    expect(greedy(logits(1, 3, 3, 2))).toBe(1);
    expect(greedy(logits(NaN, -5, NaN, -4))).toBe(3);
  });
});

describe("candidates", () => {
  it("are sorted by falling logit, ties by id, cut at k", () => {
    expect(mostLikely(logits(1, 5, 5, 0), 3).map(({ id }) => id)).toEqual([1, 2, 0]);
  });

  it("leave out what is impossible", () => {
    expect(mostLikely(logits(-Infinity, 2, NaN), 0).map(({ id }) => id)).toEqual([1]);
  });

  it("become probabilities that sum to 1 and keep their order", () => {
    fc.assert(
      fc.property(vector, fc.float({ min: Math.fround(0.05), max: 5, noNaN: true }), (values, temperature) => {
        const kept = probabilities(mostLikely(values, 0), temperature);
        // Each of n terms rounds once in f64, so the sum is off by at most n * 2^-53 (and the division as much again).
        expect(Math.abs(kept.reduce((sum, { weight }) => sum + weight, 0) - 1)).toBeLessThanOrEqual(
          kept.length * 2 ** -51,
        );
        for (let i = 1; i < kept.length; i++) expect(kept[i]!.weight).toBeLessThanOrEqual(kept[i - 1]!.weight);
      }),
    );
  });

  it("share what is infinite", () => {
    expect(probabilities(mostLikely(logits(Infinity, 0, Infinity), 0), 1).map(({ weight }) => weight)).toEqual([
      0.5, 0.5, 0,
    ]);
  });
});

describe("top-p and min-p", () => {
  const sorted = [0.5, 0.3, 0.15, 0.05].map((weight, id) => ({ id, weight }));
  it("keep the shortest prefix that is heavy enough", () => {
    expect(keepTopP(sorted, 0.5)).toHaveLength(1);
    expect(keepTopP(sorted, 0.51)).toHaveLength(2);
    expect(keepTopP(sorted, 0)).toHaveLength(1);
    expect(keepTopP(sorted, 1)).toHaveLength(4);
  });
  it("keep what is likely enough beside the best", () => {
    expect(keepMinP(sorted, 0.3)).toHaveLength(3);
    expect(keepMinP(sorted, 0)).toHaveLength(4);
    expect(keepMinP(sorted, 1)).toHaveLength(1);
  });
});

describe("repetition penalty", () => {
  it("divides positive and multiplies negative logits, once per token", () => {
    expect([...penalizeRepetition(logits(2, -2, 1), [0, 0, 1, 99], 2)]).toEqual([1, -4, 1]);
  });
});

describe("samplers", () => {
  it("repeat themselves for a seed and differ between seeds", () => {
    const flat = new Float32Array(64);
    const run = (seed: number): number[] => {
      const sample = makeSampler({ temperature: 1, seed });
      return Array.from({ length: 32 }, () => sample(flat, []));
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run(1)).not.toEqual(run(1 + 2 ** 32));
  });

  it("draw in proportion to the probabilities", () => {
    const sample = makeSampler({ temperature: 1, seed: 3 });
    const values = logits(Math.log(0.6), Math.log(0.3), Math.log(0.1));
    const counts = [0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) counts[sample(values, [])]!++;
    [0.6, 0.3, 0.1].forEach((share, id) => {
      // Five standard deviations of a binomial count: wrong once in about two million runs, and the seed is fixed.
      expect(Math.abs(counts[id]! - share * draws)).toBeLessThan(5 * Math.sqrt(draws * share * (1 - share)));
    });
  });

  it("give only tokens that the filters keep", () => {
    fc.assert(
      fc.property(vector, fc.integer({ min: 1, max: 5 }), fc.integer(), (values, topK, seed) => {
        const allowed = new Set(mostLikely(values, topK).map(({ id }) => id));
        const sample = makeSampler({ temperature: 1, topK, seed });
        for (let i = 0; i < 5; i++) expect(allowed.has(sample(values, []))).toBe(true);
      }),
    );
  });

  it.each([
    [{ temperature: -1 }, "temperature"],
    [{ temperature: NaN }, "temperature"],
    [{ topK: 1.5 }, "topK"],
    [{ topP: 40 }, "topP"],
    [{ minP: -0.1 }, "minP"],
    [{ repetitionPenalty: 0 }, "repetitionPenalty"],
    [{ seed: 0.5 }, "seed"],
  ])("refuse %o", (options, name) => {
    expect(() => makeSampler(options)).toThrow(
      expect.objectContaining({ code: "MOE5323", message: expect.stringContaining(name) as string }),
    );
  });
});

describe("random numbers", () => {
  it("lie in [0, 1) and fill it evenly", () => {
    const random = randomSource(42);
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) bins[Math.floor(random() * 16)]!++;
    // Five standard deviations of a count with mean 1000.
    for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000 * (15 / 16)));
  });

  it("choose the last candidate when rounding leaves a crumb", () => {
    expect(draw([{ id: 4, weight: 1 }], () => 1)).toBe(4);
  });
});
