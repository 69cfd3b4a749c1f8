/** The passes on the models of `examples/`, as the language builds them. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, printProgram, StateStore, type Evaluation } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { repository, testHost } from "../check/host.js";
import { parameter, tokensOf } from "./tiny-model.js";

const specs = readdirSync(`${repository}/examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(`${repository}/examples/${name}`)
      .filter((file) => file.endsWith(".moe"))
      .map((file) => `examples/${name}/${file}`),
  );

function built(spec: string, sizes: Readonly<Record<string, number>> = {}): Program {
  const project = check(spec, testHost());
  expect(project.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return deriveLastToken(buildProgram(project, { sizes }));
}

describe("every example", () => {
  it("is there", () => {
    expect(specs).toContain("examples/tiny-moe/tiny-moe.moe");
  });
  it.each(specs)("%s stays well formed and comes to rest", (spec) => {
    const once = optimize(built(spec), { verify: true });
    expect(printProgram(optimize(once))).toBe(printProgram(once));
  });
});

describe("examples/tiny-moe at a small size", () => {
  const program = built("examples/tiny-moe/tiny-moe.moe", { V: 16, L: 2, D: 16, H: 4, G: 2, C: 4, F: 8, E: 4 });
  const run = (each: Program, entry: string): readonly Evaluation["outputs"][] => {
    const states = new StateStore();
    return [[3, 1, 4, 1, 5], [9], [2, 6]].map(
      (ids) =>
        evaluate(each, entry, { inputs: { tokens: tokensOf(ids) }, params: (path) => parameter(each, path), states })
          .outputs,
    );
  };

  it.each(["forward", "forward_last"])("%s gives the same numbers, bit by bit, with caches", (entry) => {
    const after = optimize(program, { verify: true });
    expect(run(after, entry)).toEqual(run(program, entry));
  });
});
