import fc from "fast-check";
import { expect, it } from "vitest";
import { alignAxes, makeTensor, offsetsOf, stridesIn } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { numbers, run, tensor } from "./support.js";

/** Every index of every axis, one multiply-add each. */
function naive(a: ReferenceTensor, b: ReferenceTensor, over: readonly string[]): number[] {
  const all = alignAxes([a, b]);
  const kept = all.filter((axis) => !over.includes(axis.name));
  const result = makeTensor("f32", kept);
  const order = [...kept, ...all.filter((axis) => over.includes(axis.name))];
  const [atA, atB, at] = [a, b, result].map((value) => offsetsOf(order, stridesIn(value, order)));
  for (let i = 0; i < at!.length; i++) result.data[at![i]!]! += a.data[atA![i]!]! * b.data[atB![i]!]!;
  return numbers(result);
}

const sizes: Readonly<Record<string, number>> = { A: 2, B: 3, C: 1, D: 4, E: 5 };

function anyOperand(axes: readonly string[]): fc.Arbitrary<ReferenceTensor> {
  const count = axes.reduce((product, name) => product * sizes[name]!, 1);
  const text = axes.map((name) => `${name}=${sizes[name]}`).join(", ");
  return fc
    .array(fc.integer({ min: -9, max: 9 }), { minLength: count, maxLength: count })
    .map((data) => tensor(text, data));
}

it("equals the sum over all indices, for any axes in any order", () => {
  const axes = fc.shuffledSubarray(Object.keys(sizes));
  const operands = fc
    .tuple(axes, axes)
    .chain(([a, b]) => fc.tuple(anyOperand(a), anyOperand(b), fc.subarray(a.filter((name) => b.includes(name)))));
  fc.assert(
    // Whole numbers: every order of summation is exact.
    fc.property(operands, ([a, b, over]) => {
      expect(numbers(run("contract", [a, b], { over }))).toEqual(naive(a, b, over));
    }),
    { numRuns: 500 },
  );
});

it("is the matrix product, in the order of axes that it promises", () => {
  const x = tensor("T=2, D=2", [1, 2, 3, 4]);
  const w = tensor("D=2, F=2", [5, 6, 7, 8]);
  const y = run("contract", [x, w], { over: ["D"] });
  expect(y.axes.map((axis) => axis.name)).toEqual(["T", "F"]);
  expect(numbers(y)).toEqual([19, 22, 43, 50]);
});

it("is 0 over an empty axis and has no numbers without tokens", () => {
  const none = run("contract", [tensor("T=2, D=0", []), tensor("D=0, F=2", [])], { over: ["D"] });
  expect(numbers(none)).toEqual([0, 0, 0, 0]);
  const noTokens = run("contract", [tensor("T=0, D=2", []), tensor("D=2, F=2")], { over: ["D"] });
  expect(noTokens.axes.map((axis) => axis.size)).toEqual([0, 2]);
});
