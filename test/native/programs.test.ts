/** Random programs on native kernels: the numbers of the reference, on every level that this machine has. */
import fc from "fast-check";
import { it } from "vitest";
import type { Target } from "../../compiler/targets/index.js";
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

describeLevels("random programs", body, levelsWithNamed());
