/** Mixtures of very many experts, and routes at their limits: no tokens, all of them to one expert, empty slots. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program, typed } from "./programs.js";

const [T, K, D, F] = [axis("T"), axis("K", 3), axis("D", 5), axis("F", 16)];

/** Routes from tables of experts and weights; banks multiply by a row or with a matrix of the expert. */
function mixture(banks: readonly number[], body: "row" | "matrix"): Program {
  const experts = banks.reduce((sum, size) => sum + size, 0);
  const own = body === "row" ? [D] : [D, F];
  const names = banks.map((_, index) => `bank${index}`);
  return program({
    inputs: { ids: typed("i32", T, K), weight: f32(T, K), x: f32(T, D) },
    params: names.map((name, index) => param(name, [axis("E", banks[index]), ...own])),
    build: (scope, [ids, weight, x], p) => {
      const made = { experts: { name: "E", size: Size.of(experts) } as never };
      const routes = scope.one("routes_make", [ids!, weight!], made);
      const regions = banks.map(() =>
        scope.region([{ type: f32(D) }, { type: f32(...own) }], (s, [a, b]) => [
          body === "row" ? s.one("mul", [a!, b!]) : s.one("contract", [a!, b!], { over: ["D"] }),
        ]),
      );
      const attrs = {
        banks: banks.map((size) => ({ experts: Size.of(size), params: 1 })),
        captures: 0,
        weigh: "output",
      };
      return [
        scope.one("mixture", [x!, routes, ...names.map(p)], attrs, { regions }),
        scope.one("routes_count", [routes]),
      ];
    },
  });
}

// Sums over 3 slots of a weight below 1 times 5 products below 1/2.
const tolerance = 3 * 6 * 2 ** -23;

describe("mixtures", () => {
  it.each<readonly [string, readonly number[], "row" | "matrix"]>([
    ["few experts", [7], "row"],
    ["many experts", [2500], "row"],
    ["many experts with products", [1100], "matrix"],
    ["two large banks", [1030, 1470], "row"],
    ["a large and a small bank", [3, 1500], "row"],
  ])("%s: any routes, also none and all to one", (_, banks, body) => {
    const experts = banks.reduce((sum, size) => sum + size, 0);
    const test = mixture(banks, body);
    const expert = fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 0, max: experts - 1 }) },
      { weight: 1, arbitrary: fc.constantFrom(-1, 0, experts - 1) },
    );
    const table = fc.oneof(
      fc.array(fc.tuple(expert, expert, expert), { maxLength: 20 }),
      fc.tuple(expert, fc.nat(20)).map(([one, count]) => Array.from({ length: count }, () => [one, one, one] as const)),
    );
    fc.assert(
      fc.property(fc.array(table, { minLength: 1, maxLength: 3 }), (tables) => {
        const calls = [[], ...tables].map((rows) => ({
          inputs: { ids: rows.flat(), weight: numbers(2, rows.length * 3), x: numbers(3, rows.length * 5) },
          sizes: { T: rows.length },
        }));
        compare(test, { calls, tolerance });
      }),
      { numRuns: 4 },
    );
  });
});
