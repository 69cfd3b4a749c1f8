/** Schedules read at a training step give what their functions of the step give. */
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate } from "../../compiler/2-graph/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { testHost } from "../check/host.js";

const root = "test/stdlib/sample.moe";

function at(expression: string, step: number): number {
  const text = `import { GateTemperature, GrowingExperts } from "std"
model Sample {
  forward(x: [T]) => x * ${expression}
}
`;
  const project = check(root, testHost({ [root]: text }));
  expect(project.diagnostics).toEqual([]);
  const program = buildProgram(project, { mode: "train", step });
  const inputs = { x: makeTensor("f32", [{ name: "T", size: 1 }], Float64Array.of(1)) };
  const { result } = evaluate(program, "forward", { inputs, params: () => inputs.x, sizes: { T: 1, past: 0 } }).outputs;
  return result?.kind === "tensor" ? result.data[0]! : NaN;
}

describe("schedules", () => {
  test.each([
    [0, 2],
    [5_000, 1.15],
    [10_000, 0.3],
    [50_000, 0.3],
  ])("the temperature at step %i is %f", (step, value) => {
    expect(at("GateTemperature()", step)).toBeCloseTo(value, 6);
  });

  // SMoE-Dropout's released run: 8 to 16 experts in 400,000 steps.
  test.each([
    [0, 8],
    [24_999, 8],
    [25_000, 9],
    [200_000, 12],
    [400_000, 16],
  ])("at step %i there are %i experts", (step, value) => {
    expect(at("GrowingExperts()", step)).toBe(value);
  });
});
