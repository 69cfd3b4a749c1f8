/** Attention under every kind of mask, with shared heads, sinks and kept keys; states; repetition. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { printKernels } from "../../compiler/4-schedule/kernel-print.js";
import { wasmRelaxed } from "../../compiler/targets/index.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program, typed } from "./programs.js";

const [T, G, R, C, V] = [axis("T"), axis("G", 2), axis("R", 3), axis("C", 6), axis("V", 5)];
const whole = (value: number): Size => Size.of(value);

type Mask = (scope: RegionBuilder, q: Value, k: Value) => Value;
const int = (scope: RegionBuilder, value: number): Value => scope.one("constant", [], { value, dtype: "i32" });
const causal: Mask = (s, q, k) => s.one("le", [k, q]);
const window =
  (width: number): Mask =>
  (s, q, k) =>
    s.one("lt", [s.one("sub", [q, k]), int(s, width)]);
const first =
  (count: number): Mask =>
  (s, _, k) =>
    s.one("lt", [k, int(s, count)]);

const masks: Readonly<Record<string, Mask | undefined>> = {
  none: undefined,
  causal,
  "causal and window": (s, q, k) => s.one("and", [causal(s, q, k), window(3)(s, q, k)]),
  "causal, window or sinks": (s, q, k) =>
    s.one("and", [causal(s, q, k), s.one("or", [window(3)(s, q, k), first(2)(s, q, k)])]),
  "not causal": (s, q, k) => s.one("not", [causal(s, q, k)]),
  "on the diagonal": (s, q, k) => s.one("eq", [q, k]),
  "off the diagonal": (s, q, k) => s.one("ne", [k, q]),
  "not of a window": (s, q, k) => s.one("not", [window(4)(s, q, k)]),
  "every second key": (s, q, k) =>
    s.one("and", [causal(s, q, k), s.one("eq", [s.one("mod", [k, int(s, 2)]), int(s, 0)])]),
  nothing: (s) => s.one("constant", [], { value: 0, dtype: "bool" }),
};

function attention(mask: Mask | undefined, parts: { sinks?: boolean; keep?: boolean } = {}): Program {
  const { sinks = false, keep = false } = parts;
  return program({
    inputs: { q: f32(T, G, R, C), k: f32(T, G, C), v: f32(T, G, V), keep: typed("bool", T, axis("K", "T")) },
    params: [param("sinks", [G, R])],
    build: (scope, [q, k, v, kept], p) => {
      const toS = (x: Value): Value => scope.one("rename", [x], { from: "T", to: "S" });
      const i32 = { type: typed("i32") };
      const region = mask && scope.region([i32, i32], (s, [query, key]) => [mask(s, query!, key!)]);
      const operands = [q!, toS(k!), toS(v!)];
      if (sinks) operands.push(p("sinks"));
      if (keep) operands.push(scope.one("rename", [kept!], { from: "K", to: "S" }));
      const attrs = {
        queryAxis: "T",
        keyAxis: "S",
        contracted: "C",
        valueAxis: "V",
        scale: 0.4,
        queryOffset: Size.zero,
        hasMask: mask !== undefined,
        hasSinks: sinks,
        hasKeep: keep,
      };
      return [scope.one("attend", operands, attrs, { regions: region ? [region] : [] })];
    },
  });
}

const inputs = (t: number) => ({
  q: numbers(1, t * 36).map((x) => Math.fround(x * 3)),
  k: numbers(2, t * 12),
  v: numbers(3, t * 10),
  keep: numbers(4, t * t).map((x) => Number(x > 0)),
});

// Scores of 6 products up to 3, exponentials of differences below 8, sums of at most 100 terms: 2^-24 * 8 * 100.
const tolerance = 100 * 2 ** -21;

describe("attend", () => {
  it.each(Object.keys(masks))("mask %s", (name) => {
    compare(attention(masks[name]), {
      calls: [0, 1, 3, 17].map((t) => ({ inputs: inputs(t), sizes: { T: t } })),
      tolerance,
    });
  });

  it("walks over more keys than one block holds", () => {
    compare(attention(masks["causal, window or sinks"]), {
      calls: [{ inputs: inputs(100), sizes: { T: 100 } }],
      options: { limits: { T: 100, context: 100 } },
      tolerance,
    });
    compare(attention(causal), {
      calls: [{ inputs: inputs(70), sizes: { T: 70 } }],
      options: { limits: { T: 100, context: 100 } },
      tolerance,
    });
  });

  it.each([
    [true, false],
    [false, true],
    [true, true],
  ])("sinks %s, kept keys %s", (sinks, keep) => {
    compare(attention(causal, { sinks, keep }), {
      calls: [1, 9].map((t) => ({ inputs: inputs(t), sizes: { T: t } })),
      tolerance,
    });
  });
});

const fixed = (path: string, axes: StateDecl["axes"], layerAxes = 0): StateDecl => ({
  path,
  kind: "fixed",
  dtype: "f32",
  axes,
  layerAxes,
  init: 0.25,
});

describe("states and repetition", () => {
  it("reads what the last call wrote, and before it writes", () => {
    const test = program({
      inputs: { x: f32(T, C) },
      states: [fixed("load", [C])],
      build: (scope, [x]) => {
        const load = scope.one("state_read", [], { state: "load" });
        const sum = scope.one("add", [load, scope.one("reduce", [x!], { kind: "sum", over: ["T"] })]);
        const now = scope.one("state_write", [sum], { state: "load" });
        return [scope.one("add", [x!, load]), now];
      },
    });
    const call = (t: number) => ({ inputs: { x: numbers(t, t * 6) }, sizes: { T: t } });
    compare(test, { calls: [call(3), call(1), call(5)], tolerance: 9 * 2 ** -22 });
  });

  it("repeats layers with their own parameters and states, and knows their number", () => {
    const L = axis("L", 3);
    const test = program({
      inputs: { x: f32(T, C) },
      params: [param("w", [L, C], { layerAxes: 1 })],
      states: [fixed("seen", [L, C], 1)],
      build: (scope, [x], p) => {
        const body = scope.region([{ type: f32(T, C) }, { type: f32(C) }], (s, [h, w]) => {
          const layer = s.one("cast", [s.one("layer_index", [], { stack: "layers" })], { to: "f32" });
          const seen = s.one("state_read", [], { state: "seen" });
          const next = s.one("add", [s.one("mul", [h!, w!]), s.one("add", [seen, layer])]);
          s.one("state_write", [s.one("reduce", [next], { kind: "mean", over: ["T"] })], { state: "seen" });
          return [next];
        });
        const attrs = { name: "layers", layers: whole(3), carried: 1, stacked: 1 };
        const half = { name: "layers", layers: whole(2), carried: 1, stacked: 1 };
        const again = scope.region([{ type: f32(T, C) }, { type: f32(C) }], (s, [h, w]) => [s.one("sub", [h!, w!])]);
        const y = scope.one("stack", [x!, p("w")], attrs, { regions: [body] });
        const cut = scope.one("slice", [p("w")], { axis: "L", from: whole(1), to: whole(3) });
        return [y, scope.one("stack", [y, cut], half, { regions: [again] })];
      },
    });
    const call = (t: number) => ({ inputs: { x: numbers(t, t * 6) }, sizes: { T: t } });
    compare(test, { calls: [call(4), call(1)], tolerance: 2 ** -18 });
  });

  it.each([
    ["one layer's of a stack, in a fold of nine turns", "seen", ["layers"], 9],
    ["an outer layer's, in a stack of five inside of it", "layers.seen", ["layers", "inner"], 5],
    ["an inner layer's, called from layers that have none", "inner.seen", ["layers", "inner"], 5],
  ] as const)("keeps a state that is %s", (_, state, stacks, turns) => {
    const test = program({
      inputs: { x: f32(T, C) },
      states: [fixed(state, [axis("L", state.startsWith("inner") ? turns : 2), C], 1)],
      build: (scope, [x]) => {
        const step = (s: RegionBuilder, h: Value): Value => {
          const next = s.one("add", [s.one("mul", [h, s.number(0.5)]), s.one("state_read", [], { state })]);
          const mean = s.one("reduce", [next], { kind: "mean", over: ["T"] });
          s.one("state_write", [s.one("mul", [mean, s.number(0.5)])], { state });
          return next;
        };
        const layer = scope.region([{ type: f32(T, C) }], (s, [h]) => {
          if (stacks.length > 1) {
            const body = s.region([{ type: f32(T, C) }], (inner, [y]) => [step(inner, y!)]);
            const attrs = { name: "inner", layers: whole(turns), carried: 1, stacked: 0 };
            return [s.one("stack", [h!], attrs, { regions: [body] })];
          }
          const body = s.region([{ type: typed("i32") }, { type: f32(T, C) }], (inner, [, y]) => [step(inner, y!)]);
          const attrs = { from: whole(0), to: whole(turns), carried: 1 };
          return [s.one("fold", [h!], attrs, { regions: [body] })];
        });
        const attrs = { name: "layers", layers: whole(2), carried: 1, stacked: 0 };
        return [scope.one("stack", [x!], attrs, { regions: [layer] })];
      },
    });
    const call = (t: number) => ({ inputs: { x: numbers(t, t * 6) }, sizes: { T: t } });
    // Each of 18 turns rounds some four times and makes what came before no larger.
    compare(test, { calls: [call(4), call(1), call(3)], tolerance: 18 * 4 * 2 ** -23 });
  });

  it("appends to a layer's cache in a fold of an open count", () => {
    const test = program({
      inputs: { x: f32(T, C) },
      states: [
        { path: "rows", kind: "cache", dtype: "f32", axes: [axis("L", 2), axis("T"), C], layerAxes: 1, init: 0 },
      ],
      build: (scope, [x]) => {
        const layer = scope.region([{ type: f32(T, C) }], (s, [h]) => {
          // One turn for the one token of a call: a cache grows once in a call.
          const body = s.region([{ type: typed("i32") }, { type: f32(T, C) }], (inner, [, y]) => {
            const all = inner.one("append", [y!], { state: "rows", axis: "T", as: "S" });
            return [inner.one("add", [y!, inner.one("reduce", [all], { kind: "max", over: ["S"] })])];
          });
          const attrs = { from: whole(0), to: Size.of("T"), carried: 1 };
          return [s.one("fold", [h!], attrs, { regions: [body] })];
        });
        const attrs = { name: "layers", layers: whole(2), carried: 1, stacked: 0 };
        return [scope.one("stack", [x!], attrs, { regions: [layer] })];
      },
    });
    const calls = [0, 1, 2].map((past) => ({ inputs: { x: numbers(past, 6) }, sizes: { T: 1, past } }));
    // A sum is rounded once in each layer.
    compare(test, { calls, tolerance: 2 ** -22 });
  });

  it.each([3, 9])("folds %s turns", (turns) => {
    const test = program({
      inputs: { x: f32(T, C) },
      build: (scope, [x]) => {
        const body = scope.region(
          [{ type: typed("i32") }, { type: f32(T, C) }, { type: f32(T) }, { type: f32(T, C) }],
          (s, [turn, a, b, c]) => {
            const number = s.one("cast", [turn!], { to: "f32" });
            const next = s.one("add", [s.one("mul", [a!, s.number(0.5)]), s.one("mul", [c!, b!])]);
            return [next, s.one("add", [s.one("reduce", [a!], { kind: "max", over: ["C"] }), number])];
          },
        );
        const zero = scope.one("reduce", [scope.one("mul", [x!, scope.number(0)])], { kind: "sum", over: ["C"] });
        return scope.add(
          "fold",
          [x!, zero, x!],
          { from: whole(1), to: whole(1 + turns), carried: 2 },
          { regions: [body] },
        );
      },
    });
    const call = (t: number) => ({ inputs: { x: numbers(t, t * 6) }, sizes: { T: t } });
    // Values grow with the turn's number; relative to them each turn rounds three times.
    compare(test, { calls: [call(4), call(1), call(0)], tolerance: 3 * 9 * 2 ** -23 });
  });
});

describe("folds with an open count", () => {
  /** Turns `from..to` of h = h / 2 + x[turn], beside a value that changes places with it and one that stays. */
  const recurrence = (from: Size, to: Size): Program =>
    program({
      inputs: { x: f32(T, C) },
      build: (scope, [x]) => {
        const zero = scope.one("reduce", [scope.one("mul", [x!, scope.number(0)])], { kind: "sum", over: ["T"] });
        const type = f32(C);
        const body = scope.region(
          [{ type: typed("i32") }, { type }, { type }, { type }, { type: f32(T, C) }],
          (s, [turn, h, old, same, all]) => {
            const row = s.one("gather", [all!, turn!], { axis: "T" });
            return [s.one("add", [s.one("mul", [h!, s.number(0.5)]), s.one("add", [row, old!])]), h!, same!];
          },
        );
        const attrs = { from, to, carried: 3 };
        return scope.add("fold", [zero, zero, scope.one("add", [zero, scope.number(3)]), x!], attrs, {
          regions: [body],
        });
      },
    });

  it.each([
    ["all tokens", Size.zero, Size.of("T")],
    ["all but two", Size.one, Size.of("T").minus(Size.one)],
    ["every second", Size.zero, Size.of("T").ceilDividedBy(Size.of(2))],
  ])("%s", (_, from, to) => {
    const call = (t: number) => ({ inputs: { x: numbers(t, t * 6) }, sizes: { T: t } });
    // Values may double each turn while both carried ones add up; relative to them each turn rounds three times.
    compare(recurrence(from, to), { calls: [0, 1, 2, 5, 16, 9].map(call), tolerance: 3 * 16 * 2 ** -23 });
  });
});

describe("chains of reductions", () => {
  it("grow by the same text with each one", () => {
    const text = (rounds: number): number => {
      const test = program({
        inputs: { x: f32(T, C) },
        build: (scope, [x]) => {
          let y = x!;
          for (let round = 0; round < rounds; round++) {
            for (const over of ["T", "C"]) y = scope.one("sub", [y, scope.one("logsumexp", [y], { over })]);
          }
          return [y];
        },
      });
      const { kernels } = schedule(test, wasmRelaxed, { limits: { T: 4, context: 8 } });
      return printKernels(kernels).length;
    };
    const [two, four, eight] = [text(2), text(4), text(8)];
    expect(eight - four).toBeLessThanOrEqual(2.1 * (four - two));
  });
});

describe("carried values", () => {
  it("may change places and stay as they are", () => {
    const test = program({
      inputs: { x: f32(T, C) },
      build: (scope, [x]) => {
        const type = f32(T, C);
        const body = scope.region([{ type: typed("i32") }, { type }, { type }, { type }], (_, [, a, b, c]) => [
          b!,
          a!,
          c!,
        ]);
        const y = scope.one("mul", [x!, scope.number(2)]);
        const z = scope.one("mul", [x!, scope.number(3)]);
        const attrs = { from: whole(0), to: whole(7), carried: 3 };
        return scope.add("fold", [x!, y, z], attrs, { regions: [body] });
      },
    });
    // One product is rounded.
    compare(test, { calls: [{ inputs: { x: numbers(1, 18) }, sizes: { T: 3 } }], tolerance: 2 ** -23 });
  });
});

describe("refusals", () => {
  it("names the sizes when the plan is too large for the target", () => {
    const test = program({
      inputs: { x: f32(T, C) },
      params: [param("w", [C, axis("F", 1 << 28)])],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["C"] })],
    });
    expect(() => schedule(test, wasmRelaxed, { limits: { T: 4, context: 8 } })).toThrow(/4294967296/);
  });

  it("refuses blocks that do not fit", () => {
    const odd = program({
      inputs: { x: f32(T, C) },
      params: [param("w", [C, V])],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["C"] })],
    });
    const options = { limits: { T: 4, context: 8 }, storage: () => "q8_0" as const };
    expect(() => schedule(odd, wasmRelaxed, options)).toThrow(expect.objectContaining({ code: "MOE3304" }));
  });
});
