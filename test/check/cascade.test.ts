/**
 * One mistake, one error: in files without errors, one use of a name is misspelled. Whatever is made of it stays silent,
 * so exactly one error is said (a misspelled name may also happen to be no error in places that make up names).
 */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { repository, testHost } from "./host.js";

const hard = readdirSync(`${repository}/test/samples/hard`).map((file) => `test/samples/hard/${file}`);
const files = [...hard, "stdlib/routers.moe", "stdlib/attention.moe", "examples/tiny-moe/tiny-moe.moe"];
const seed = Number(process.env["SEED"] ?? 20261122);

describe.each(files)("%s", (file) => {
  const project = check(file, testHost());
  const { text } = project.files.get(file)!;
  const uses = project.info(file)!.definitions.map(({ span }) => span);

  test(`a misspelled use gives one error (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: uses.length - 1 }), (index) => {
        const span = uses[index]!;
        const wrong = `${text.slice(0, span.start)}Qzq${text.slice(span.end)}`;
        const { diagnostics } = check(file, testHost({ [file]: wrong }), { previous: project });
        // A misspelled declared axis is wrong wherever it is used, in the same words.
        const texts = [...new Set(diagnostics.map((item) => `${item.code} ${item.message}`))];
        const line = wrong.slice(0, span.start).split("\n").length;
        expect(
          texts.length,
          `line ${line}, ${text.slice(span.start, span.end)}: ${texts.join("; ")}`,
        ).toBeLessThanOrEqual(1);
      }),
      { seed, numRuns: Number(process.env["RUNS"] ?? 10) },
    );
  });
});

test("an axis that no argument decides is one error, and none where the function is wrong by itself", () => {
  const codes = (text: string): readonly string[] =>
    check("wrong.moe", testHost({ "wrong.moe": text })).diagnostics.map(({ code, span }) => `${code} ${span.start}`);
  const call = `test "called" {
  let w = random([A = 2, M = 4], seed: 1)
  assert close(f(w), 0)
}
`;
  const open = "fn f[N](w: [A, M = N]) => sum(w, over: A)\n";
  expect(codes(open + call)).toEqual([`MOE2290 ${(open + call).indexOf("f(w)")}`]);
  const wrong = "fn f[N](w: [A, M = N]) => w[N -> K]\n";
  expect(codes(wrong + call)).toEqual([`MOE2042 ${wrong.indexOf("N ->")}`]);
  const promised = "fn f[N](w: [A, M]) -> [A, M = N] => w\n";
  expect(codes(promised + call)).toEqual([`MOE2117 ${promised.lastIndexOf("w")}`]);
});
