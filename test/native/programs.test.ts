/** Random programs on native kernels: the numbers of the reference, on every level that this machine has. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import type { Target } from "../../compiler/targets/index.js";
import { testHost } from "../check/host.js";
import { compare, numbers } from "../schedule/compare.js";
import { RANDOM_TOLERANCE, randomProgram, stepLists } from "../schedule/random-programs.js";
import { describeLevels, levelsWithNamed } from "../support/native.js";

const body = (target: Target): void => {
  it("give the numbers of the reference", () => {
    fc.assert(
      fc.property(stepLists, fc.constantFrom(1, 3, 5), (list, t) => {
        compare(randomProgram(list), {
          calls: [{ inputs: { x: numbers(t, t * 18) }, sizes: { T: t } }],
          runners: ["native"],
          target,
          options: { limits: { T: 5, context: 8 } },
          tolerance: RANDOM_TOLERANCE,
        });
      }),
      { numRuns: 15, seed: 2027 },
    );
  });
};

/** Linear attention with a decay; what a turn gives lies behind what those before it gave. */
const RECURRENCE = `model M[C = 5, V = 19] {
  forward(k: [T, C], v: [T, V]) => {
    let (last, rows) = scan(t in 0..T, s: [C, V] = 0) => {
      let next = 0.5 * s + k[T: t] * v[T: t]
      (next, k[T: t] @ next)
    }
    (rows, last)
  }
}
`;

const recurrence = (target: Target): void => {
  it("keep the rows of their turns", () => {
    const project = check("m.moe", testHost({ "m.moe": RECURRENCE }));
    expect(project.diagnostics).toEqual([]);
    compare(optimize(buildProgram(project)), {
      calls: [7, 0, 1, 16, 3].map((T) => ({
        inputs: { k: numbers(T, T * 5), v: numbers(T + 1, T * 19) },
        sizes: { T },
      })),
      runners: ["native"],
      target,
      options: { limits: { T: 16, context: 16 } },
      // Entries of the state are below 2: a turn rounds them twice and halves what was off; a row sums five products.
      tolerance: 5 * 2 * (4 + 5) * 2 ** -24,
    });
  });
};

describeLevels("recurrences", recurrence, levelsWithNamed());

describeLevels("random programs", body, levelsWithNamed());
