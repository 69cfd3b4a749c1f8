import { describe, expect, it } from "vitest";
import { threefry } from "../../compiler/ops/threefry.js";
import { numbers, run, size, tensor } from "./support.js";

const axes = (count: number) => [{ name: "T", size: size(count) }];
const draw = (kind: string, count: number, seed: number, key?: number): number[] =>
  numbers(run("random", key === undefined ? [] : [tensor("", [key], "i32")], { kind, axes: axes(count), seed }));

describe("random", () => {
  it("has the known answers of Threefry-2x32-20 (Random123)", () => {
    const hex = (words: [number, number]): string[] => words.map((word) => (word >>> 0).toString(16).padStart(8, "0"));
    expect(hex(threefry([0, 0], [0, 0]))).toEqual(["6b200159", "99ba4efe"]);
    expect(hex(threefry([-1, -1], [-1, -1]))).toEqual(["1cb996fc", "bb002be7"]);
    expect(hex(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]))).toEqual(["c4923a9c", "483df7a0"]);
  });

  it("depends on seed, key and place only", () => {
    expect(draw("normal", 8, 1)).toEqual(draw("normal", 16, 1).slice(0, 8));
    expect(draw("uniform", 8, 1)).not.toEqual(draw("uniform", 8, 2));
    expect(draw("uniform", 8, 1, 5)).not.toEqual(draw("uniform", 8, 1, 6));
    expect(draw("uniform", 8, 1, 0)).toEqual(draw("uniform", 8, 1));
  });

  it("has the moments of its distributions", () => {
    const count = 20_000;
    const moments: Readonly<Record<string, readonly [number, number]>> = {
      uniform: [0.5, 1 / 12],
      normal: [0, 1],
      gumbel: [0.5772156649, Math.PI ** 2 / 6],
    };
    for (const [kind, [mean, variance]] of Object.entries(moments)) {
      const sample = draw(kind, count, 7);
      const found = sample.reduce((sum, x) => sum + x, 0) / count;
      const spread = sample.reduce((sum, x) => sum + (x - found) ** 2, 0) / count;
      // Five deviations of the mean; the variance of the variance is at most 4.4 variance^2 (gumbel's kurtosis is 5.4).
      expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(variance / count));
      expect(Math.abs(spread - variance)).toBeLessThan(5 * variance * Math.sqrt(4.4 / count));
    }
  });

  it("keeps to its range, in multiples that are exact in f32", () => {
    for (const value of draw("uniform", 2000, 3)) {
      expect(value >= 0 && value < 1 && Math.fround(value) === value).toBe(true);
    }
    expect(draw("gumbel", 2000, 3).every(Number.isFinite)).toBe(true);
    expect(draw("normal", 2000, 3).every(Number.isFinite)).toBe(true);
  });
});
