/** Keys and values kept as halves: what kernels read back is what the reference rounds them to. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import { wasmRelaxed, x86v4 } from "../../compiler/targets/index.js";
import { hasNative } from "../support/native.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, program } from "./programs.js";

const [T, H, C, V] = [axis("T"), axis("H", 3), axis("C", 6), axis("V", 5)];

function cache(path: string, inner: StateDecl["axes"][number]): StateDecl {
  return { path, kind: "cache", dtype: "f32", axes: [axis("T"), inner], layerAxes: 0, init: 0 };
}

/** Causal attention over all positions so far. */
function attention(): Program {
  return program({
    inputs: { q: f32(T, H, C), k: f32(T, C), v: f32(T, V) },
    states: [cache("keys", C), cache("values", V)],
    build: (scope, [q, k, v]) => {
      const all = (x: Value, state: string): Value => scope.one("append", [x], { state, axis: "T", as: "S" });
      const i32 = { type: { kind: "tensor", dtype: "i32", axes: [] } as const };
      const causal = scope.region([i32, i32], (s, [query, key]) => [s.one("le", [key!, query!])]);
      const attrs = {
        ...{ queryAxis: "T", keyAxis: "S", contracted: "C", valueAxis: "V", scale: 0.4 },
        ...{ queryOffset: Size.of("past"), hasMask: true, hasSinks: false, hasKeep: false },
      };
      return [scope.one("attend", [q!, all(k!, "keys"), all(v!, "values")], attrs, { regions: [causal] })];
    },
  });
}

const inputs = (t: number, seed: number) => ({
  q: numbers(seed, t * 18).map((x) => Math.fround(x * 3)),
  k: numbers(seed + 1, t * 6),
  v: numbers(seed + 2, t * 5),
});
// A prompt that takes tiles of queries, single tokens, and some at once.
const calls = [40, 1, 1, 3, 30].map((t, index, all) => ({
  inputs: inputs(t, 7 * index),
  sizes: { T: t, past: all.slice(0, index).reduce((sum, count) => sum + count, 0) },
}));
const limits = { T: 40, context: 80 };
// As for attention with caches of f32: inputs are rounded before anything is computed of them, so both sides agree on them.
const tolerance = 100 * 2 ** -21;

describe.each(["f16", "bf16"] as const)("caches as %s", (format) => {
  it("on the interpreter and as WebAssembly", () => {
    compare(attention(), { calls, options: { cache: format, limits }, tolerance });
  });

  it.skipIf(!hasNative)("on native code", () => {
    compare(attention(), { calls, options: { cache: format, limits }, target: x86v4, runners: ["native"], tolerance });
  });

  it("take half the memory", () => {
    const bytes = (storage: CacheStorage): number =>
      schedule(attention(), wasmRelaxed, { limits, cache: storage }).plan.states.reduce(
        (sum, state) => sum + state.positionBytes,
        0,
      );
    expect(bytes(format) * 2).toBe(bytes("f32"));
  });

  it("are rounded: f32 gives other numbers", () => {
    const last = (storage: CacheStorage): readonly number[] =>
      compare(attention(), { calls, options: { cache: storage, limits }, runners: ["interpreter"], tolerance })["y0"]!;
    const [halves, floats] = [last(format), last("f32")];
    const differences = halves.map((x, index) => Math.abs(x - floats[index]!));
    expect(Math.max(...differences)).toBeGreaterThan(tolerance);
    // Means of values that are off by half a step at most, with weights off by the scores' error.
    expect(Math.max(...differences)).toBeLessThan(format === "f16" ? 2 ** -8 : 2 ** -5);
  });
});
