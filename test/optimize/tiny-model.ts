/** A small mixture-of-experts decoder, built by hand as the language builds it: nothing shared, nothing hoisted. */
import { Size } from "../../compiler/axes/size.js";
import { GraphBuilder, declarationsOf, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { Axis, DType, ReferenceTensor, TensorType } from "../../compiler/ops/types.js";

export const axis = (name: string, size: number | string): Axis => ({ name, size: Size.of(size) });
export const tensor = (axes: readonly Axis[], dtype: DType = "f32"): TensorType => ({ kind: "tensor", dtype, axes });

const T = axis("T", "T");
const V = axis("V", 11);
const L = axis("L", 2);
const D = axis("D", 8);
const G = axis("G", 2);
const R = axis("R", 2);
const C = axis("C", 4);
const E = axis("E", 4);
const F = axis("F", 5);

const params: readonly (readonly [path: string, axes: readonly Axis[], layers: number])[] = [
  ["tok", [V, D], 0],
  ["layers.norm1", [L, D], 1],
  ["layers.q", [L, D, G, R, C], 1],
  ["layers.k", [L, D, G, C], 1],
  ["layers.v", [L, D, G, C], 1],
  ["layers.o", [L, G, R, C, D], 1],
  ["layers.norm2", [L, D], 1],
  ["layers.router", [L, D, E], 1],
  ["layers.gate", [L, E, D, F], 1],
  ["layers.up", [L, E, D, F], 1],
  ["layers.down", [L, E, F, D], 1],
  ["norm", [D], 0],
];

/** `x * rsqrt(mean(x * x) + 1e-5) * gain`, with the axis named over. */
function rmsNorm(scope: RegionBuilder, x: Value, gain: Value): Value {
  const mean = scope.one("reduce", [scope.one("mul", [x, x])], { kind: "mean", over: ["D"] });
  const root = scope.one("rsqrt", [scope.one("add", [mean, scope.number(1e-5)])]);
  return scope.one("mul", [scope.one("mul", [x, root]), gain]);
}

/** Rotary positions (arXiv:2104.09864) on the halves of C. */
function rope(scope: RegionBuilder, x: Value): Value {
  const half = Size.of(2);
  const position = scope.one(
    "cast",
    [scope.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of("past") })],
    { to: "f32" },
  );
  const pair = scope.one("cast", [scope.one("index", [], { axis: "P", size: half, offset: Size.zero })], { to: "f32" });
  const frequency = scope.one("pow", [
    scope.number(10000),
    scope.one("div", [scope.one("neg", [pair]), scope.number(2)]),
  ]);
  const angle = scope.one("mul", [position, frequency]);
  const cos = scope.one("cos", [angle]);
  const sin = scope.one("sin", [angle]);
  const halves = scope.one("split", [x], {
    axis: "C",
    into: [
      { name: "H", size: half },
      { name: "P", size: half },
    ],
  });
  const part = (from: number): Value =>
    scope.one("slice", [halves], { axis: "H", from: Size.of(from), to: Size.of(from + 1) });
  const [a, b] = [part(0), part(1)];
  const first = scope.one("sub", [scope.one("mul", [a, cos]), scope.one("mul", [b, sin])]);
  const second = scope.one("add", [scope.one("mul", [b, cos]), scope.one("mul", [a, sin])]);
  const both = scope.one("concat", [first, second], { axis: "H" });
  return scope.one("merge", [both], { axes: ["H", "P"], into: "C" });
}

const position = { type: tensor([], "i32") };

function attention(scope: RegionBuilder, x: Value, [wq, wk, wv, wo]: readonly Value[]): Value {
  const project = (w: Value): Value => scope.one("contract", [x, w], { over: ["D"] });
  const q = rope(scope, project(wq!));
  const k = scope.one("append", [rope(scope, project(wk!))], { state: "layers.keys", axis: "T", as: "S" });
  const v = scope.one("append", [project(wv!)], { state: "layers.values", axis: "T", as: "S" });
  const values = scope.one("rename", [v], { from: "C", to: "O" });
  const mask = scope.region([position, position], (inner, [query, key]) => [inner.one("le", [key!, query!])]);
  const attrs = {
    queryAxis: "T",
    keyAxis: "S",
    contracted: "C",
    valueAxis: "O",
    scale: 0.5,
    queryOffset: Size.of("past"),
    hasMask: true,
    hasSinks: false,
    hasKeep: false,
  };
  const mixed = scope.one("attend", [q, k, values], attrs, { regions: [mask] });
  return scope.one("contract", [scope.one("rename", [mixed], { from: "O", to: "C" }), wo!], { over: ["G", "R", "C"] });
}

function experts(scope: RegionBuilder, x: Value, [router, gate, up, down]: readonly Value[]): Value {
  const scores = scope.one("softmax", [scope.one("contract", [x, router!], { over: ["D"] })], { over: "E" });
  const attrs = {
    choice: "top",
    k: Size.of(2),
    experts: "E",
    hasBy: false,
    hasWhere: false,
    renormalize: true,
    epsilon: 0,
  };
  const routes = scope.one("route", [scores], attrs);
  const body = scope.region(
    [tensor([D]), tensor([D, F]), tensor([D, F]), tensor([F, D])].map((type) => ({ type })),
    (inner, [token, g, u, d]) => {
      const product = (w: Value): Value => inner.one("contract", [token!, w], { over: ["D"] });
      const hidden = inner.one("mul", [inner.one("silu", [product(g!)]), product(u!)]);
      return [inner.one("contract", [hidden, d!], { over: ["F"] })];
    },
  );
  const banks = [{ experts: Size.of(4), params: 3 }];
  return scope.one(
    "mixture",
    [x, routes, gate!, up!, down!],
    { banks, captures: 0, weigh: "output" },
    { regions: [body] },
  );
}

/** The program with entry `forward(tokens: i32[T]) -> logits f32[T, V]`. */
export function tinyModel(): Program {
  const cache = (path: string): Program["states"][number] => ({
    path,
    kind: "cache",
    dtype: "f32",
    axes: [L, T, G, C],
    layerAxes: 1,
    init: 0,
  });
  const shell: Program = {
    name: "Tiny",
    params: params.map(([path, axes, layerAxes]) => ({ path, dtype: "f32", axes, layerAxes })),
    states: [cache("layers.keys"), cache("layers.values")],
    knobs: [],
    runtimeSizes: ["T", "past"],
    entries: [],
    weightNames: {},
    settings: {},
  };
  const graph = new GraphBuilder(declarationsOf(shell));
  const body = graph.region([{ type: tensor([T], "i32"), name: "tokens" }], (scope, [tokens]) => {
    const param = (path: string): Value => scope.one("param", [], { path }, { names: [path] });
    const table = param("tok");
    const x = scope.one("gather", [table, tokens!], { axis: "V" });
    const stacked = params.filter(([, , layers]) => layers === 1);
    const layer = scope.region(
      [{ type: tensor([T, D]) }, ...stacked.map(([, axes]) => ({ type: tensor(axes.slice(1)) }))],
      (inner, [h, norm1, q, k, v, o, norm2, router, gate, up, down]) => {
        const attended = inner.one("add", [h!, attention(inner, rmsNorm(inner, h!, norm1!), [q!, k!, v!, o!])]);
        const mixed = experts(inner, rmsNorm(inner, attended, norm2!), [router!, gate!, up!, down!]);
        return [inner.one("add", [attended, mixed])];
      },
    );
    const attrs = { name: "layers", layers: Size.of(2), carried: 1, stacked: stacked.length };
    const [y] = scope.add("stack", [x, ...stacked.map(([path]) => param(path))], attrs, { regions: [layer] });
    const head = scope.one("rename", [table], { from: "V", to: "W" });
    const logits = scope.one("contract", [rmsNorm(scope, y!, param("norm")), head], { over: ["D"] });
    return [scope.one("rename", [logits], { from: "W", to: "V" })];
  });
  return { ...shell, entries: [{ name: "forward", inputs: ["tokens"], outputs: ["logits"], body }] };
}

/** Numbers of a parameter, the same at each call: no two alike, of both signs. */
export function parameter(program: Program, path: string): ReferenceTensor {
  const declared = program.params.find((each) => each.path === path)!;
  const axes = declared.axes.map(({ name, size }) => ({ name, size: size.constant! }));
  const count = axes.reduce((product, each) => product * each.size, 1);
  let seed = [...path].reduce((sum, character) => (sum * 31 + character.codePointAt(0)!) >>> 0, 7);
  const data = Float64Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.fround(seed / 2 ** 32 - 0.5);
  });
  return makeTensor("f32", axes, data);
}

export const tokensOf = (ids: readonly number[]): ReferenceTensor =>
  makeTensor("i32", [{ name: "T", size: ids.length }], Float64Array.from(ids));
