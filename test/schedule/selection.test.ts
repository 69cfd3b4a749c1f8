/** Ops that choose, order, place and make numbers: equal bits on every runner. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { OpName } from "../../compiler/ops/index.js";
import type { Attrs } from "../../compiler/ops/types.js";
import { webgpu } from "../../compiler/targets/index.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program, typed } from "./programs.js";

const T = axis("T");
const E = axis("E", 6);
/** Values with ties, NaN and infinities. */
const rough = (count: number): number[] =>
  numbers(6, count).map((x, i) => [x, 0.5, x, NaN, 0.5, -Infinity, x, x, Infinity][i % 9]!);
const smooth = (count: number): number[] => numbers(7, count);

const calls = (make: (count: number) => number[]) =>
  [0, 1, 3, 17].map((t) => ({ inputs: { x: make(t * 6) }, sizes: { T: t } }));

const whole = (value: number): Size => Size.of(value);

const lines: readonly (readonly [string, OpName, Attrs, "rough" | "smooth"])[] = [
  ["top", "top", { over: "E", k: whole(3), as: "K" }, "rough"],
  ["top of more than there is", "top", { over: "E", k: whole(6), as: "K" }, "rough"],
  ["sort down", "sort", { over: "E", descending: true }, "rough"],
  ["sort up", "sort", { over: "E", descending: false }, "rough"],
  ["sort along the first axis", "sort", { over: "T", descending: true }, "rough"],
  ["argmax", "argmax", { over: "E" }, "rough"],
  ["argmin", "argmin", { over: "E" }, "rough"],
  ["argmax over tokens", "argmax", { over: "T" }, "smooth"],
  ["top_mask", "top_mask", { over: "E", k: whole(2) }, "rough"],
  ["shift", "shift", { axis: "T", by: 2, fill: 7 }, "smooth"],
  ["shift back along the last axis", "shift", { axis: "E", by: -1, fill: 0 }, "smooth"],
];

describe("lines that the threads of a block share", () => {
  const N = axis("N", 200);
  const long: readonly (readonly [string, OpName, Attrs])[] = [
    ["top", "top", { over: "N", k: whole(9), as: "K" }],
    ["sort down", "sort", { over: "N", descending: true }],
    ["sort up", "sort", { over: "N", descending: false }],
    ["argmax", "argmax", { over: "N" }],
    ["argmin", "argmin", { over: "N" }],
    ["top_mask", "top_mask", { over: "N", k: whole(30) }],
  ];
  const rows = [1, 3].map((t) => ({ inputs: { x: rough(t * 200) }, sizes: { T: t } }));

  it.each(long)("%s", (_, op, attrs) => {
    const test = program({ inputs: { x: f32(T, N) }, build: (scope, [x]) => scope.add(op, [x!], attrs) });
    compare(test, { calls: rows, tolerance: 0, target: webgpu });
  });

  it("top where nothing is a number, and where both zeros are", () => {
    const x = [...Array<number>(200).fill(NaN), ...Array.from({ length: 200 }, (_, i) => (i % 2 ? 0 : -0))];
    const attrs = { over: "N", k: whole(5), as: "K" };
    const test = program({ inputs: { x: f32(T, N) }, build: (scope, [line]) => scope.add("top", [line!], attrs) });
    const { y0 } = compare(test, { calls: [{ inputs: { x }, sizes: { T: 2 } }], tolerance: 0, target: webgpu });
    expect(y0).toEqual([...Array<number>(5).fill(-Infinity), -0, 0, -0, 0, -0]);
  });

  it.each([
    [false, false],
    [true, true],
  ])("cumsum, exclusive %s, reverse %s", (exclusive, reverse) => {
    const attrs = { over: "N", exclusive, reverse };
    const test = program({ inputs: { x: f32(T, N) }, build: (scope, [x]) => [scope.one("cumsum", [x!], attrs)] });
    const calls = [{ inputs: { x: smooth(600) }, sizes: { T: 3 } }];
    // 200 sums of at most 200, each rounded.
    compare(test, { calls, tolerance: 200 * 200 * 2 ** -24, target: webgpu });
  });
});

describe("lines", () => {
  it.each(lines)("%s", (_, op, attrs, kind) => {
    const test = program({ inputs: { x: f32(T, E) }, build: (scope, [x]) => scope.add(op, [x!], attrs) });
    compare(test, { calls: calls(kind === "rough" ? rough : smooth), tolerance: 0 });
  });

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("cumsum, exclusive %s, reverse %s", (exclusive, reverse) => {
    const test = program({
      inputs: { x: f32(T, E) },
      build: (scope, [x]) => [
        scope.one("cumsum", [x!], { over: "E", exclusive, reverse }),
        scope.one("cumsum", [x!], { over: "T", exclusive, reverse }),
      ],
    });
    // 16 sums of at most 17, each rounded.
    compare(test, { calls: calls(smooth), tolerance: 17 * 17 * 2 ** -24 });
  });

  it.each(["softmax", "log_softmax"] as const)("%s, with lines of -Infinity", (op) => {
    const test = program({ inputs: { x: f32(T, E) }, build: (scope, [x]) => [scope.one(op, [x!], { over: "E" })] });
    const some = (count: number): number[] => smooth(count).map((x, i) => (i < 6 ? -Infinity : x * 4));
    compare(test, { calls: calls(some), tolerance: 2 ** -19 });
  });

  it.each(["sum", "max", "min", "mean", "prod"] as const)("reduces by %s over each axis and both", (kind) => {
    const test = program({
      inputs: { x: f32(T, E) },
      build: (scope, [x]) => [["E"], ["T"], ["T", "E"]].map((over) => scope.one("reduce", [x!], { kind, over })),
    });
    // At most 102 terms below 1.
    compare(test, { calls: calls(smooth), tolerance: 102 * 102 * 2 ** -24 });
  });

  it("any and all of conditions, and where", () => {
    const test = program({
      inputs: { x: f32(T, E) },
      build: (scope, [x]) => {
        const positive = scope.one("gt", [x!, scope.number(0.2)]);
        const any = scope.one("reduce", [positive], { kind: "any", over: ["E"] });
        const all = scope.one("reduce", [positive], { kind: "all", over: ["T"] });
        return [
          positive,
          any,
          all,
          scope.one("where", [scope.one("and", [positive, any]), x!, scope.one("neg", [x!])]),
        ];
      },
    });
    compare(test, { calls: calls(smooth), tolerance: 0 });
  });
});

describe("places", () => {
  const ids = (t: number): number[] => numbers(8, t).map((x) => Math.floor((x + 1) * 4) - 1);

  it("gathers, with ids outside of the table", () => {
    const test = program({
      inputs: { ids: typed("i32", T) },
      params: [param("table", [E, axis("D", 5)])],
      build: (scope, [index], p) => [scope.one("gather", [p("table"), index!], { axis: "E" })],
    });
    compare(test, { calls: [0, 1, 9].map((t) => ({ inputs: { ids: ids(t) }, sizes: { T: t } })), tolerance: 0 });
  });

  it("gathers along a batch axis", () => {
    const test = program({
      inputs: { x: f32(T, E), ids: typed("i32", T, axis("K", 2)) },
      build: (scope, [x, index]) => [scope.one("gather", [x!, index!], { axis: "E" })],
    });
    compare(test, {
      calls: [3].map((t) => ({ inputs: { x: smooth(t * 6), ids: ids(t * 2) }, sizes: { T: t } })),
      tolerance: 0,
    });
  });

  it.each(["add", "set"])("scatters by %s", (mode) => {
    const test = program({
      inputs: { x: f32(T, E), ids: typed("i32", T) },
      build: (scope, [x, index]) => [scope.one("scatter", [index!, x!], { axis: "V", size: whole(4), mode })],
    });
    compare(test, {
      calls: [0, 1, 9].map((t) => ({ inputs: { x: smooth(t * 6), ids: ids(t) }, sizes: { T: t } })),
      tolerance: 9 * 2 ** -23,
    });
  });

  it("concatenates along each axis", () => {
    const test = program({
      inputs: { x: f32(T, E) },
      build: (scope, [x]) => {
        const twice = scope.one("mul", [x!, scope.number(2)]);
        const cut = scope.one("slice", [twice], { axis: "E", from: whole(1), to: whole(4) });
        return [scope.one("concat", [x!, cut], { axis: "E" }), scope.one("concat", [x!, twice, x!], { axis: "T" })];
      },
    });
    compare(test, { calls: calls(smooth), tolerance: 0 });
  });

  it("makes coordinates, sizes, constants and expanded axes", () => {
    const test = program({
      inputs: { x: f32(T, E) },
      build: (scope, [x]) => {
        const index = scope.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of("past") });
        const last = scope.one("index", [], { axis: "E", size: whole(6), offset: Size.of(-2) });
        const size = scope.one("size", [], { value: Size.of("T").times(whole(3)) });
        const table = scope.one("constant", [], { values: [1, -2, 3, 0.5, 0, 9], axes: [E], dtype: "f32" });
        const sum = scope.one("add", [scope.one("add", [index, last]), size]);
        const wide = scope.one("expand", [scope.one("mul", [x!, table])], { axis: "A", size: whole(2) });
        return [sum, scope.one("mul", [wide, scope.one("cast", [sum], { to: "f32" })])];
      },
    });
    compare(test, { calls: calls(smooth), tolerance: 2 ** -22 });
  });
});

describe("random numbers", () => {
  it.each(["uniform", "normal", "gumbel"])("%s", (kind) => {
    const test = program({
      inputs: { x: f32(T, E), key: typed("i32") },
      build: (scope, [, key]) => [
        scope.one("random", [], { kind, axes: [T, E], seed: 5 }),
        scope.one("random", [key!], { kind, axes: [E], seed: 4_000_000_000 }),
      ],
    });
    compare(test, {
      calls: [{ inputs: { x: smooth(18), key: [77] }, sizes: { T: 3 } }],
      // Uniform ones are exact; a logarithm near 1 keeps an absolute error of 2^-23, a square root and a second
      // logarithm stretch it by at most 2^10 over 18 draws of 24 bits.
      tolerance: kind === "uniform" ? 0 : 2 ** -12,
    });
  });
});
