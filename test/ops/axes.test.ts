import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { anyTensor, numbers, run, runAll, size, tensor } from "./support.js";

const names = (value: ReferenceTensor): string[] => value.axes.map((axis) => `${axis.name}=${axis.size}`);
const axis = (name: string, count: number) => ({ name, size: size(count) });

describe("axes", () => {
  const x = tensor("T=2, D=6", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

  it("split numbers the parts outermost first, and merge is its inverse", () => {
    const parts = run("split", [x], { axis: "D", into: [axis("H", 2), axis("C", 3)] });
    expect(names(parts)).toEqual(["T=2", "H=2", "C=3"]);
    expect(numbers(run("merge", [parts], { axes: ["H", "C"], into: "D" }))).toEqual(numbers(x));
  });

  it("merge joins axes that do not lie together, at the place of the first", () => {
    const parts = run("split", [x], { axis: "D", into: [axis("H", 2), axis("C", 3)] });
    const merged = run("merge", [parts], { axes: ["H", "T"], into: "N" });
    expect(names(merged)).toEqual(["N=4", "C=3"]);
    expect(numbers(merged)).toEqual([0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]);
  });

  it("split and merge undo each other for any order of memory", () => {
    fc.assert(
      fc.property(anyTensor("A=2, E=12, B=3"), fc.constantFrom([12], [3, 4], [2, 3, 2], [1, 12]), (value, sizes) => {
        const into = sizes.map((count, index) => axis(`P${index}`, count));
        const parts = run("split", [value], { axis: "E", into });
        const back = run("merge", [parts], { axes: into.map((part) => part.name), into: "E" });
        expect(back).toEqual(value);
      }),
    );
  });

  it("order twice gives the value back", () => {
    fc.assert(
      fc.property(anyTensor("A=2, B=3, C=4"), fc.shuffledSubarray(["A", "B", "C"], { minLength: 3 }), (value, axes) => {
        const turned = run("order", [value], { axes });
        expect(run("order", [turned], { axes: ["A", "B", "C"] })).toEqual(value);
      }),
    );
    expect(numbers(run("order", [x], { axes: ["D", "T"] })).slice(0, 4)).toEqual([0, 6, 1, 7]);
  });

  it("rename, expand, slice, concat", () => {
    expect(names(run("rename", [x], { from: "T", to: "S" }))).toEqual(["S=2", "D=6"]);
    expect(numbers(run("expand", [tensor("D=2", [5, 6])], { axis: "T", size: size(3) }))).toEqual([5, 6, 5, 6, 5, 6]);
    expect(numbers(run("slice", [x], { axis: "D", from: size(2), to: size(4) }))).toEqual([2, 3, 8, 9]);
    expect(numbers(run("slice", [x], { axis: "T", from: size(1), to: size(1) }))).toEqual([]);
    const right = tensor("D=1, T=2", [100, 200]);
    const joined = run("concat", [x, right], { axis: "D" });
    expect(numbers(joined)).toEqual([0, 1, 2, 3, 4, 5, 100, 6, 7, 8, 9, 10, 11, 200]);
  });

  it("slices of all parts joined give the whole", () => {
    fc.assert(
      fc.property(anyTensor("A=2, D=7, B=2"), fc.integer({ min: 0, max: 7 }), (value, cut) => {
        const left = run("slice", [value], { axis: "D", from: size(0), to: size(cut) });
        const right = run("slice", [value], { axis: "D", from: size(cut), to: size(7) });
        expect(run("concat", [left, right], { axis: "D" })).toEqual(value);
      }),
    );
  });

  it("shift moves by any number of places", () => {
    const line = tensor("T=4", [1, 2, 3, 4]);
    const by = (places: number): number[] => numbers(run("shift", [line], { axis: "T", by: places, fill: 0 }));
    expect(by(1)).toEqual([0, 1, 2, 3]);
    expect(by(-2)).toEqual([3, 4, 0, 0]);
    expect(by(0)).toEqual([1, 2, 3, 4]);
    expect(by(9)).toEqual([0, 0, 0, 0]);
    expect(by(-9)).toEqual([0, 0, 0, 0]);
  });

  it("index and size", () => {
    expect(numbers(run("index", [], { axis: "T", size: size(3), offset: size(4) }))).toEqual([4, 5, 6]);
    expect(numbers(run("size", [], { value: size(12) }))).toEqual([12]);
  });
});

describe("gather and scatter", () => {
  const table = tensor("V=3, D=2", [1, 2, 3, 4, 5, 6]);

  it("puts the axes of the ids in place of the axis, with zeros outside", () => {
    const ids = tensor("B=1, T=4", [2, 0, -1, 3], "i32");
    const rows = run("gather", [table, ids], { axis: "V" });
    expect(names(rows)).toEqual(["B=1", "T=4", "D=2"]);
    expect(numbers(rows)).toEqual([5, 6, 1, 2, 0, 0, 0, 0]);
  });

  it("takes shared axes as batch axes", () => {
    const scores = tensor("T=2, E=3", [1, 2, 3, 4, 5, 6]);
    const ids = tensor("T=2, K=2", [2, 0, 1, 1], "i32");
    expect(numbers(run("gather", [scores, ids], { axis: "E" }))).toEqual([3, 1, 5, 5]);
  });

  it("permutes along its own axis", () => {
    const ids = tensor("V=3", [2, 1, 0], "i32");
    expect(numbers(run("gather", [table, ids], { axis: "V" }))).toEqual([5, 6, 3, 4, 1, 2]);
  });

  it("scatter adds, or keeps the last", () => {
    const ids = tensor("N=4", [1, 1, 7, 0], "i32");
    const values = tensor("N=4, D=1", [1, 2, 3, 4]);
    const to = { axis: "V", size: size(3) };
    expect(numbers(run("scatter", [ids, values], { ...to, mode: "add" }))).toEqual([4, 3, 0]);
    expect(numbers(run("scatter", [ids, values], { ...to, mode: "set" }))).toEqual([4, 2, 0]);
  });

  it("is the transpose of gather: <gather(t, i), v> = <t, scatter(i, v)>", () => {
    const id = fc.integer({ min: -1, max: 5 });
    const ids = fc.array(id, { minLength: 6, maxLength: 6 }).map((list) => tensor("T=2, N=3", list, "i32"));
    fc.assert(
      fc.property(ids, anyTensor("T=2, V=5, D=2"), anyTensor("T=2, N=3, D=2"), (index, t, v) => {
        const dot = (a: ReferenceTensor, b: ReferenceTensor): number =>
          numbers(run("reduce", [run("mul", [a, b])], { kind: "sum", over: a.axes.map((each) => each.name) }))[0]!;
        const read = run("gather", [t, index], { axis: "V" });
        const written = run("scatter", [index, v], { axis: "V", size: size(5), mode: "add" });
        // Multiples of 1/64 below 2^12: exact in doubles.
        expect(dot(read, v)).toBe(dot(t, written));
      }),
    );
  });
});

describe("reductions", () => {
  const x = tensor("T=2, D=3", [1, 2, 3, -4, 5, -6]);
  const over = (kind: string, value = x, axes = ["D"]): number[] =>
    numbers(run("reduce", [value], { kind, over: axes }));

  it("has closed forms", () => {
    expect(over("sum")).toEqual([6, -5]);
    expect(over("mean")).toEqual([2, -5 / 3]);
    expect(over("max")).toEqual([3, 5]);
    expect(over("min")).toEqual([1, -6]);
    expect(over("prod")).toEqual([6, 120]);
    expect(over("sum", x, ["T", "D"])).toEqual([1]);
    expect(over("sum", x, ["T"])).toEqual([-3, 7, -3]);
    expect(over("any", tensor("T=2, D=2", [0, 0, 0, 1], "bool"))).toEqual([0, 1]);
    expect(over("all", tensor("T=2, D=2", [1, 1, 0, 1], "bool"))).toEqual([1, 0]);
  });

  it("is defined on nothing", () => {
    const empty = tensor("T=1, D=0", []);
    expect(["sum", "mean", "prod", "max", "min"].map((kind) => over(kind, empty)[0])).toEqual([
      0,
      0,
      1,
      -Infinity,
      Infinity,
    ]);
    expect(over("max", tensor("T=1, D=0", [], "i32"))).toEqual([-(2 ** 31)]);
    expect(over("all", tensor("T=1, D=0", [], "bool"))).toEqual([1]);
  });

  it("lets NaN win in max and min, and wraps integers", () => {
    expect(over("max", tensor("T=1, D=3", [1, NaN, 2]))).toEqual([NaN]);
    expect(over("sum", tensor("T=1, D=2", [2 ** 31 - 1, 1], "i32"))).toEqual([-(2 ** 31)]);
  });

  it("cumsum runs both ways", () => {
    const line = tensor("T=3", [1, 2, 3]);
    const sums = (exclusive: boolean, reverse: boolean): number[] =>
      numbers(run("cumsum", [line], { over: "T", exclusive, reverse }));
    expect(sums(false, false)).toEqual([1, 3, 6]);
    expect(sums(true, false)).toEqual([0, 1, 3]);
    expect(sums(false, true)).toEqual([6, 5, 3]);
    expect(sums(true, true)).toEqual([5, 3, 0]);
  });
});

describe("normalizers", () => {
  const over = { over: "E" };
  const doubles = 2 ** -52;

  it("softmax sums to 1 and does not change when a number is added to a line", () => {
    fc.assert(
      fc.property(anyTensor("A=2, E=5, B=2"), fc.integer({ min: -1000, max: 1000 }), (x, shift) => {
        const p = run("softmax", [x], over);
        // Sums of 5 terms with 2 roundings each.
        for (const sum of numbers(run("reduce", [p], { kind: "sum", over: ["E"] }))) {
          expect(Math.abs(sum - 1)).toBeLessThanOrEqual(16 * doubles);
        }
        const moved = run("softmax", [run("add", [x, tensor("", [shift])])], over);
        // x + shift is exact, as x are multiples of 1/8.
        expect(numbers(moved)).toEqual(numbers(p));
      }),
    );
  });

  it("log_softmax is the logarithm of softmax, and logsumexp what it subtracts", () => {
    fc.assert(
      fc.property(anyTensor("T=2, E=4"), (x) => {
        const logs = run("log_softmax", [x], over);
        const direct = numbers(run("log", [run("softmax", [x], over)]));
        const whole = run("logsumexp", [x], over);
        numbers(logs).forEach((value, i) => {
          // Relative errors of a few roundings under the logarithm, and of |value| up to 10.
          expect(Math.abs(value - direct[i]!)).toBeLessThanOrEqual(64 * doubles);
        });
        expect(numbers(run("sub", [x, whole]))).toEqual(numbers(logs));
      }),
    );
  });

  it("is defined on lines of -Infinity, of nothing, and with NaN", () => {
    const none = tensor("T=1, E=2", [-Infinity, -Infinity]);
    expect(numbers(run("softmax", [none], over))).toEqual([0, 0]);
    expect(numbers(run("log_softmax", [none], over))).toEqual([-Infinity, -Infinity]);
    expect(numbers(run("logsumexp", [none], over))).toEqual([-Infinity]);
    expect(numbers(run("logsumexp", [tensor("T=1, E=0", [])], over))).toEqual([-Infinity]);
    expect(numbers(run("softmax", [tensor("T=1, E=2", [1, -Infinity])], over))).toEqual([1, 0]);
    expect(numbers(run("softmax", [tensor("T=1, E=2", [1, NaN])], over))).toEqual([NaN, NaN]);
    expect(numbers(run("softmax", [tensor("T=1, E=2", [1, Infinity])], over))).toEqual([NaN, NaN]);
    expect(numbers(run("softmax", [tensor("T=1, E=2", [1e300, 1e300])], over))).toEqual([0.5, 0.5]);
  });
});

it("ops of two results give both", () => {
  expect(runAll("sort", [tensor("E=2", [2, 1])], { over: "E", descending: false })).toHaveLength(2);
});
