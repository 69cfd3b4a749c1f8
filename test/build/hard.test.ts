/** Every construct of the hard cases checks, and its tests hold on the reference evaluator. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, parseProgram, printProgram, runTests, verify } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { repository, testHost } from "../check/host.js";

const folder = "test/samples/hard";
const files = readdirSync(join(repository, folder)).filter((file) => file.endsWith(".moe"));

/** Small numbers that differ from entry to entry. */
function params(program: Program): (path: string) => ReferenceTensor {
  return (path) => {
    const decl = program.params.find((param) => param.path === path)!;
    const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
    const count = axes.reduce((product, axis) => product * axis.size, 1);
    const data = Float64Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + path.length) * 0.5);
    return makeTensor(decl.dtype, axes, data);
  };
}

describe.each(files)("%s", (file) => {
  const project = check(`${folder}/${file}`, testHost());

  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  for (const result of runTests(project)) {
    test(result.name, () => {
      expect({ failures: result.failures.map(({ message }) => message), diagnostics: result.diagnostics }).toEqual({
        failures: [],
        diagnostics: [],
      });
      expect(result.assertions).toBeGreaterThan(0);
    });
  }

  const models = [...(project.files.get(`${folder}/${file}`)?.modules.values() ?? [])].filter(
    (info) => info.decl.contract === "model",
  );
  for (const model of models) {
    test(`model ${model.decl.name.text} builds, verifies, prints and runs`, () => {
      const program = buildProgram(project, { model: model.decl.name.text });
      expect(verify(program)).toEqual([]);
      const text = printProgram(program);
      expect(printProgram(parseProgram(text))).toBe(text);
      for (const entry of program.entries) {
        const inputs = Object.fromEntries(
          entry.inputs.map((name, index) => {
            const { type } = entry.body.params[index]!;
            if (type.kind === "routes") throw new Error("an entry takes no routes");
            const axes = type.axes.map((axis, i) => ({ name: axis.name, size: axis.size.constant ?? 3 + i }));
            const count = axes.reduce((product, axis) => product * axis.size, 1);
            return [
              name,
              makeTensor(
                type.dtype,
                axes,
                Float64Array.from({ length: count }, (_, i) => i % 5),
              ),
            ];
          }),
        );
        const { outputs } = evaluate(program, entry.name, { inputs, params: params(program) });
        for (const output of Object.values(outputs)) {
          if (output.kind === "tensor") expect(output.data.every((value) => Number.isFinite(value))).toBe(true);
        }
      }
    });
  }
});
