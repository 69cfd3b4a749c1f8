/** Every op exported to ONNX: ONNX Runtime against the reference on several numbers of tokens, none and one among them. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { evaluate, GraphBuilder, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { onnxGraph } from "../../compiler/5-emit/onnx/index.js";
import { opNames, type OpName } from "../../compiler/ops/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { Attrs, Axis, DType, ReferenceTensor, ReferenceValue, TensorType } from "../../compiler/ops/types.js";
import { hasOnnxRuntime, onnxSession } from "../support/onnx.js";

const axis = (name: string, size: number | string): Axis => ({ name, size: Size.of(size) });
const T = axis("T", "T");
const D = axis("D", 6);
const E = axis("E", 4);
const S = axis("S", "T");
const tensor = (dtype: DType, ...axes: Axis[]): TensorType => ({ kind: "tensor", dtype, axes });

/** x, y f32 [T, D]; p f32 [T, E]; n, m i32 [T, D]; ids i32 [T]; w f32 [E, D]; v f32 [D]; b bool [T, D]; s f32 [S, D]. */
const inputs = {
  x: tensor("f32", T, D),
  y: tensor("f32", T, D),
  p: tensor("f32", T, E),
  n: tensor("i32", T, D),
  m: tensor("i32", D, T),
  ids: tensor("i32", T),
  w: tensor("f32", E, D),
  v: tensor("f32", D),
  b: tensor("bool", T, D),
  s: tensor("f32", S, D),
} as const;
type Given = Readonly<Record<keyof typeof inputs, Value>>;
type Case = (scope: RegionBuilder, given: Given) => readonly Value[];

/** An axis as an attribute of an op. */
const plain = ({ name, size: count }: Axis) => ({ name, size: count });
const size = (value: number | string): Size => Size.of(value);
const f32s =
  (op: OpName): Case =>
  (scope, { x, v }) => [scope.one(op, [x]), scope.one(op, [v])];
const pairs = (op: OpName): Case => (scope, { x, v, n, m }) => [scope.one(op, [x, v]), scope.one(op, [n, m])]; // prettier-ignore
const along = (op: OpName, attrs: Attrs = {}): Case => (scope, { x }) => [ scope.one(op, [x], { over: "D", ...attrs })]; // prettier-ignore
const routed = (scope: RegionBuilder, p: Value, attrs: Attrs = {}): Value =>
  scope.one("route", [p], {
    ...{ choice: "top", k: size(2), experts: "E", hasBy: false, hasWhere: false, renormalize: true, epsilon: 1e-6 },
    ...attrs,
  });
const positive = (scope: RegionBuilder, x: Value): Value =>
  scope.one("add", [scope.one("abs", [x]), scope.number(0.1)]);
const banked = (scope: RegionBuilder, op: "mixture" | "dispatch", given: Given, attrs: Attrs): Value => {
  const { x, p, w, v } = given;
  const body = scope.graph.region(
    [{ type: tensor("f32", D) }, { type: tensor("f32", D) }, { type: tensor("f32", D) }],
    (inner, [token, own, captured]) => [
      inner.one("add", [inner.one("silu", [inner.one("mul", [token!, own!])]), captured!]),
    ],
  );
  const all = { banks: [{ experts: size(4), params: 1 }], captures: 1, weigh: "output", ...attrs };
  return scope.add(op, [x, routed(scope, p), w, v], all, { regions: [body] })[0]!;
};
const attended = (scope: RegionBuilder, { x, s, p }: Given, attrs: Attrs, sinks: boolean): Value => {
  const position = { type: tensor("i32") };
  const mask = scope.graph.region([position, position], (inner, [q, k]) => [inner.one("ge", [q!, k!])]);
  const key = scope.one("rename", [s], { from: "S", to: "K" });
  const value = scope.one("rename", [key], { from: "D", to: "V" });
  const sink = sinks ? [scope.one("reduce", [p], { kind: "max", over: ["E"] })] : [];
  const all = {
    ...{ queryAxis: "T", keyAxis: "K", contracted: "D", valueAxis: "V", scale: 0.4, queryOffset: Size.zero },
    ...{ hasMask: true, hasSinks: sinks, hasKeep: false, ...attrs },
  };
  const regions = all.hasMask ? [mask] : [];
  return scope.add("attend", [x, key, value, ...sink], all, { regions })[0]!;
};

const cases = {
  ...Object.fromEntries(
    (["exp", "sin", "cos", "tanh", "sigmoid", "silu", "gelu", "gelu_tanh", "erf", "relu", "softplus"] as const).map(
      (op) => [op, f32s(op)],
    ),
  ),
  ...Object.fromEntries((["floor", "ceil", "round", "is_nan", "reciprocal"] as const).map((op) => [op, f32s(op)])),
  ...Object.fromEntries(
    (["log", "sqrt", "rsqrt"] as const).map((op): [string, Case] => [
      op,
      (scope, { x }) => [scope.one(op, [positive(scope, x)])],
    ]),
  ),
  ...Object.fromEntries(
    (["neg", "abs", "sign"] as const).map((op): [string, Case] => [
      op,
      (scope, { x, n }) => [scope.one(op, [x]), scope.one(op, [n])],
    ]),
  ),
  ...Object.fromEntries(
    (["add", "sub", "mul", "div", "mod", "min", "max", "eq", "ne", "lt", "le", "gt", "ge"] as const).map((op) => [
      op,
      pairs(op),
    ]),
  ),
  pow: (scope, { x, v }) => [scope.one("pow", [positive(scope, x), v])],
  not: (scope, { b }) => [scope.one("not", [b])],
  and: (scope, { b, x, v }) => [scope.one("and", [b, scope.one("lt", [x, v])])],
  or: (scope, { b, x, v }) => [scope.one("or", [b, scope.one("lt", [x, v])])],
  where: (scope, { b, x, v, n, m }) => [scope.one("where", [b, x, v]), scope.one("where", [b, n, m])],
  cast: (scope, { x, n, b }) => [
    scope.one("cast", [scope.one("mul", [x, scope.number(4e9)])], { to: "i32" }),
    scope.one("cast", [n], { to: "f32" }),
    scope.one("cast", [b], { to: "i32" }),
    scope.one("cast", [x], { to: "bool" }),
  ],
  rename: (scope, { x }) => [scope.one("rename", [x], { from: "D", to: "Q" })],
  split: (scope, { x }) => [scope.one("split", [x], { axis: "D", into: [plain(axis("A", 2)), plain(axis("B", 3))] })],
  merge: (scope, { x }) => [scope.one("merge", [x], { axes: ["D", "T"], into: "Q" })],
  order: (scope, { x }) => [scope.one("order", [x], { axes: ["D", "T"] })],
  expand: (scope, { x, v }) => [
    scope.one("expand", [x], { axis: "Q", size: size(3) }),
    scope.one("expand", [v], { axis: "T", size: size("T") }),
  ],
  slice: (scope, { x }) => [scope.one("slice", [x], { axis: "D", from: size(1), to: size(4) })],
  concat: (scope, { x, n, m }) => [
    scope.one("concat", [x, x], { axis: "D" }),
    scope.one("concat", [n, m], { axis: "T" }),
  ],
  shift: (scope, { x }) => [
    scope.one("shift", [x], { axis: "T", by: 2, fill: 0.5 }),
    scope.one("shift", [x], { axis: "D", by: -1, fill: 0 }),
  ],
  index: (scope) => [scope.one("index", [], { axis: "T", size: size("T"), offset: size(3) })],
  size: (scope) => [scope.one("size", [], { value: size("T").times(size(2)) })],
  gather: (scope, { w, ids, x }) => [
    scope.one("gather", [w, ids], { axis: "E" }),
    scope.one("gather", [x, ids], { axis: "D" }),
  ],
  scatter: (scope, { ids, x, n }) => [
    scope.one("scatter", [ids, x], { axis: "Q", size: size(4), mode: "add" }),
    scope.one("scatter", [ids, x], { axis: "Q", size: size(4), mode: "set" }),
    scope.one("scatter", [n, x], { axis: "Q", size: size(3), mode: "set" }),
  ],
  reduce: (scope, { x, n, b }) => [
    ...["sum", "mean", "prod"].map((kind) => scope.one("reduce", [x], { kind, over: ["T"] })),
    ...["max", "min"].map((kind) => scope.one("reduce", [x], { kind, over: ["D"] })),
    scope.one("reduce", [n], { kind: "sum", over: ["T", "D"] }),
    ...["any", "all"].map((kind) => scope.one("reduce", [b], { kind, over: ["D"] })),
  ],
  softmax: along("softmax"),
  log_softmax: along("log_softmax"),
  logsumexp: along("logsumexp"),
  cumsum: (scope, { x }) => [
    scope.one("cumsum", [x], { over: "T", exclusive: false, reverse: false }),
    scope.one("cumsum", [x], { over: "D", exclusive: true, reverse: true }),
  ],
  argmax: along("argmax"),
  argmin: along("argmin"),
  top: (scope, { x, n }) => [
    ...scope.add("top", [x], { over: "D", k: size(3), as: "K" }),
    ...scope.add("top", [n], { over: "D", k: size(4), as: "K" }),
  ],
  sort: (scope, { x, n }) => [
    ...scope.add("sort", [x], { over: "D", descending: false }),
    ...scope.add("sort", [n], { over: "T", descending: true }),
  ],
  top_mask: along("top_mask", { k: size(2) }),
  contract: (scope, { x, y, w, s }) => [
    scope.one("contract", [x, w], { over: ["D"] }),
    scope.one("contract", [x, y], { over: ["T"] }),
    scope.one("contract", [x, y], { over: ["D", "T"] }),
    scope.one("contract", [x, s], { over: ["D"] }),
    scope.one("contract", [x, w], { over: [] }),
  ],
  route: (scope, { p, y }) => [
    routed(scope, p),
    routed(scope, p, { choice: "within", groups: size(2) }),
    routed(scope, p, { choice: "everyone", renormalize: false }),
    routed(scope, p, {
      ...{ choice: "where", hasWhere: false },
      ...{ choice: "top", k: size(1) },
    }),
    scope.one("route", [p, scope.one("gt", [p, scope.number(0)])], {
      ...{ choice: "where", k: size(3), experts: "E", hasBy: false, hasWhere: true, renormalize: false, epsilon: 0 },
    }),
    scope.one("route", [scope.one("cast", [scope.one("reduce", [y], { kind: "max", over: ["D"] })], { to: "i32" })], {
      ...{ choice: "only", size: size(3), experts: "E", hasBy: false, hasWhere: false, renormalize: false, epsilon: 0 },
    }),
  ],
  routes_dense: (scope, { p }) => [scope.one("routes_dense", [routed(scope, p)])],
  routes_index: (scope, { p }) => [scope.one("routes_index", [routed(scope, p)], { axis: "K" })],
  routes_weight: (scope, { p }) => [scope.one("routes_weight", [routed(scope, p)], { axis: "K" })],
  routes_scale: (scope, { p }) => [
    scope.one("routes_scale", [routed(scope, p), scope.one("reduce", [p], { kind: "sum", over: ["T"] })]),
    scope.one("routes_scale", [routed(scope, p), scope.number(2)]),
  ],
  routes_make: (scope, { n, x }) => [scope.one("routes_make", [n, x], { experts: plain(E) })],
  routes_count: (scope, { p }) => [scope.one("routes_count", [routed(scope, p)])],
  routes_limit: (scope, { p }) => [
    scope.one("routes_limit", [routed(scope, p)], { capacity: size(2), overflow: "drop" }),
  ],
  mixture: (scope, given) => [banked(scope, "mixture", given, {}), banked(scope, "mixture", given, { weigh: "input" })],
  dispatch: (scope, given) => [banked(scope, "dispatch", given, { slotAxis: "K" })],
  combine: (scope, given) => {
    const values = banked(scope, "dispatch", given, { slotAxis: "K" });
    const routes = routed(scope, given.p);
    return ["sum", "mean", "product", "concat"].map((rule) =>
      scope.one("combine", [values, routes], { rule, slotAxis: "K", axis: "D" }),
    );
  },
  attend: (scope, given) => [
    attended(scope, given, {}, false),
    attended(scope, given, { hasMask: false }, false),
    attended(scope, given, {}, true),
  ],
  stack: (scope, { x, w }) => {
    const body = scope.graph.region([{ type: tensor("f32", T, D) }, { type: tensor("f32", D) }], (inner, [h, own]) => {
      const number = inner.one("cast", [inner.one("layer_index", [], { stack: "layers" })], { to: "f32" });
      return [inner.one("add", [inner.one("mul", [h!, own!]), number])];
    });
    const attrs = { name: "layers", layers: size(4), carried: 1, stacked: 1 };
    return scope.add("stack", [x, w], attrs, { regions: [body] });
  },
  fold: (scope, { x, v }) => {
    const body = scope.graph.region(
      [{ type: tensor("i32") }, { type: tensor("f32", T, D) }, { type: tensor("f32", D) }],
      (inner, [turn, carried, own]) => [
        inner.one("add", [inner.one("mul", [carried!, own!]), inner.one("cast", [turn!], { to: "f32" })]),
      ],
    );
    const rowsToo = scope.graph.region(
      [{ type: tensor("i32") }, { type: tensor("f32", T, D) }, { type: tensor("f32", D) }],
      (inner, [turn, carried, own]) => {
        const next = inner.one("mul", [carried!, own!]);
        return [
          next,
          inner.one("reduce", [next], { kind: "sum", over: ["T"] }),
          inner.one("cast", [turn!], { to: "f32" }),
        ];
      },
    );
    const turns = { from: size(1), to: size(4), carried: 1 };
    return [
      ...scope.add("fold", [x, v], turns, { regions: [body] }),
      ...scope.add("fold", [x, v], { ...turns, rows: "R" }, { regions: [rowsToo] }),
    ];
  },
  constant: (scope, { x }) => [
    scope.one("add", [x, scope.one("constant", [], { values: [1, 2, 3, 4, 5, 6], axes: [plain(D)], dtype: "f32" })]),
  ],
} as Readonly<Record<string, Case>>;

/** These need declarations, and the models of the other test have them; random numbers and several texts are refused. */
const elsewhere = ["param", "knob", "layer_index", "append", "state_read", "state_write", "random", "each_text"];

function programOf(make: Case): Program {
  const names = Object.keys(inputs) as (keyof typeof inputs)[];
  let outputs: readonly Value[] = [];
  const body = new GraphBuilder().region(
    names.map((name) => ({ type: inputs[name] })),
    (scope, params) => {
      const given = Object.fromEntries(names.map((name, index) => [name, params[index]!])) as Given;
      return (outputs = make(scope, given));
    },
  );
  const entry = { name: "forward", inputs: names, outputs: outputs.map((_, index) => `out${index}`), body };
  const empty = { params: [], states: [], knobs: [], weightNames: {}, settings: {} };
  return { name: "Case", ...empty, runtimeSizes: ["T", "past"], entries: [entry] };
}

function inputsOf(tokens: number, seed: number): Record<string, ReferenceTensor> {
  let at = seed;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, axes }]) => {
      const sizes = axes.map((each) => ({ name: each.name, size: each.size.evaluate({ T: tokens }) }));
      const count = sizes.reduce((product, each) => product * each.size, 1);
      const draw = (): number => Math.fround(2 * Math.sin(1.7 * at++ + 0.3));
      const value = { f32: draw, i32: () => Math.floor(draw() * 3), bool: () => Number(draw() > 0) }[dtype];
      return [name, makeTensor(dtype, sizes, Float64Array.from({ length: count }, value))];
    }),
  );
}

/** What a result is compared as: routes are two tensors. */
function parts(name: string, value: ReferenceValue): readonly (readonly [string, ArrayLike<number>])[] {
  if (value.kind === "tensor") return [[name, value.data]];
  return [
    [`${name}.index`, value.index],
    [`${name}.weight`, value.weight],
  ];
}

/**
 * Contractions have at most 31 * 6 products of size 4, other chains fewer than that many roundings of 2^-24; the
 * polynomials of exp, erf and tanh in ONNX Runtime are good to 4 ulp, and a gradient of at most 8 passes it on. Results
 * of exp and prod are compared relative to their size.
 */
const BOUND = 31 * 6 * 4 * 2 ** -24;

describe.skipIf(!hasOnnxRuntime)("ops in ONNX Runtime", () => {
  it("has a case for every op", () => {
    expect([...Object.keys(cases), ...elsewhere].sort()).toEqual([...opNames].sort());
  });

  it.each(Object.entries(cases))("%s", async (_, make) => {
    const program = programOf(make);
    const { run, release } = await onnxSession(onnxGraph(program, "forward", { read: () => new Float32Array() }));
    for (const tokens of [3, 1, 31, 0]) {
      const given = inputsOf(tokens, tokens * 7);
      const { outputs } = evaluate(program, "forward", { inputs: given });
      const found = await run(given);
      for (const [name, wanted] of Object.entries(outputs).flatMap(([key, value]) => parts(key, value))) {
        const data = found[name]!.data;
        expect(data.length, `${name}, ${tokens} tokens`).toBe(wanted.length);
        for (let i = 0; i < wanted.length; i++) {
          const [a, b] = [Number(data[i]), Number(wanted[i])];
          const close = Object.is(a, b) || a === b || Math.abs(a - b) <= BOUND * Math.max(1, Math.abs(b));
          if (!close) expect.fail(`${name}[${i}] with ${tokens} tokens is ${a}, not ${b}`);
        }
      }
    }
    await release();
  });
});
