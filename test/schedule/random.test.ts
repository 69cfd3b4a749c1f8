/** Random small programs on the interpreter, with the numbers of the reference. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { compare, numbers } from "./compare.js";
import { RANDOM_TOLERANCE, randomProgram, stepLists } from "./random-programs.js";

describe("random programs", () => {
  it("give the numbers of the reference", () => {
    fc.assert(
      fc.property(stepLists, fc.constantFrom(1, 3, 5), (list, t) => {
        compare(randomProgram(list), {
          calls: [{ inputs: { x: numbers(t, t * 18) }, sizes: { T: t } }],
          runners: ["interpreter"],
          options: { limits: { T: 5, context: 8 } },
          tolerance: RANDOM_TOLERANCE,
        });
      }),
      { numRuns: 60, seed: 2026 },
    );
  });
});
