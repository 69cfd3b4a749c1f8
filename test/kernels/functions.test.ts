/** exp, log, sin, cos and tanh of kernel IR against doubles, in units in the last place. */
import { describe, expect, it } from "vitest";
import { add, block, mul, unary } from "../../compiler/4-schedule/kernel-expressions.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { functionOps, type FunctionOp } from "../../compiler/4-schedule/kernel-functions.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { functionSource } from "../../compiler/4-schedule/interpreter/translate.js";
import { registerType } from "../../compiler/4-schedule/kernel-types.js";

const kernels = functionOps.map((op) => {
  const k = new KernelBuilder(op, { doc: `y = ${op} x` });
  const x = k.buffer("x", "f32", "read");
  const y = k.buffer("y", "f32", "write");
  k.store(y, block, unary(op, k.load(x, block)));
  return k.finish();
});
const interpreter = makeInterpreter(kernels);

function values(op: FunctionOp, inputs: readonly number[]): Float32Array {
  const memory = new ArrayBuffer(inputs.length * 8);
  new Float32Array(memory, 0, inputs.length).set(inputs);
  interpreter.launch(op, memory, [0, inputs.length * 4], [], 0, inputs.length);
  return new Float32Array(memory, inputs.length * 4, inputs.length);
}

/** Distance to the next f32 above |value|. */
function ulp(value: number): number {
  const bits = new Int32Array(new Float32Array([Math.max(Math.abs(value), 2 ** -126)]).buffer)[0]!;
  return 2 ** Math.max((bits >>> 23) - 127 - 23, -149);
}

function worst(op: FunctionOp, low: number, high: number, unit: (exact: number) => number): number {
  const count = 200_003;
  const inputs = Array.from({ length: count }, (_, i) => Math.fround(low + ((high - low) * i) / (count - 1)));
  const found = values(op, inputs);
  let error = 0;
  inputs.forEach((x, i) => {
    const exact = Math[op](x);
    const off = Math.abs(found[i]! - exact) / unit(exact);
    if (!(off <= error)) error = off;
  });
  return error;
}

describe("functions of kernel IR", () => {
  it.each([
    ["exp", -1, 1, 1.5],
    ["exp", -87, 88.7, 1.5],
    ["exp", -104, -80, 1.5],
    ["log", 0.4, 2.5, 1.5],
    ["log", 1e-38, 1e-36, 1.5],
    ["log", 1e-44, 1e-38, 1.5],
    ["log", 2, 3e38, 1.5],
    ["tanh", -1, 1, 3],
    ["tanh", -12, 12, 3],
    ["tanh", 1e-6, 1e-3, 3],
  ] as const)("%s on %d..%d is within %d ulp", (op, low, high, bound) => {
    expect(worst(op, low, high, ulp)).toBeLessThan(bound);
  });

  it.each([
    ["sin", -4, 4],
    ["cos", -4, 4],
    ["sin", -1e5, 1e5],
    ["cos", -1e5, 1e5],
    ["sin", 1e6, 1.6e6],
    ["cos", 1e6, 1.6e6],
  ] as const)("%s on %d..%d is within 2^-22", (op, low, high) => {
    expect(worst(op, low, high, () => 2 ** -22)).toBeLessThan(1);
  });

  it("has the right values at the ends of the range", () => {
    const of = (op: FunctionOp, ...inputs: number[]): number[] => [...values(op, inputs)];
    expect(of("exp", -Infinity, Infinity, NaN, 0, 88.72, 89, -105, 1e30, -1e30)).toEqual([
      0,
      Infinity,
      NaN,
      1,
      expect.closeTo(Math.exp(Math.fround(88.72)), -32),
      Infinity,
      0,
      Infinity,
      0,
    ]);
    expect(of("log", 0, -0, -1, Infinity, NaN, 1)).toEqual([-Infinity, -Infinity, NaN, Infinity, NaN, 0]);
    expect(of("tanh", Infinity, -Infinity, NaN, 0, 100, -100)).toEqual([1, -1, NaN, 0, 1, -1]);
    expect(of("sin", Infinity, NaN, 0, 1e7)).toEqual([NaN, NaN, 0, NaN]);
    expect(of("cos", -Infinity, NaN, 0, 1e7)).toEqual([NaN, NaN, 1, NaN]);
  });
});

it("may have loops so long that the interpreter writes them as functions of their own", () => {
  const argument = { kind: "get", name: "argument", type: registerType("f32") } as const;
  const sum = (steps: number): string => {
    const k = new KernelBuilder("sum", { doc: "" });
    const [even, odd] = [k.variable("even", 0, argument.type), k.variable("odd", 1, argument.type)];
    k.loop("turn", 0, 2, 1, () => {
      for (let i = 0; i < steps; i++) even.set(add(even.get, argument));
      odd.set(mul(odd.get, 2));
    });
    return functionSource("sum", { parameter: "argument", body: k.finish().body, result: add(even.get, odd.get) });
  };
  expect(sum(1)).not.toContain("run_sum_0");
  expect(sum(1000)).toContain("run_sum_0");
  // Two of them side by side, as functions stand in front of a kernel.
  const source = `${sum(1000)}\nconst first = sum;\n{\n${sum(2)}\nreturn [first(3), sum(3)];\n}`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function("fround", source) as (fround: typeof Math.fround) => readonly number[];
  expect(run(Math.fround)).toEqual([6004, 16]);
});
