/** Keys and values kept in blocks of q8_0: kernels read what the reference rounds them to. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import { schedule, type CacheStorage } from "../../compiler/4-schedule/index.js";
import { cacheRounding } from "../../compiler/checkpoints/cache-rounding.js";
import { cuda, wasmRelaxed, wasmSimd, webgpu, x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import type { Axis } from "../../compiler/ops/types.js";
import { levels } from "../support/native.js";
import { compare, numbers, type Call, type CompareOptions } from "./compare.js";
import { axis, f32, program } from "./programs.js";

type Options = Partial<CompareOptions>;

const [T, G, R] = [axis("T"), axis("G", 2), axis("R", 2)];
const limits = { T: 40, context: 96 };
const cache: CacheStorage = "q8_0";

const state = (path: string, ...inner: readonly Axis[]): StateDecl => {
  return { path, kind: "cache", dtype: "f32", axes: [axis("T"), ...inner], layerAxes: 0, init: 0 };
};

/** Causal attention over all positions so far: two heads of keys and values with two of queries each. */
function attention(depth: number, width: number): Program {
  const [C, V] = [axis("C", depth), axis("V", width)];
  return program({
    inputs: { q: f32(T, G, R, C), k: f32(T, G, C), v: f32(T, G, V) },
    states: [state("keys", G, C), state("values", G, V)],
    build: (scope, [q, k, v]) => {
      const all = (x: Value, path: string): Value => scope.one("append", [x], { state: path, axis: "T", as: "S" });
      const i32 = { type: { kind: "tensor", dtype: "i32", axes: [] } as const };
      const causal = scope.region([i32, i32], (s, [query, key]) => [s.one("le", [key!, query!])]);
      return [scope.one("attend", [q!, all(k!, "keys"), all(v!, "values")], attrs("C"), { regions: [causal] })];
    },
  });
}

const attrs = (contracted: string) => ({
  ...{ queryAxis: "T", keyAxis: "S", contracted, valueAxis: "V", scale: 0.125 },
  ...{ queryOffset: Size.of("past"), hasMask: false, hasSinks: false, hasKeep: false },
  ...(contracted === "C" ? { hasMask: true } : {}),
});

/** One cache for both: keys are the columns from 16 on, which begin inside of a block, values those up to 40. */
function latent(): Program {
  return program({
    inputs: { q: f32(T, R, axis("K", 48)), x: f32(T, axis("C", 64)) },
    states: [state("latent", axis("C", 64))],
    build: (scope, [q, x]) => {
      const all = scope.one("append", [x!], { state: "latent", axis: "T", as: "S" });
      const cut = (from: number, to: number, as: string): Value => {
        const part = scope.one("slice", [all], { axis: "C", from: Size.of(from), to: Size.of(to) });
        return scope.one("rename", [part], { from: "C", to: as });
      };
      return [scope.one("attend", [q!, cut(16, 64, "K"), cut(0, 40, "V")], attrs("K"))];
    },
  });
}

/** All rows of a cache, with the axis of the blocks last and first. */
function rows(): Program {
  const C = axis("C", 64);
  return program({
    inputs: { x: f32(T, G, C) },
    states: [state("rows", G, C)],
    build: (scope, [x]) => {
      const all = scope.one("append", [x!], { state: "rows", axis: "T", as: "S" });
      return [all, scope.one("order", [all], { axes: ["C", "G", "S"] })];
    },
  });
}

// A prompt that takes tiles of queries, single tokens, and some at once.
const lengths = [40, 1, 1, 3, 30];
const pastOf = (index: number): number => lengths.slice(0, index).reduce((sum, count) => sum + count, 0);
const callsOf = (inputs: (t: number, seed: number) => Call["inputs"]): readonly Call[] =>
  lengths.map((t, index) => ({ inputs: inputs(t, 7 * index), sizes: { T: t, past: pastOf(index) } }));

const attentionCalls = (depth: number, width: number): readonly Call[] =>
  callsOf((t, seed) => ({
    q: numbers(seed, t * 4 * depth),
    k: numbers(seed + 1, t * 2 * depth),
    v: numbers(seed + 2, t * 2 * width),
  }));

// As for attention with caches of f32: what is appended is rounded before anything is computed of it.
const tolerance = 100 * 2 ** -21;

const targets: readonly (readonly [string, Target, Options])[] = [
  ["interpreter and WebAssembly", wasmRelaxed, {}],
  ["WebAssembly without relaxed SIMD", wasmSimd, { runners: ["wasm"] }],
  ["interpreter on wide vectors", x86v4, { runners: ["interpreter"] }],
  ["interpreter on vectors of eight", x86v3, { runners: ["interpreter"] }],
  ...levels.map((target) => [target.name, target, { runners: ["native"] }] as const),
];

describe.each(targets)("caches as q8_0: %s", (_, target, options) => {
  const run = (what: Program, calls: readonly Call[], allowed: number): unknown =>
    compare(what, { calls, options: { cache, limits }, target, tolerance: allowed, ...options });

  it("attention", () => {
    run(attention(96, 32), attentionCalls(96, 32), tolerance);
  });

  it("attention to parts of rows", () => {
    const calls = callsOf((t, seed) => ({ q: numbers(seed, t * 96), x: numbers(seed + 1, t * 64) }));
    run(latent(), calls, tolerance);
  });

  it("rows come back as the reference rounds them, bit for bit", () => {
    const scales = [1, 0, 1e-6, 3e4, 1e-30, 1e-42, 7, 2e7];
    const odd = [NaN, Infinity, -Infinity];
    const calls = callsOf((t, seed) => {
      const x = numbers(seed, t * 128).map((value, i) => Math.fround(value * scales[(i >> 5) % scales.length]!));
      // Halves between two quants, and numbers that are none, each in a block of its own.
      for (let i = 0; i < 32; i++) x[i] = i === 0 ? 127 : i - 15.5;
      if (t > 3) odd.forEach((value, i) => (x[32 * (8 * i + 6) + 5] = value));
      return { x };
    });
    run(rows(), calls, 0);
  });
});

describe("a cache as q8_0", () => {
  it("rounds halves to even", () => {
    const block = Float64Array.from({ length: 32 }, (_, i) => (i === 0 ? 127 : i - 15.5));
    const read = cacheRounding("q8_0")!(block);
    expect([...read.subarray(13, 20)]).toEqual([-2, -2, 0, 0, 2, 2, 4]);
  });

  it("takes 34 bytes for 32 numbers", () => {
    const bytes = (storage: CacheStorage): number =>
      schedule(attention(64, 32), wasmRelaxed, { limits, cache: storage }).plan.spaces.state;
    expect(bytes("q8_0") / bytes("f32")).toBe(34 / 128);
  });

  it("is rounded: f32 gives other numbers, within the bound", () => {
    const last = (storage: CacheStorage): readonly number[] =>
      compare(attention(64, 32), {
        ...{ calls: attentionCalls(64, 32), options: { cache: storage, limits } },
        ...{ runners: ["interpreter"], target: wasmRelaxed, tolerance },
      })["y0"]!;
    const [blocks, floats] = [last("q8_0"), last("f32")];
    const most = Math.max(...blocks.map((x, index) => Math.abs(x - floats[index]!)));
    // All numbers lie in -1..1. A number is off by half a step, and by the rounding of the scale to f16.
    const step = 1 / 254 + 2 ** -11;
    // So a score is off by at most this, and a weight by a factor of e^(2 score).
    const score = 0.125 * 64 * step;
    expect(most).toBeGreaterThan(tolerance);
    expect(most).toBeLessThan(step + Math.expm1(2 * score));
  });

  it.each([
    [attention(48, 32), wasmRelaxed, "MOE3351", "keys"],
    [attention(64, 40), x86v4, "MOE3351", "values"],
    [program(flat()), wasmRelaxed, "MOE3351", "flat"],
    [attention(64, 32), webgpu, "MOE3352", "keys"],
    [attention(64, 32), cuda, "MOE3352", "keys"],
  ])("is refused where it has no kernels (%#)", (what, target, code, path) => {
    const message = expect.stringContaining(`\`${path}\``) as string;
    expect(() => schedule(what, target, { limits, cache })).toThrow(expect.objectContaining({ code, message }));
  });
});

/** A cache whose rows are single numbers. */
function flat(): Parameters<typeof program>[0] {
  return {
    inputs: { x: f32(T) },
    states: [state("flat")],
    build: (scope, [x]) => [scope.one("append", [x!], { state: "flat", axis: "T", as: "S" })],
  };
}
