/** Experts with few rows and many, on Dawn: parts of a tile of rows, whole ones, and one row more. */
import { describe, expect, it } from "vitest";
import type { CompareOptions } from "../schedule/compare.js";
import { numbers } from "../schedule/compare.js";
import { expertCall, gatedExperts, held, rounding } from "../schedule/product-cases.js";
import { compareOnDawn } from "../support/webgpu-machine.js";

/** Rows of each of the five experts; a token has two of them. */
const calls = [
  [64, 0, 1, 9, 54],
  [9, 8, 1, 0, 0],
  [0, 3, 7, 8, 0],
  [1, 0, 0, 0, 1],
] as const;

/** Scores by which each token takes the two experts that lack the most rows. */
function scoresFor(rows: readonly number[]): readonly number[] {
  const left = [...rows];
  const tokens = rows.reduce((sum, count) => sum + count, 0) / 2;
  const scores = Array.from({ length: tokens }, () => {
    const [first, second] = left.map((_, e) => e).toSorted((a, b) => left[b]! - left[a]!) as [number, number];
    left[first]!--;
    left[second]!--;
    return left.map((_, e) => (e === first ? 1 : e === second ? 0.5 : -1));
  });
  expect(left).toEqual(rows.map(() => 0));
  return scores.flat();
}

/** Columns and hidden columns: whole blocks of the quantized formats, else part of a tile. */
const shapes = { f32: [72, 24], f16: [72, 24], q8_0: [64, 32], q4_0: [64, 32] } as const;

/** Of weights up to 1/16, in the precision of the storage. */
function what(storage: keyof typeof shapes): CompareOptions {
  const [columns, hidden] = shapes[storage];
  // Gate and up are at most `most`, and off by an eighth of what weights up to 1/2 are. silu is no steeper than 1.1, and
  // has an exponential, a sum, a quotient and a product of its own: below 2^-20 of its value. `hidden` terms of up to
  // most^2 / 16 make an output, and two experts with weights of 1 and 1/2 a result.
  const most = columns / 16;
  const own = 2.1 * most * (rounding(columns) / 8) + most ** 2 * 2 ** -20;
  return {
    calls: calls.map((rows) => {
      const scores = scoresFor(rows);
      return expertCall(scores.length / rows.length, columns, scores);
    }),
    params: (path, count) => {
      const values = numbers(path.length, count).map((x) => Math.fround(x / 16));
      return path === "down" ? held(storage, 5, hidden, columns, values) : held(storage, 5, columns, hidden, values);
    },
    options: { storage: () => storage, limits: { T: 64, context: 64 } },
    tolerance: 1.5 * ((hidden / 16) * own + (rounding(hidden) / 8) * most ** 2),
  };
}

describe("an expert with 0, 1, 3, 7, 8, 9 or 64 rows", () => {
  it.for([
    ["f32", "cpu"],
    ["f32", "gpu"],
    ["f16", "cpu"],
    ["q8_0", "cpu"],
    ["q4_0", "cpu"],
  ] as const)("%s, launches for a %s", async ([storage, on], { skip }) => {
    const [columns, hidden] = shapes[storage];
    if (!(await compareOnDawn(gatedExperts(columns, hidden), what(storage), on))) skip("no driver");
  });
});
