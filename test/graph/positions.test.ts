/** How many positions the reference evaluator says that a text has: by its caches, or by what states of fixed size saw. */
import { expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, StateStore } from "../../compiler/2-graph/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { DType, ReferenceTensor } from "../../compiler/ops/types.js";
import { testHost } from "../check/host.js";

const ones = (axes: Readonly<Record<string, number>>, dtype: DType = "f32"): ReferenceTensor => {
  const tensor = makeTensor(
    dtype,
    Object.entries(axes).map(([name, size]) => ({ name, size })),
  );
  tensor.data.fill(1);
  return tensor;
};

/** The positions that each call gives, one after the other. */
function positions(spec: string, calls: readonly Readonly<Record<string, ReferenceTensor>>[]): readonly number[][] {
  const project = check("m.moe", testHost({ "m.moe": spec }));
  expect(project.diagnostics).toEqual([]);
  const program = buildProgram(project);
  const states = new StateStore();
  return calls.map((inputs) => {
    const found = evaluate(program, "forward", { inputs, states, params: () => ones({ V: 8, D: 4 }) }).outputs[
      "result"
    ];
    return found?.kind === "tensor" ? [...found.data] : [];
  });
}

/** A call with so many rows of the other input and so many tokens. */
const pair = (P: number, T: number) => ({ other: ones({ P, D: 4 }), tokens: ones({ T }, "i32") });

it("counts the rows of a cache, not those of an input that stands before", () => {
  const spec = `model M[V = 8, D = 4] {
  param tok: [V, D]
  state keys: cache[T, D]
  forward(other: [P, D], tokens: int[T]) => {
    let all = append(keys, tok[V: tokens], as: S)
    float(position(T)) + 0 * sum(other, over: [P, D]) + 0 * sum(all, over: [S, D])
  }
}
`;
  expect(positions(spec, [pair(5, 2), pair(5, 1), pair(3, 2)])).toEqual([[0, 1], [2], [3, 4]]);
});

it("counts a cache alone where states of fixed size are kept beside it", () => {
  const spec = `model M[V = 8, D = 4] {
  param tok: [V, D]
  state keys: cache[T, D]
  state last: [D] = 0
  forward(other: [P, D], tokens: int[T]) => {
    let all = append(keys, tok[V: tokens] + last, as: S)
    last = sum(other, over: P)
    float(position(T)) + 0 * sum(all, over: [S, D])
  }
}
`;
  expect(positions(spec, [pair(5, 2), pair(5, 1), pair(3, 2)])).toEqual([[0, 1], [2], [3, 4]]);
});

it("counts the tokens whose positions the entry asks for where no cache is", () => {
  const spec = `model M[V = 8, D = 4] {
  param tok: [V, D]
  state last: [D] = 0
  forward(other: [P, D], tokens: int[T]) => {
    let y = tok[V: tokens] * 0 + last
    last = sum(other, over: P)
    float(position(T)) + 0 * sum(y, over: D)
  }
}
`;
  expect(positions(spec, [pair(5, 2), pair(5, 1), pair(3, 2)])).toEqual([[0, 1], [2], [3, 4]]);
});

it("counts tokens of floats", () => {
  const spec = `model M[D = 4] {
  state last: [D] = 0
  forward(x: [T, D]) => {
    let y = x * 0 + last
    last = mean(x, over: T)
    float(position(T)) + 0 * sum(y, over: D)
  }
}
`;
  const calls = [2, 3, 1].map((T) => ({ x: ones({ T, D: 4 }) }));
  expect(positions(spec, calls)).toEqual([[0, 1], [2, 3, 4], [5]]);
});
