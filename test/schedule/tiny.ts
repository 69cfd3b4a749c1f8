/** A small mixture-of-experts decoder built by hand: embedding, layers of attention and experts, tied head. */
import { Size } from "../../compiler/axes/size.js";
import type { ParamDecl, Program, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { axis, f32, param, program, typed } from "./programs.js";

export interface TinySizes {
  readonly V: number;
  readonly L: number;
  readonly D: number;
  readonly G: number;
  readonly R: number;
  readonly C: number;
  readonly E: number;
  readonly F: number;
  readonly k: number;
}

export const smallest: TinySizes = { V: 11, L: 2, D: 12, G: 2, R: 2, C: 6, E: 5, F: 10, k: 2 };

function norm(scope: RegionBuilder, x: Value, gain: Value): Value {
  const mean = scope.one("reduce", [scope.one("mul", [x, x])], { kind: "mean", over: ["D"] });
  const root = scope.one("rsqrt", [scope.one("add", [mean, scope.number(1e-5)])]);
  return scope.one("mul", [scope.one("mul", [x, root]), gain]);
}

/** Rotary positions over halves of C. */
function rope(scope: RegionBuilder, x: Value, c: number): Value {
  const half = c / 2;
  const position = scope.one(
    "cast",
    [scope.one("index", [], { axis: "T", size: Size.of("T"), offset: Size.of("past") })],
    { to: "f32" },
  );
  const place = scope.one("cast", [scope.one("index", [], { axis: "C", size: Size.of(half), offset: Size.zero })], {
    to: "f32",
  });
  const speed = scope.one("exp", [scope.one("mul", [place, scope.number(-Math.log(10000) / half)])]);
  const angle = scope.one("mul", [position, speed]);
  const [cos, sin] = [scope.one("cos", [angle]), scope.one("sin", [angle])];
  const part = (from: number): Value =>
    scope.one("slice", [x], { axis: "C", from: Size.of(from), to: Size.of(from + half) });
  const [a, b] = [part(0), part(half)];
  const first = scope.one("sub", [scope.one("mul", [a, cos]), scope.one("mul", [b, sin])]);
  const second = scope.one("add", [scope.one("mul", [a, sin]), scope.one("mul", [b, cos])]);
  return scope.one("concat", [first, second], { axis: "C" });
}

export function tinyMoe(sizes: TinySizes): Program {
  const { V, L, D, G, R, C, E, F, k } = sizes;
  const [aT, aV, aL, aD] = [axis("T"), axis("V", V), axis("L", L), axis("D", D)];
  const [aG, aR, aC, aE, aF] = [axis("G", G), axis("R", R), axis("C", C), axis("E", E), axis("F", F)];
  const layer = (path: string, axes: ParamDecl["axes"], contracted?: string): ParamDecl =>
    param(`layers.${path}`, [aL, ...axes], { layerAxes: 1, ...(contracted === undefined ? {} : { contracted }) });
  const stacked = [
    layer("norm1", [aD]),
    layer("q", [aD, aG, aR, aC], "D"),
    layer("k", [aD, aG, aC], "D"),
    layer("v", [aD, aG, aC], "D"),
    layer("o", [aG, aR, aC, aD]),
    layer("norm2", [aD]),
    layer("router", [aD, aE], "D"),
    layer("gate", [aE, aD, aF], "D"),
    layer("up", [aE, aD, aF], "D"),
    layer("down", [aE, aF, aD], "F"),
  ];
  const cache = (path: string): Program["states"][number] => ({
    path: `layers.${path}`,
    kind: "cache",
    dtype: "f32",
    axes: [aL, axis("S", "past"), aG, aC],
    layerAxes: 1,
    init: 0,
  });
  return program({
    inputs: { tokens: typed("i32", aT) },
    params: [param("tok", [aV, aD], { contracted: "D" }), param("norm", [aD]), ...stacked],
    states: [cache("keys"), cache("values")],
    build: (scope, [tokens], p) => {
      const tok = p("tok");
      const x = scope.one("gather", [tok, tokens!], { axis: "V" });
      const params = stacked.map((decl) => p(decl.path));
      const inner = stacked.map((decl) => ({ type: f32(...decl.axes.slice(1)), name: decl.path }));
      const body = scope.region([{ type: f32(aT, aD), name: "x" }, ...inner], (s, values) => {
        const [h, norm1, wq, wk, wv, wo, norm2, router, gate, up, down] = values as readonly [Value, ...Value[]];
        const n = norm(s, h, norm1!);
        const product = (a: Value, b: Value, over: string[]): Value => s.one("contract", [a, b], { over });
        const q = rope(s, product(n, wq!, ["D"]), C);
        const key = rope(s, product(n, wk!, ["D"]), C);
        const keys = s.one("append", [key], { state: "layers.keys", axis: "T", as: "S" });
        const all = s.one("append", [product(n, wv!, ["D"])], { state: "layers.values", axis: "T", as: "S" });
        const valueAxis = s.one("rename", [all], { from: "C", to: "W" });
        const causal = s.region([{ type: typed("i32") }, { type: typed("i32") }], (m, [query, other]) => [
          m.one("le", [other!, query!]),
        ]);
        const attended = s.one(
          "attend",
          [q, keys, valueAxis],
          {
            queryAxis: "T",
            keyAxis: "S",
            contracted: "C",
            valueAxis: "W",
            scale: 1 / Math.sqrt(C),
            queryOffset: Size.of("past"),
            hasMask: true,
            hasSinks: false,
            hasKeep: false,
          },
          { regions: [causal] },
        );
        const heads = s.one("rename", [attended], { from: "W", to: "C" });
        const after = s.one("add", [h, product(heads, wo!, ["G", "R", "C"])]);
        const n2 = norm(s, after, norm2!);
        const scores = s.one("softmax", [product(n2, router!, ["D"])], { over: "E" });
        const routes = s.one("route", [scores], {
          choice: "top",
          k: Size.of(k),
          experts: "E",
          hasBy: false,
          hasWhere: false,
          renormalize: true,
          epsilon: 0,
        });
        const expert = s.region(
          [{ type: f32(aD) }, { type: f32(aD, aF) }, { type: f32(aD, aF) }, { type: f32(aF, aD) }],
          (e, [row, g, u, d]) => {
            const gated = e.one("silu", [e.one("contract", [row!, g!], { over: ["D"] })]);
            const hidden = e.one("mul", [gated, e.one("contract", [row!, u!], { over: ["D"] })]);
            return [e.one("contract", [hidden, d!], { over: ["F"] })];
          },
        );
        const mixed = s.one(
          "mixture",
          [n2, routes, gate!, up!, down!],
          { banks: [{ experts: Size.of(E), params: 3 }], captures: 0, weigh: "output" },
          { regions: [expert] },
        );
        return [s.one("add", [after, mixed])];
      });
      const [y] = scope.add(
        "stack",
        [x, ...params],
        { name: "layers", layers: Size.of(L), carried: 1, stacked: stacked.length },
        { regions: [body] },
      );
      return [scope.one("contract", [norm(scope, y!, p("norm")), tok], { over: ["D"] })];
    },
  });
}
