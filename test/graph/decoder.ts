/** A small decoder with everything in it: embedding, two layers in a stack, caches, attention, a mixture, a head. */
import { Size } from "../../compiler/axes/size.js";
import { declarationsOf, GraphBuilder, type RegionBuilder } from "../../compiler/2-graph/index.js";
import type { ParamDecl, Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import { randomNumber } from "../../compiler/ops/random.js";
import { threefry } from "../../compiler/ops/threefry.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";

export interface DecoderSizes {
  readonly V: number;
  readonly L: number;
  readonly D: number;
  readonly H: number;
  readonly C: number;
  readonly F: number;
  readonly E: number;
  readonly K: number;
}
export const tiny: DecoderSizes = { V: 11, L: 2, D: 6, H: 2, C: 3, F: 5, E: 4, K: 2 };

/** A program with the entry `forward(tokens: i32[T]) -> logits: f32[T, V]`. */
export function decoder(sizes: DecoderSizes = tiny): Program {
  const axis = (name: keyof DecoderSizes) => ({ name, size: Size.of(sizes[name]) });
  const param = (path: string, layerAxes: number, ...axes: (keyof DecoderSizes)[]): ParamDecl => ({
    path,
    dtype: "f32",
    axes: axes.map(axis),
    layerAxes,
    ...(axes.length > 1 + layerAxes ? { contracted: axes.at(-1) === "D" && path !== "tok" ? axes.at(-2)! : "D" } : {}),
  });
  const params: readonly ParamDecl[] = [
    param("tok", 0, "V", "D"),
    param("layers.norm", 1, "L", "D"),
    param("layers.q", 1, "L", "D", "H", "C"),
    param("layers.k", 1, "L", "D", "H", "C"),
    param("layers.v", 1, "L", "D", "H", "C"),
    param("layers.o", 1, "L", "H", "C", "D"),
    param("layers.route", 1, "L", "D", "E"),
    param("layers.gate", 1, "L", "E", "D", "F"),
    param("layers.up", 1, "L", "E", "D", "F"),
    param("layers.down", 1, "L", "E", "F", "D"),
  ];
  const cache = (path: string): StateDecl => ({
    path,
    kind: "cache",
    dtype: "f32",
    axes: [axis("L"), { name: "T", size: Size.of("T") }, axis("H"), axis("C")],
    layerAxes: 1,
    init: 0,
  });
  const shell: Omit<Program, "entries"> = {
    name: "decoder",
    params,
    states: [cache("layers.keys"), cache("layers.values")],
    knobs: [],
    runtimeSizes: ["T"],
    weightNames: { gguf: { tok: { pattern: "token_embd.weight", axes: ["V", "D"] } } },
    settings: { context: 64 },
  };
  const graph = new GraphBuilder(declarationsOf(shell));
  const T = { name: "T", size: Size.of("T") };
  const tokens = { type: { kind: "tensor" as const, dtype: "i32" as const, axes: [T] }, name: "tokens" };
  const body = graph.region([tokens], (scope, [ids]) => {
    const [table, ...stacked] = params.map((decl) => scope.one("param", [], { path: decl.path }));
    const x = scope.one("gather", [table!, ids!], { axis: "V" });
    const operands = [x, ...stacked];
    const inner = scope.region(
      operands.map((value, index) => (index === 0 ? { type: value.type, name: "x" } : { type: sliced(value) })),
      (layer, values) => [layerBody(layer, values, sizes)],
    );
    const attrs = { name: "layers", layers: Size.of(sizes.L), carried: 1, stacked: stacked.length };
    const last = scope.one("stack", operands, attrs, { regions: [inner] });
    return [scope.one("contract", [last, table!], { over: ["D"] })];
  });
  return { ...shell, entries: [{ name: "forward", inputs: ["tokens"], outputs: ["logits"], body }] };
}

function sliced(value: Value): Value["type"] {
  if (value.type.kind !== "tensor") throw new Error("only tensors are stacked");
  return { ...value.type, axes: value.type.axes.slice(1) };
}

function norm(scope: RegionBuilder, x: Value, gain: Value): Value {
  const square = scope.one("reduce", [scope.one("mul", [x, x])], { kind: "mean", over: ["D"] });
  const scale = scope.one("rsqrt", [scope.one("add", [square, scope.number(1e-5)])]);
  return scope.one("mul", [scope.one("mul", [x, scale]), gain]);
}

function layerBody(scope: RegionBuilder, values: readonly Value[], sizes: DecoderSizes): Value {
  const [x, gain, wq, wk, wv, wo, route, gate, up, down] = values as readonly [Value, ...Value[]];
  const dot = (a: Value, b: Value, ...over: string[]): Value => scope.one("contract", [a, b], { over });
  const h = norm(scope, x, gain!);
  const [k, v] = [wk!, wv!].map((w, index) =>
    scope.one("append", [dot(h, w, "D")], { state: ["layers.keys", "layers.values"][index]!, axis: "T", as: "S" }),
  );
  const position = { type: { kind: "tensor" as const, dtype: "i32" as const, axes: [] } };
  const causal = scope.region([position, position], (mask, [query, key]) => [mask.one("le", [key!, query!])]);
  const attended = scope.one(
    "attend",
    [dot(h, wq!, "D"), k!, v!],
    {
      queryAxis: "T",
      keyAxis: "S",
      contracted: "C",
      valueAxis: "C",
      scale: 1 / Math.sqrt(sizes.C),
      queryOffset: Size.of("past"),
      hasMask: true,
      hasSinks: false,
      hasKeep: false,
    },
    { regions: [causal] },
  );
  const y = scope.one("add", [x, dot(attended, wo!, "H", "C")]);
  const p = scope.one("softmax", [dot(y, route!, "D")], { over: "E" });
  const routes = scope.one("route", [p], {
    choice: "top",
    k: Size.of(sizes.K),
    experts: "E",
    hasBy: false,
    hasWhere: false,
    renormalize: true,
    epsilon: 0,
  });
  const token = {
    type: { kind: "tensor" as const, dtype: "f32" as const, axes: [{ name: "D", size: Size.of(sizes.D) }] },
  };
  const expert = scope.region([token, ...[gate!, up!, down!].map((w) => ({ type: sliced(w) }))], (inner, args) => {
    const [one, g, u, d] = args;
    const open = inner.one("silu", [inner.one("contract", [one!, g!], { over: ["D"] })]);
    const wide = inner.one("mul", [open, inner.one("contract", [one!, u!], { over: ["D"] })]);
    return [inner.one("contract", [wide, d!], { over: ["F"] })];
  });
  const banks = [{ experts: Size.of(sizes.E), params: 3 }];
  const mixed = scope.one(
    "mixture",
    [y, routes, gate!, up!, down!],
    { banks, captures: 0, weigh: "output" },
    { regions: [expert] },
  );
  return scope.one("add", [y, mixed]);
}

/** Normal numbers for every parameter, the same on every call; deviation 1 / sqrt(fan in), 1 for gains. */
export function decoderParams(program: Program): (path: string) => ReferenceTensor {
  const values = new Map(
    program.params.map((decl, seed) => {
      const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
      const value = makeTensor("f32", axes);
      const fan = decl.axes.find((each) => each.name === decl.contracted)?.size.evaluate({}) ?? 1;
      for (let i = 0; i < value.data.length; i++) {
        value.data[i] = Math.fround(randomNumber("normal", ...threefry([seed, 1], [i, 0])) / Math.sqrt(fan));
      }
      return [decl.path, value];
    }),
  );
  return (path) => values.get(path)!;
}
