import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { verify, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { optimize, passes, type Pass } from "../../compiler/3-optimize/index.js";
import { orderProblems } from "../../compiler/3-optimize/passes.js";
import type { Attrs, TensorType } from "../../compiler/ops/types.js";
import { beforeAndAfter, opsAfter, programOf } from "./graph-text.js";
import { axis, tensor } from "./tiny-model.js";

const T = axis("T", "T");
const D = axis("D", 6);
const row = tensor([T, D]);
const scalarInt = tensor([], "i32");

/** A program of one chain of ops on inputs of the same type. */
function chain(type: TensorType, build: (scope: RegionBuilder, a: Value, b: Value) => Value): Program {
  return programOf([type, type], (scope, [a, b]) => [build(scope, a!, b!)]);
}

describe("canonicalize", () => {
  it("before and after", () => {
    const program = programOf([row, row], (scope, [a, b]) => {
      const one = scope.number(1);
      const sum = scope.one("add", [one, scope.one("mul", [b!, scope.one("mul", [one, a!])])]);
      const split = scope.one("split", [sum], {
        axis: "D",
        into: [
          { name: "A", size: Size.of(2) },
          { name: "B", size: Size.of(3) },
        ],
      });
      const merged = scope.one("merge", [split], { axes: ["A", "B"], into: "D" });
      const renamed = scope.one("rename", [scope.one("rename", [merged], { from: "T", to: "S" })], {
        from: "S",
        to: "Q",
      });
      const cut = scope.one("slice", [renamed], { axis: "D", from: Size.of(1), to: Size.of(5) });
      return [scope.one("slice", [cut], { axis: "D", from: Size.of(1), to: Size.of(3) })];
    });
    expect(beforeAndAfter(program, ["canonicalize", "drop-unused"])).toMatchSnapshot();
  });

  it.each<[string, (scope: RegionBuilder, a: Value, b: Value) => Value, readonly string[]]>([
    ["x + 0", (s, a) => s.one("add", [a, s.number(0)]), []],
    ["0 + x", (s, a) => s.one("add", [s.number(0), a]), []],
    ["x - 0", (s, a) => s.one("sub", [a, s.number(0)]), []],
    ["0 - x stays", (s, a) => s.one("sub", [s.number(0), a]), ["constant", "sub"]],
    ["x / 1", (s, a) => s.one("div", [a, s.number(1)]), []],
    ["x * 0 stays: NaN * 0 is NaN", (s, a) => s.one("mul", [a, s.number(0)]), ["constant", "mul"]],
    ["max(x, x)", (s, a) => s.one("max", [a, a]), []],
    ["where(c, x, x)", (s, a, b) => s.one("where", [s.one("lt", [a, b]), b, b]), []],
    ["a whole slice", (s, a) => s.one("slice", [a], { axis: "T", from: Size.zero, to: Size.of("T") }), []],
    ["the order it has", (s, a) => s.one("order", [a], { axes: ["T", "D"] }), []],
    [
      "an order of an order",
      (s, a) => s.one("order", [s.one("order", [a], { axes: ["D", "T"] })], { axes: ["T", "D"] }),
      [],
    ],
    [
      "a rename and back",
      (s, a) => s.one("rename", [s.one("rename", [a], { from: "T", to: "S" })], { from: "S", to: "T" }),
      [],
    ],
    ["a shift by nothing", (s, a) => s.one("shift", [a], { axis: "T", by: 0, fill: 0 }), []],
    ["a cast to what it is", (s, a) => s.one("cast", [a], { to: "f32" }), []],
  ])("%s", (_, build, left) => {
    expect(opsAfter(chain(row, build), ["canonicalize", "drop-unused"])).toEqual(left);
  });

  it("keeps a neutral element that gives the value its axes", () => {
    const program = programOf([tensor([D])], (scope, [a]) => {
      const values = Array.from({ length: 2 }, () => 1);
      const ones = scope.one("constant", [], { values, axes: [{ ...axis("P", 2) }], dtype: "f32" });
      return [scope.one("mul", [a!, ones])];
    });
    expect(opsAfter(program, ["canonicalize", "drop-unused"])).toEqual(["constant", "mul"]);
  });
});

describe("algebra", () => {
  it.each<[string, (scope: RegionBuilder, a: Value, b: Value) => Value, readonly string[]]>([
    ["--x", (s, a) => s.one("neg", [s.one("neg", [a])]), []],
    ["|-x|", (s, a) => s.one("abs", [s.one("neg", [a])]), ["abs"]],
    ["a + -b", (s, a, b) => s.one("add", [a, s.one("neg", [b])]), ["sub"]],
    ["a - -b", (s, a, b) => s.one("sub", [a, s.one("neg", [b])]), ["add"]],
    ["1 / x", (s, a) => s.one("div", [s.number(1), a]), ["reciprocal"]],
    ["1 / sqrt(x)", (s, a) => s.one("div", [s.number(1), s.one("sqrt", [a])]), ["rsqrt"]],
    ["x / 4", (s, a) => s.one("div", [a, s.number(4)]), ["constant", "mul"]],
    ["x / 3 stays", (s, a) => s.one("div", [a, s.number(3)]), ["constant", "div"]],
    ["x / 0 stays", (s, a) => s.one("div", [a, s.number(0)]), ["constant", "div"]],
    ["x ^ 2", (s, a) => s.one("pow", [a, s.number(2)]), ["mul"]],
    ["where(!c, a, b)", (s, a, b) => s.one("where", [s.one("not", [s.one("lt", [a, b])]), a, b]), ["lt", "where"]],
    ["!(a < b) of floats stays", (s, a, b) => s.one("not", [s.one("lt", [a, b])]), ["lt", "not"]],
    ["a / sqrt(b) stays: it would round twice", (s, a, b) => s.one("div", [a, s.one("sqrt", [b])]), ["sqrt", "div"]],
  ])("%s", (_, build, left) => {
    expect(opsAfter(chain(row, build), ["algebra", "drop-unused"])).toEqual(left);
  });
  it("!(a < b) of integers", () => {
    const program = chain(scalarInt, (s, a, b) => s.one("not", [s.one("lt", [a, b])]));
    expect(opsAfter(program, ["algebra", "drop-unused"])).toEqual(["ge"]);
  });
});

describe("rounded-algebra", () => {
  it.each<[string, (scope: RegionBuilder, a: Value, b: Value) => Value, readonly string[]]>([
    ["a / sqrt(b)", (s, a, b) => s.one("div", [a, s.one("sqrt", [b])]), ["rsqrt", "mul"]],
    ["x / 3", (s, a) => s.one("div", [a, s.number(3)]), ["constant", "mul"]],
    ["(x * 2) * 3", (s, a) => s.one("mul", [s.one("mul", [a, s.number(2)]), s.number(3)]), ["constant", "mul"]],
    ["x * sigmoid(x)", (s, a) => s.one("mul", [a, s.one("sigmoid", [a])]), ["silu"]],
  ])("%s", (_, build, left) => {
    const program = chain(row, build);
    expect(opsAfter(program, ["rounded-algebra", "drop-unused"])).toEqual(left);
  });
  it("runs only when asked for", () => {
    const program = chain(row, (s, a) => s.one("mul", [a, s.one("sigmoid", [a])]));
    const ops = (each: Program): readonly string[] => each.entries[0]!.body.nodes.map(({ op }) => op);
    expect(ops(optimize(program))).toEqual(["sigmoid", "mul"]);
    expect(ops(optimize(program, { also: ["rounded-algebra"] }))).toEqual(["silu"]);
  });
});

describe("fold-constants", () => {
  it("before and after", () => {
    const program = programOf([row], (scope, [a]) => {
      const half = scope.one("div", [scope.number(1), scope.one("sqrt", [scope.number(4)])]);
      const values = [1, 2, 3, 4, 5, 6];
      const table = scope.one("constant", [], { values, axes: [{ ...D }], dtype: "f32" });
      const mean = scope.one("reduce", [scope.one("mul", [table, half])], { kind: "mean", over: ["D"] });
      const size = scope.one("cast", [scope.one("size", [], { value: Size.of(6) })], { to: "f32" });
      const unknown = scope.one("cast", [scope.one("size", [], { value: Size.of("T") })], { to: "f32" });
      return [scope.one("mul", [scope.one("mul", [scope.one("mul", [a!, mean]), size]), unknown])];
    });
    expect(beforeAndAfter(program, ["fold-constants", "drop-unused"])).toMatchSnapshot();
  });
  it("leaves what is large, and what is not a number", () => {
    const large = programOf([], (scope) => {
      const one = scope.one("constant", [], {
        values: Array.from({ length: 100 }, (_, i) => i),
        axes: [{ ...axis("N", 100) }],
        dtype: "f32",
      });
      return [scope.one("neg", [one])];
    });
    expect(opsAfter(large, ["fold-constants"])).toEqual(["constant", "neg"]);
    const root = programOf([], (scope) => [scope.one("sqrt", [scope.number(-1)])]);
    expect(opsAfter(root, ["fold-constants"])).toEqual(["constant", "sqrt"]);
  });
});

describe("share", () => {
  it("before and after", () => {
    const program = programOf([row, row], (scope, [a, b]) => {
      const twice = [0, 1].map(() => scope.one("exp", [scope.one("add", [a!, b!])]));
      const body = (): Value =>
        scope.add(
          "fold",
          [a!],
          { from: Size.zero, to: Size.of("T"), carried: 1 },
          {
            regions: [scope.region([{ type: scalarInt }, { type: row }], (inner, [, x]) => [inner.one("sin", [x!])])],
          },
        )[0]!;
      return [scope.one("add", [twice[0]!, twice[1]!]), scope.one("mul", [body(), body()])];
    });
    expect(beforeAndAfter(program, ["share"])).toMatchSnapshot();
  });
  it("keeps reads and writes of states apart", () => {
    const state: Program["states"][number] = {
      path: "load",
      kind: "fixed",
      dtype: "f32",
      axes: [],
      layerAxes: 0,
      init: 0,
    };
    const shell = programOf([], () => []);
    const node = (
      op: string,
      operands: readonly number[],
      id: number,
    ): Program["entries"][number]["body"]["nodes"][number] => ({
      op,
      operands,
      attrs: op === "add" ? {} : { state: "load" },
      regions: [],
      results: [{ id, type: tensor([]) }],
    });
    const nodes = [
      node("state_read", [], 0),
      node("add", [0, 0], 1),
      node("state_write", [1], 2),
      node("state_read", [], 3),
    ];
    const entry = { ...shell.entries[0]!, outputs: ["out0"], body: { params: [], nodes, results: [3] } };
    const program: Program = { ...shell, states: [state], entries: [entry] };
    expect(verify(program)).toEqual([]);
    expect(optimize(program).entries[0]!.body.nodes.map(({ op }) => op)).toEqual([
      "state_read",
      "add",
      "state_write",
      "state_read",
    ]);
  });
});

const stackAttrs = (carried: number, stacked: number): Attrs => ({
  name: "layers",
  layers: Size.of(2),
  carried,
  stacked,
});

describe("tidy-regions", () => {
  it("before and after", () => {
    const L = axis("L", 2);
    const program = programOf([row, row, tensor([D]), tensor([L, D])], (scope, [a, b, g, w]) => {
      const two = scope.number(2);
      const body = scope.region(
        [row, row, tensor([D]), tensor([D]), tensor([D]), tensor([D]), tensor([]), row].map((type) => ({ type })),
        (inner, [x, same, own, , g1, g2, factor]) => {
          const y = inner.one("mul", [inner.one("add", [x!, same!]), inner.one("mul", [g1!, g2!])]);
          return [inner.one("mul", [inner.one("add", [y, own!]), factor!]), same!];
        },
      );
      return scope.add("stack", [a!, b!, w!, w!, g!, g!, two, b!], stackAttrs(2, 2), { regions: [body] });
    });
    expect(beforeAndAfter(program, ["tidy-regions", "drop-unused"])).toMatchSnapshot();
  });
  it("a loop that changes nothing is gone", () => {
    const program = programOf([row], (scope, [a]) => {
      const body = scope.region([{ type: row }], (_, [x]) => [x!]);
      return scope.add("stack", [a!], stackAttrs(1, 0), { regions: [body] });
    });
    expect(opsAfter(program, ["tidy-regions"])).toEqual([]);
  });
});

describe("hoist", () => {
  it("before and after: out of an expert, out of a layer", () => {
    const E = axis("E", 3);
    const types = [row, tensor([E]), tensor([E, D]), tensor([D])];
    const program = programOf(types, (scope, [a, s, w, g]) => {
      const layer = scope.region(
        types.map((type) => ({ type })),
        (inner, [x, scores, weight, gain]) => {
          const rows = inner.one("mul", [inner.one("reduce", [x!], { kind: "sum", over: ["D"] }), scores!]);
          const attrs = {
            choice: "top",
            k: Size.one,
            experts: "E",
            hasBy: false,
            hasWhere: false,
            renormalize: false,
            epsilon: 0,
          };
          const routes = inner.one("route", [rows], attrs);
          const body = inner.region(
            [tensor([D]), tensor([D]), tensor([D])].map((type) => ({ type })),
            (expert, [token, own, captured]) => [
              expert.one("mul", [expert.one("mul", [token!, own!]), expert.one("exp", [captured!])]),
            ],
          );
          const mixture = { banks: [{ experts: Size.of(3), params: 1 }], captures: 1, weigh: "output" };
          return [inner.one("mixture", [x!, routes, weight!, gain!], mixture, { regions: [body] })];
        },
      );
      return scope.add("stack", [a!, s!, w!, g!], stackAttrs(1, 0), { regions: [layer] });
    });
    expect(beforeAndAfter(program, ["hoist", "drop-unused"])).toMatchSnapshot();
  });
  it("leaves cheap work where it is", () => {
    const program = programOf([row, row], (scope, [a, b]) => {
      const body = scope.region([{ type: row }, { type: row }], (inner, [x, c]) => [
        inner.one("mul", [x!, inner.one("add", [c!, c!])]),
      ]);
      return scope.add("stack", [a!, b!], stackAttrs(1, 0), { regions: [body] });
    });
    expect(opsAfter(program, ["hoist"])).toEqual(["stack"]);
  });
});

describe("sink-slices", () => {
  const last = (scope: RegionBuilder, value: Value): Value =>
    scope.one("slice", [value], { axis: "T", from: Size.of("T").minus(Size.one), to: Size.of("T") });
  it.each<[string, (scope: RegionBuilder, a: Value, b: Value) => Value, readonly string[]]>([
    ["elementwise", (s, a, b) => s.one("add", [s.one("exp", [a]), b]), ["slice", "exp", "slice", "add"]],
    [
      "a reduction over another axis",
      (s, a) => s.one("reduce", [a], { kind: "sum", over: ["D"] }),
      ["slice", "reduce"],
    ],
    ["softmax over another axis", (s, a) => s.one("softmax", [a], { over: "D" }), ["slice", "softmax"]],
    ["softmax along the axis stops it", (s, a) => s.one("softmax", [a], { over: "T" }), ["softmax", "slice"]],
    [
      "cumsum along the axis stops it",
      (s, a) => s.one("cumsum", [a], { over: "T", exclusive: false, reverse: false }),
      ["cumsum", "slice"],
    ],
    ["shift along the axis stops it", (s, a) => s.one("shift", [a], { axis: "T", by: 1, fill: 0 }), ["shift", "slice"]],
    ["concat along another axis", (s, a, b) => s.one("concat", [a, b], { axis: "D" }), ["slice", "slice", "concat"]],
    ["positions", (s) => s.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of("past") }), ["index"]],
    ["top", (s, a) => s.add("top", [a], { over: "D", k: Size.of(2), as: "K" })[0]!, ["slice", "top"]],
    [
      "a batch axis of a contraction",
      (s, a, b) => s.one("contract", [a, b], { over: ["D"] }),
      ["slice", "slice", "contract"],
    ],
  ])("%s", (_, build, left) => {
    const program = programOf([row, row], (scope, [a, b]) => [last(scope, build(scope, a!, b!))]);
    expect(opsAfter(program, ["sink-slices", "drop-unused"])).toEqual(left);
  });

  it("goes through routing and a mixture, but not through expert choice", () => {
    const E = axis("E", 3);
    const build = (choice: string): Program =>
      programOf([row, tensor([T, E]), tensor([E, D])], (scope, [x, s, w]) => {
        const attrs = {
          choice,
          k: Size.one,
          experts: "E",
          hasBy: false,
          hasWhere: false,
          renormalize: false,
          epsilon: 0,
        };
        const routes = scope.one("route", [s!], attrs);
        const body = scope.region([{ type: tensor([D]) }, { type: tensor([D]) }], (inner, [t, p]) => [
          inner.one("mul", [t!, p!]),
        ]);
        const mixture = { banks: [{ experts: Size.of(3), params: 1 }], captures: 0, weigh: "output" };
        return [last(scope, scope.one("mixture", [x!, routes, w!], mixture, { regions: [body] }))];
      });
    expect(opsAfter(build("top"), ["sink-slices", "drop-unused"])).toEqual(["slice", "slice", "route", "mixture"]);
    expect(opsAfter(build("experts"), ["sink-slices", "drop-unused"])).toEqual(["route", "mixture", "slice"]);
  });

  it("leaves slices of axes of known size, which say what is computed", () => {
    const program = programOf([row], (scope, [a]) => [
      scope.one("slice", [scope.one("exp", [a!])], { axis: "D", from: Size.zero, to: Size.of(3) }),
    ]);
    expect(opsAfter(program, ["sink-slices"])).toEqual(["exp", "slice"]);
  });
});

describe("fold-rows", () => {
  /** A fold over x [T, D] that carries its entries' sums and `rows`, as `next` has them in a turn. */
  const kept = (
    next: (scope: RegionBuilder, rows: Value, row: Value, here: Value, turn: Value) => Value,
    { from = Size.zero, to = Size.of("T"), place = 0 } = {},
  ): Program =>
    programOf([row, row, tensor([D])], (scope, [x, list, start]) => {
      const params = [{ type: scalarInt }, { type: tensor([D]) }, { type: row }, { type: row }];
      const body = scope.region(params, (inner, [turn, sum, rows, all]) => {
        const own = inner.one("add", [sum!, inner.one("gather", [all!, turn!], { axis: "T" })]);
        const index = inner.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of(place) });
        return [own, next(inner, rows!, own, inner.one("eq", [index, turn!]), turn!)];
      });
      return scope.add("fold", [start!, list!, x!], { from, to, carried: 2 }, { regions: [body] });
    });
  const chosen = (scope: RegionBuilder, rows: Value, own: Value, here: Value): Value =>
    scope.one("order", [scope.one("where", [here, own, rows])], { axes: ["T", "D"] });

  /** `index(T) != t` */
  const elsewhere = (scope: RegionBuilder, turn: Value): Value =>
    scope.one("ne", [scope.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.zero }), turn]);

  it("before and after", () => {
    expect(beforeAndAfter(kept(chosen), ["fold-rows"])).toMatchSnapshot();
    const added = kept((s, rows, own, here) => s.one("add", [rows, s.one("where", [here, own, s.number(0)])]));
    expect(beforeAndAfter(added, ["fold-rows"])).toMatchSnapshot();
    const ending = kept((s, rows, own, here, turn) =>
      s.one("where", [
        s.one("gt", [turn, s.one("constant", [], { value: 3, dtype: "i32" })]),
        rows,
        chosen(s, rows, own, here),
      ]),
    );
    expect(beforeAndAfter(ending, ["fold-rows"])).toMatchSnapshot();
    const integers = kept((s, rows, _, here, turn) => {
      const zero = s.one("constant", [], { value: 0, dtype: "i32" });
      return s.one("add", [rows, s.one("cast", [s.one("where", [here, turn, zero])], { to: "f32" })]);
    });
    expect(beforeAndAfter(integers, ["fold-rows"])).toMatchSnapshot();
    const exchanged = kept((s, rows, own, _, turn) => s.one("where", [elsewhere(s, turn), rows, own]));
    expect(beforeAndAfter(exchanged, ["fold-rows"])).toMatchSnapshot();
  });

  it.each<[string, Program]>([
    ["a part of the axis", kept(chosen, { from: Size.one })],
    ["another number of turns", kept(chosen, { to: Size.of("T").minus(Size.one) })],
    ["another row", kept(chosen, { place: 1 })],
    [
      "a row that reads the others",
      kept((s, rows, own, here) =>
        chosen(s, rows, s.one("add", [own, s.one("reduce", [rows], { kind: "sum", over: ["T"] })]), here),
      ),
    ],
    [
      "a number added to the other rows",
      kept((s, rows, own, here) => s.one("add", [rows, s.one("where", [here, own, s.number(1)])])),
    ],
    [
      "the other way around",
      kept((s, rows, own, here) => s.one("order", [s.one("where", [here, rows, own])], { axes: ["T", "D"] })),
    ],
    [
      "every row but one",
      kept((s, rows, own, _, turn) =>
        s.one("order", [s.one("where", [elsewhere(s, turn), own, rows])], { axes: ["T", "D"] }),
      ),
    ],
    [
      "an integer added to the other rows",
      kept((s, rows, _, here, turn) => {
        const one = s.one("constant", [], { value: 1, dtype: "i32" });
        return s.one("add", [rows, s.one("cast", [s.one("where", [here, turn, one])], { to: "f32" })]);
      }),
    ],
  ])("%s stays", (_, program) => {
    const fold = optimize(program, { passes: ["fold-rows"], verify: true }).entries[0]!.body.nodes.at(-1)!;
    expect([fold.op, fold.attrs["carried"], fold.attrs["rows"]]).toEqual(["fold", 2, undefined]);
  });
});

describe("unroll-folds", () => {
  it.each([0, 1, 3])("joins the rows of %s turns", (turns) => {
    const program = programOf([row], (scope, [a]) => {
      const body = scope.region([{ type: scalarInt }, { type: row }], (inner, [turn, x]) => {
        const next = inner.one("add", [x!, inner.one("cast", [turn!], { to: "f32" })]);
        return [next, inner.one("reduce", [next], { kind: "sum", over: ["T"] })];
      });
      const attrs = { from: Size.zero, to: Size.of(turns), carried: 1, rows: "R" };
      return scope.add("fold", [a!], attrs, { regions: [body] });
    });
    expect(beforeAndAfter(program, ["unroll-folds"])).toMatchSnapshot();
  });

  it("before and after", () => {
    const program = programOf([row, row], (scope, [a, b]) => {
      const body = scope.region([{ type: scalarInt }, { type: row }, { type: row }], (inner, [turn, x, c]) => [
        inner.one("add", [inner.one("mul", [x!, inner.one("cast", [turn!], { to: "f32" })]), c!]),
      ]);
      return scope.add("fold", [a!, b!], { from: Size.one, to: Size.of(3), carried: 1 }, { regions: [body] });
    });
    expect(beforeAndAfter(program, ["unroll-folds"])).toMatchSnapshot();
  });
  it.each<[string, Size, readonly string[]]>([
    ["no turn", Size.zero, []],
    ["too many turns", Size.of(1000), ["fold"]],
    ["turns known at run time", Size.of("T"), ["fold"]],
  ])("%s", (_, to, left) => {
    const program = programOf([row], (scope, [a]) => {
      const body = scope.region([{ type: scalarInt }, { type: row }], (inner, [, x]) => [inner.one("exp", [x!])]);
      return scope.add("fold", [a!], { from: Size.zero, to, carried: 1 }, { regions: [body] });
    });
    expect(opsAfter(program, ["unroll-folds", "drop-unused"])).toEqual(left);
  });
});

describe("drop-unused", () => {
  it("drops what nobody uses, inside regions too", () => {
    const program = programOf([row], (scope, [a]) => {
      scope.one("exp", [a!]);
      const body = scope.region([{ type: scalarInt }, { type: row }], (inner, [, x]) => {
        inner.one("sin", [x!]);
        return [inner.one("neg", [x!])];
      });
      return scope.add("fold", [a!], { from: Size.zero, to: Size.of("T"), carried: 1 }, { regions: [body] });
    });
    expect(beforeAndAfter(program, ["drop-unused"])).toMatchSnapshot();
  });
});

describe("the table of passes", () => {
  const pass = (name: string, order: Partial<Pass> = {}): Pass => ({
    name,
    doc: "",
    run: (program) => program,
    ...order,
  });
  it("keeps its own orders", () => {
    expect(orderProblems(passes)).toEqual([]);
  });
  it("names what is out of order", () => {
    expect(orderProblems([pass("a", { after: [{ pass: "b", reason: "of c" }] }), pass("b")])).toEqual([
      "b must run before a: of c",
    ]);
    expect(orderProblems([pass("a", { before: [{ pass: "x", reason: "" }] })])).toEqual([
      "x is no pass, but a must run before x",
    ]);
    expect(orderProblems([pass("a"), pass("a")])).toEqual(["a is there twice"]);
  });
  it("refuses a name that is not in it", () => {
    const program = programOf([row], (_, [a]) => [a!]);
    expect(() => optimize(program, { passes: ["cse"] })).toThrow(/there is no pass `cse`/);
    expect(() => optimize(program, { also: ["fast"] })).toThrow(expect.objectContaining({ code: "MOE3101" }));
  });
});
