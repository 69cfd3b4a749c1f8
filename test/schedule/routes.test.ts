/** Every way to make and change routes, and what is made of them. */
import { describe, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Region, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { webgpu } from "../../compiler/targets/index.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program, typed } from "./programs.js";

const [T, E, D] = [axis("T"), axis("E", 6), axis("D", 5)];
const whole = (value: number): Size => Size.of(value);
const base = { experts: "E", hasBy: false, hasWhere: false, renormalize: false, epsilon: 0, k: whole(2) };

/** Positive weights with ties, NaN and -Infinity among them. */
const weights = (count: number): number[] =>
  numbers(2, count).map((x, i) => [Math.abs(x), 0.5, Math.abs(x), NaN, 0.5, -Infinity, 0.25, Math.abs(x)][i % 8]!);
const plain = (count: number): number[] => numbers(3, count).map(Math.abs);

type Make = (scope: RegionBuilder, x: Value, by: Value) => Value;
const ways: readonly (readonly [string, Make])[] = [
  ["top", (s, x) => s.one("route", [x], { ...base, choice: "top" })],
  ["top, renormalized", (s, x) => s.one("route", [x], { ...base, choice: "top", renormalize: true, epsilon: 1e-3 })],
  ["by other scores", (s, x, by) => s.one("route", [x, by], { ...base, choice: "top", hasBy: true })],
  ["within groups", (s, x) => s.one("route", [x], { ...base, choice: "within", groups: whole(2), k: whole(4) })],
  [
    "where",
    (s, x) =>
      s.one("route", [x, s.one("gt", [x, s.number(0.3)])], { ...base, choice: "where", hasWhere: true, k: whole(3) }),
  ],
  ["by the experts", (s, x) => s.one("route", [x], { ...base, choice: "experts", k: whole(1) })],
  ["everyone", (s, x) => s.one("route", [x], { ...base, choice: "everyone" })],
  [
    "only",
    (s, x) => s.one("route", [s.one("argmax", [x], { over: "E" })], { ...base, choice: "only", size: whole(6) }),
  ],
  [
    "made of numbers",
    (s, x) => {
      const [value, index] = s.add("top", [x], { over: "E", k: whole(3), as: "K" });
      return s.one("routes_make", [index!, value!], { experts: E });
    },
  ],
  ["scaled", (s, x, by) => s.one("routes_scale", [s.one("route", [x], { ...base, choice: "top" }), by])],
  [
    "limited, dropping",
    (s, x) =>
      s.one("routes_limit", [s.one("route", [x], { ...base, choice: "top" })], {
        capacity: whole(3),
        overflow: "drop",
      }),
  ],
  [
    "limited, next by number",
    (s, x) =>
      s.one("routes_limit", [s.one("route", [x], { ...base, choice: "top" })], {
        capacity: whole(3),
        overflow: "next",
      }),
  ],
  [
    "limited, next by score",
    (s, x, by) =>
      s.one("routes_limit", [s.one("route", [x], { ...base, choice: "top" }), by], {
        capacity: whole(3),
        overflow: "next",
      }),
  ],
];

describe.each(ways)("routes: %s", (name, make) => {
  const sizes = name === "by the experts" ? [1, 3, 17] : [0, 1, 3, 17];

  it("gives the same numbers", () => {
    const test = program({
      inputs: { x: f32(T, E), by: f32(T, E) },
      build: (scope, [x, by]) => {
        const routes = make(scope, x!, by!);
        return [
          scope.one("routes_index", [routes], { axis: "S" }),
          scope.one("routes_weight", [routes], { axis: "S" }),
          scope.one("routes_dense", [routes]),
          scope.one("routes_count", [routes]),
        ];
      },
    });
    for (const values of [weights, plain]) {
      compare(test, {
        calls: sizes.map((t) => ({ inputs: { x: values(t * 6), by: plain(t * 6).reverse() }, sizes: { T: t } })),
        // A sum of two and a division, or one product.
        tolerance: 2 ** -21,
      });
    }
  });

  it("leads tokens to experts and back", () => {
    const test = program({
      inputs: { x: f32(T, E), by: f32(T, E), v: f32(T, D) },
      params: [param("scale", [E, D]), param("scale2", [axis("E2", 2), D]), param("scale4", [axis("E4", 4), D])],
      build: (scope, [x, by, v], p) => {
        const routes = make(scope, x!, by!);
        const row = { type: f32(D) };
        const body = (): Region =>
          scope.region([row, row], (s, [a, b]) => [s.one("add", [s.one("mul", [a!, b!]), s.number(1)])]);
        const other = (): Region => scope.region([row, row], (s, [a, b]) => [s.one("sub", [a!, b!])]);
        const single = { banks: [{ experts: whole(6), params: 1 }], captures: 0 };
        const two = { banks: [2, 4].map((experts) => ({ experts: whole(experts), params: 1 })), captures: 0 };
        const out = (weigh: string): Value =>
          scope.one("mixture", [v!, routes, p("scale")], { ...single, weigh }, { regions: [body()] });
        const mixed = scope.one(
          "mixture",
          [v!, routes, p("scale2"), p("scale4")],
          { ...two, weigh: "output" },
          { regions: [body(), other()] },
        );
        const sent = scope.one(
          "dispatch",
          [v!, routes, p("scale")],
          { ...single, weigh: "output", slotAxis: "S" },
          { regions: [body()] },
        );
        const again = scope.one(
          "dispatch",
          [sent, routes, p("scale")],
          { ...single, weigh: "output", slotAxis: "S" },
          { regions: [other()] },
        );
        const combined = ["sum", "mean", "product"].map((rule) =>
          scope.one("combine", [again, routes], { rule, slotAxis: "S" }),
        );
        const joined = scope.one("combine", [sent, routes], { rule: "concat", slotAxis: "S", axis: "D" });
        return [out("output"), out("input"), mixed, sent, again, ...combined, joined];
      },
    });
    compare(test, {
      calls: sizes.map((t) => ({
        inputs: { x: weights(t * 6).map((w) => (w === Infinity ? 1 : w)), by: plain(t * 6), v: numbers(4, t * 5) },
        sizes: { T: t },
      })),
      // Sums over at most 6 slots of products of three numbers up to 2.
      tolerance: 6 * 8 * 2 ** -22,
    });
  });
});

describe("routes in a program", () => {
  it("sends an i32 table of experts", () => {
    const test = program({
      inputs: { ids: typed("i32", T), v: f32(T, D) },
      params: [param("scale", [E, D])],
      build: (scope, [ids, v], p) => {
        const routes = scope.one("route", [ids!], { ...base, choice: "only", size: whole(6) });
        const row = { type: f32(D) };
        const body = scope.region([row, row], (s, [a, b]) => [s.one("mul", [a!, b!])]);
        const attrs = { banks: [{ experts: whole(6), params: 1 }], captures: 0, weigh: "output" };
        return [scope.one("mixture", [v!, routes, p("scale")], attrs, { regions: [body] })];
      },
    });
    compare(test, {
      calls: [{ inputs: { ids: [5, -1, 0, 6, 5], v: numbers(1, 25) }, sizes: { T: 5 } }],
      tolerance: 2 ** -23,
    });
  });

  it.each(["top", "within"] as const)("whose experts the threads of a block search (%s)", (choice) => {
    const many = axis("E", 130);
    const test = program({
      inputs: { x: f32(T, many), v: f32(T, D) },
      params: [param("scale", [many, D])],
      build: (scope, [x, v], p) => {
        const groups = choice === "within" ? { groups: whole(2) } : {};
        const scores = scope.one("softmax", [x!], { over: "E" });
        const attrs = { ...base, choice, k: whole(6), renormalize: true, epsilon: 1e-3, ...groups };
        const routes = scope.one("route", [scores], attrs);
        const row = { type: f32(D) };
        const body = scope.region([row, row], (s, [a, b]) => [s.one("mul", [a!, b!])]);
        const bank = { banks: [{ experts: whole(130), params: 1 }], captures: 0, weigh: "output" };
        return [
          scope.one("mixture", [v!, routes, p("scale")], bank, { regions: [body] }),
          scope.one("routes_index", [routes], { axis: "S" }),
        ];
      },
    });
    compare(test, {
      // One block for all tokens, and a block for each.
      calls: [0, 1, 4, 9].map((t) => ({
        inputs: { x: numbers(5, t * 130).map((x) => Math.round(x * 40) / 8), v: numbers(4, t * 5) },
        sizes: { T: t },
      })),
      // Sums over 6 slots of products below 1, of a softmax whose sum of 130 rounds 130 times.
      tolerance: 6 * 130 * 2 ** -22,
      target: webgpu,
    });
  });
});
