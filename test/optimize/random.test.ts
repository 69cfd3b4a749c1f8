import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, parseProgram, printProgram, verify } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize, passes } from "../../compiler/3-optimize/index.js";
import { forEachNode } from "../../compiler/2-graph/walk.js";
import { choices, inputsFor, randomProgram } from "./random-program.js";

/** All numbers of all outputs; -0 counts as 0, because neutral elements do not keep the sign of a zero. */
function numbers(program: Program, tokens: number, entry = "forward"): readonly number[] {
  const { outputs } = evaluate(program, entry, { inputs: inputsFor(tokens) });
  return Object.values(outputs).flatMap((value) =>
    value.kind === "tensor" ? [...value.data].map((each) => each + 0) : [],
  );
}

/** `MOEC_FUZZ=50 npx vitest run test/optimize/random.test.ts` searches fifty times as long. */
const LONGER = Number(process.env["MOEC_FUZZ"] ?? 1);

describe("random programs", () => {
  it("are well formed and of many ops", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(choices, (list) => {
        const program = randomProgram(list);
        expect(verify(program)).toEqual([]);
        forEachNode(program.entries[0]!.body, ({ op }) => void seen.add(op));
      }),
      { numRuns: 500, seed: 1 },
    );
    for (const op of ["stack", "fold", "mixture", "contract", "slice", "softmax", "where", "concat", "top"]) {
      expect(seen, op).toContain(op);
    }
  });

  it("give every pass something to do", () => {
    const changed = new Map<string, number>();
    for (const list of fc.sample(choices, { numRuns: 400, seed: 2 })) {
      let before = deriveLastToken(randomProgram(list));
      optimize(before, {
        observe: ({ name }, after) => {
          if (after !== before) changed.set(name, (changed.get(name) ?? 0) + 1);
          before = after;
        },
      });
    }
    const counts = passes
      .filter(({ off }) => off === undefined)
      .map(({ name }) => [name, changed.get(name) ?? 0] as const);
    expect(counts.filter(([, count]) => count < 3)).toEqual([]);
  });

  it.each(passes.filter(({ off }) => off === undefined).map(({ name }) => name))(
    "%s alone keeps every number",
    (name) => {
      fc.assert(
        fc.property(choices, (list) => {
          const program = randomProgram(list);
          const after = optimize(program, { passes: [name], verify: true });
          expect(numbers(after, 3)).toEqual(numbers(program, 3));
        }),
        { numRuns: 150 * LONGER },
      );
    },
  );

  it("all passes together keep every number, also for one token", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const program = randomProgram(list);
        const after = optimize(program, { verify: true });
        for (const tokens of [1, 4]) expect(numbers(after, tokens)).toEqual(numbers(program, tokens));
        expect(parseProgram(printProgram(after))).toBeDefined();
      }),
      { numRuns: 400 * LONGER },
    );
  });

  it("the last token alone is the last token of all", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const program = randomProgram(list);
        const derived = deriveLastToken(program);
        if (derived === program) return;
        const after = optimize(derived, { verify: true });
        expect(numbers(after, 4, "forward_last")).toEqual(numbers(derived, 4, "forward_last"));
      }),
      { numRuns: 300 * LONGER },
    );
  });
});
