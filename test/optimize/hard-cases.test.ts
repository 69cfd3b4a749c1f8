/** The passes on every model of `test/samples/hard`: nested stacks, carried routes, knobs, several entries and banks. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, parseProgram, printProgram, StateStore } from "../../compiler/2-graph/index.js";
import type { Entry, Program } from "../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor, ValueType } from "../../compiler/ops/types.js";
import { repository, testHost } from "../check/host.js";
import { parameter } from "./tiny-model.js";

const folder = "test/samples/hard";

/** Numbers for one input of a call with `tokens` tokens: small ids, or numbers of both signs. */
function input(type: ValueType, runtimeSizes: readonly string[], tokens: number, seed: number): ReferenceTensor {
  if (type.kind !== "tensor") throw new Error("routes are no input");
  const sizes = Object.fromEntries(runtimeSizes.map((name) => [name, name === "past" ? 0 : tokens]));
  const axes = type.axes.map(({ name, size }) => ({ name, size: size.evaluate(sizes) }));
  const count = axes.reduce((product, { size }) => product * size, 1);
  const number = (i: number): number => Math.sin(seed + 1.3 * i) * 2;
  const data = Float64Array.from({ length: count }, (_, i) =>
    type.dtype === "f32" ? number(i) : type.dtype === "i32" ? (seed + i * 5) % 7 : i % 2,
  );
  return makeTensor(type.dtype, axes, data);
}

/** Two calls in a row, with what is kept in between. */
function run(program: Program, entry: Entry): unknown {
  const states = new StateStore();
  return [4, 1].map((tokens, turn) => {
    const inputs = Object.fromEntries(
      entry.inputs.map((name, i) => [name, input(entry.body.params[i]!.type, program.runtimeSizes, tokens, turn + i)]),
    );
    return evaluate(program, entry.name, { inputs, params: (path) => parameter(program, path), states }).outputs;
  });
}

const models = readdirSync(`${repository}/${folder}`)
  .filter((file) => file.endsWith(".moe"))
  .flatMap((file) => {
    const project = check(`${folder}/${file}`, testHost());
    const modules = [...(project.files.get(project.root)?.modules.values() ?? [])];
    return modules
      .filter(({ decl }) => decl.contract === "model")
      .map(({ decl }) => ({ file, model: decl.name.text, project }));
  });

describe("models of the hard cases", () => {
  it("are there", () => {
    expect(models.length).toBeGreaterThan(4);
  });

  it.each(models)("$file $model gives the same numbers after each pass", ({ model, project }) => {
    const program = deriveLastToken(buildProgram(project, { model }));
    const expected = program.entries.map((entry) => run(program, entry));
    optimize(program, {
      verify: true,
      observe: ({ name }, after) => {
        expect(
          after.entries.map((entry) => run(after, entry)),
          name,
        ).toEqual(expected);
      },
    });
    const once = optimize(program);
    expect(printProgram(optimize(once))).toBe(printProgram(once));
    expect(printProgram(parseProgram(printProgram(once)))).toBe(printProgram(once));
  });
});
