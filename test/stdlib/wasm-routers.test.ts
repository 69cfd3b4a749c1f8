/** Every router, loss, schedule, mask, expert, matrix and attention of the lists gives on wasm what the reference gives, on random shapes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { testHost } from "../check/host.js";
import { compare, numbers } from "../schedule/compare.js";
import { samples, type Sample } from "./wasm-routers.js";
import { sparseSamples } from "./wasm-sparse.js";

function programOf(sample: Sample): Program {
  const root = "test/stdlib/sample.moe";
  const text = `import { ${[sample.name, ...(sample.imports === undefined ? [] : [sample.imports])].join(", ")} } from "../../stdlib/${sample.file}.moe"
import { SwiGLU, TopK } from "std"
model Sample {
  ${sample.model}
}
`;
  const project = check(root, testHost({ [root]: text }));
  expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  return buildProgram(project);
}

/** Numbers for every input: normal-sized floats, small whole numbers for integers. */
function inputsOf(program: Program, seed: number, tokens: number): Record<string, number[]> {
  const entry = program.entries[0]!;
  return Object.fromEntries(
    entry.inputs.map((name, position) => {
      const { type } = entry.body.params[position]!;
      if (type.kind !== "tensor") throw new Error("an entry takes no routes");
      const count = type.axes.reduce((product, { size }) => product * size.evaluate({ past: 0, T: tokens }), 1);
      const values = numbers(seed + position, count).map((x) => Math.fround(x * 2));
      return [name, type.dtype === "i32" ? values.map((x) => Math.floor((x + 2) * 1.25)) : values];
    }),
  );
}

/** Parameters by their path, so that no two are alike; whole numbers for tables of them. */
function paramsOf(program: Program): (path: string, count: number) => readonly number[] {
  return (path, count) => {
    const seed = [...path].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 65521, 7);
    const whole = program.params.find((param) => param.path === path)?.dtype === "i32";
    return numbers(seed, count).map((x) => (whole ? Math.floor((x + 1) * 2) : Math.fround(x * 0.5)));
  };
}

describe.each([...samples, ...sparseSamples])("$file $name", (sample) => {
  test(sample.refused === undefined ? "wasm = reference" : `refused with ${sample.refused}`, () => {
    const run = (): void => {
      const program = programOf(sample);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.constantFrom(...(sample.tokens ?? [0, 1, 2, 3, 7, 16, 31])), fc.nat(9999)), {
            minLength: 1,
            maxLength: 3,
          }),
          (calls) => {
            compare(program, {
              calls: calls.map(([tokens, seed]) => ({ inputs: inputsOf(program, seed, tokens), sizes: { T: tokens } })),
              // Contractions of at most 64 terms of size 4, twice, through functions with slope at most 1, in f32:
              // 64 * 4 * 2 roundings of 2^-24 each, doubled for the polynomials of exp and log.
              tolerance: 64 * 4 * 2 * 2 * 2 ** -24,
              runners: ["wasm"],
              params: paramsOf(program),
            });
          },
        ),
        { numRuns: 3, seed: 20, endOnFailure: true },
      );
    };
    if (sample.refused === undefined) run();
    else expect(run).toThrow(sample.refused);
  });
});
