/** Attention in tiles and row by row: any number of queries behind any number of keys, and only the blocks that a mask needs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, Value } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { wasmRelaxed, webgpu, x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import { countVisits, visitCounter } from "../support/visits.js";
import { compare, numbers } from "./compare.js";
import { Machine, type Runner } from "./machine.js";
import { axis, f32, program, typed } from "./programs.js";

/** A mask twice: as nodes and as a function. */
interface Mask {
  readonly nodes: (scope: RegionBuilder, q: Value, k: Value) => Value;
  readonly allows: (q: number, k: number) => boolean;
}
const int = (s: RegionBuilder, value: number): Value => s.one("constant", [], { value, dtype: "i32" });
const causal: Mask = { nodes: (s, q, k) => s.one("le", [k, q]), allows: (q, k) => k <= q };
const window = (width: number): Mask => ({
  nodes: (s, q, k) => s.one("lt", [s.one("sub", [q, k]), int(s, width)]),
  allows: (q, k) => q - k < width,
});
const first = (count: number): Mask => ({
  nodes: (s, _, k) => s.one("lt", [k, int(s, count)]),
  allows: (_, k) => k < count,
});
/** As `Chunked` of the library: a quotient in f32, rounded down. */
const chunked = (size: number): Mask => {
  const chunk = (s: RegionBuilder, x: Value): Value =>
    s.one("floor", [s.one("div", [s.one("cast", [x], { to: "f32" }), s.number(size)])]);
  return {
    nodes: (s, q, k) => s.one("eq", [chunk(s, q), chunk(s, k)]),
    allows: (q, k) => Math.floor(q / size) === Math.floor(k / size),
  };
};
const joined = (op: "and" | "or", a: Mask, b: Mask): Mask => ({
  nodes: (s, q, k) => s.one(op, [a.nodes(s, q, k), b.nodes(s, q, k)]),
  allows: (q, k) => (op === "and" ? a.allows(q, k) && b.allows(q, k) : a.allows(q, k) || b.allows(q, k)),
});
const both = (a: Mask, b: Mask): Mask => joined("and", a, b);

interface Shape {
  readonly G: number;
  readonly R: number;
  readonly C: number;
  readonly V: number;
}

/** q [T, G, R, C] at positions from `past` on, over all `past + T` keys. */
function attention({ G, R, C, V }: Shape, mask: Mask | undefined, keep = false): Program {
  const [T, g, r, c, v] = [axis("T"), axis("G", G), axis("R", R), axis("C", C), axis("V", V)];
  const S = { name: "S", size: Size.of("past").plus(Size.of("T")) };
  return program({
    inputs: { q: f32(T, g, r, c), k: f32(S, g, c), v: f32(S, g, v), keep: typed("bool", T, g, S) },
    build: (scope, [q, k, values, kept]) => {
      const i32 = { type: typed("i32") };
      const region = mask && scope.region([i32, i32], (s, [a, b]) => [mask.nodes(s, a!, b!)]);
      const attrs = {
        queryAxis: "T",
        keyAxis: "S",
        contracted: "C",
        valueAxis: "V",
        scale: 0.5,
        queryOffset: Size.of("past"),
        hasMask: mask !== undefined,
        hasSinks: false,
        hasKeep: keep,
      };
      const operands = [q!, k!, values!, ...(keep ? [kept!] : [])];
      return [scope.one("attend", operands, attrs, { regions: region ? [region] : [] })];
    },
  });
}

function inputs({ G, R, C, V }: Shape, T: number, past: number): Record<string, number[]> {
  const S = past + T;
  return {
    q: numbers(1, T * G * R * C).map((x) => Math.fround(x * 3)),
    k: numbers(2, S * G * C),
    v: numbers(3, S * G * V),
    keep: numbers(4, T * G * S).map((x) => Number(x > 0.3)),
  };
}

// Scores are sums of at most 24 products up to 3, so off by less than 24 * 72 * 2^-24 < 2^-13; exponentials take that
// relatively, and results are averages of values below 1.
const tolerance = 2 ** -12;

const masks = fc.oneof(
  fc.constant(undefined),
  fc.constant(causal),
  fc.nat(70).map((width) => both(causal, window(width))),
  fc.tuple(fc.nat(40), fc.nat(9)).map(([width, count]) => both(causal, joined("or", window(width), first(count)))),
  fc.integer({ min: 1, max: 40 }).map((size) => both(causal, chunked(size))),
  fc.integer({ min: 1, max: 40 }).map(chunked),
);
const shapes = fc.record({
  G: fc.integer({ min: 1, max: 2 }),
  R: fc.constantFrom(1, 2, 3, 5, 40),
  C: fc.constantFrom(3, 8, 24),
  V: fc.constantFrom(4, 7, 24),
});

describe("attend over any number of queries and keys", () => {
  const widths: readonly (readonly [Target, readonly Runner[], number])[] = [
    [wasmRelaxed, ["interpreter", "wasm"], 18],
    [x86v3, ["interpreter"], 6],
    [x86v4, ["interpreter"], 6],
    [webgpu, ["interpreter", "processor"], 6],
  ];
  it.each(widths)("as the reference, with the vectors or threads of $name", (target, runners, runs) => {
    const lengths = fc.tuple(fc.integer({ min: 0, max: 75 }), fc.integer({ min: 0, max: 140 }));
    fc.assert(
      fc.property(shapes, masks, lengths, fc.boolean(), (shape, mask, [T, past], keep) => {
        const calls = [{ inputs: inputs(shape, T, past), sizes: { T, past } }];
        const options = { limits: { T: 80, context: 240 } };
        compare(attention(shape, mask, keep), { calls, options, tolerance, target, runners });
      }),
      { numRuns: runs },
    );
  });

  it("lets no value of a forbidden key through, whatever it is", () => {
    const shape = { G: 1, R: 1, C: 8, V: 8 };
    const T = 40;
    const values = inputs(shape, T, 0);
    // Position 21 and what follows is no number: causal rows before it must not notice.
    values.v!.fill(NaN, 21 * 8);
    values.k!.fill(NaN, 21 * 8);
    const plan = schedule(attention(shape, causal), wasmRelaxed, { limits: { T, context: T } });
    const machine = new Machine(plan, wasmRelaxed, "wasm");
    const result = machine.run("forward", values, { T, past: 0 }).y0!;
    expect(result.slice(0, 21 * 8).every(Number.isFinite)).toBe(true);
    expect(result.slice(21 * 8).every(Number.isNaN)).toBe(true);
  });
});

/** Rows of a tile and keys of a block, as the schedule takes them. */
const [tile, block] = [32, 64];

/** Pairs of a tile of queries and a block of keys with at least one allowed pair. */
function needed(mask: Mask, T: number, past: number): number {
  let count = 0;
  for (let q = 0; q < T; q += tile) {
    for (let k = 0; k < past + T; k += block) {
      const pairs = Array.from({ length: Math.min(tile, T - q) }, (_, i) =>
        Array.from({ length: Math.min(block, past + T - k) }, (__, j) => mask.allows(past + q + i, k + j)),
      );
      if (pairs.some((row) => row.includes(true))) count++;
    }
  }
  return count;
}

function visited(program: Program, values: Record<string, number[]>, T: number, past: number): number {
  const plan = schedule(program, wasmRelaxed, { limits: { T, context: T + past } });
  const machine = new Machine(countVisits(plan), wasmRelaxed, "wasm");
  machine.setInt(visitCounter, 0);
  machine.run("forward", values, { T, past });
  return machine.int(visitCounter);
}

describe("blocks", () => {
  const shape = { G: 1, R: 1, C: 4, V: 4 };
  it.each<readonly [string, Mask]>([
    ["everything", { nodes: (s) => s.one("constant", [], { value: 1, dtype: "bool" }), allows: () => true }],
    ["causal", causal],
    ["window", both(causal, window(100))],
    ["window or the first keys", both(causal, joined("or", window(33), first(3)))],
    ["window or the first keys, the other way round", both(joined("or", first(3), window(33)), causal)],
    ["chunks", both(causal, chunked(96))],
    ["chunks of both sides", chunked(96)],
  ])("%s: exactly those with an allowed pair are visited", (_, mask) => {
    for (const [T, past] of [
      [320, 0],
      [70, 300],
      [33, 31],
    ] as const) {
      expect(visited(attention(shape, mask), inputs(shape, T, past), T, past)).toBe(needed(mask, T, past));
    }
  });

  it("grow with the length under a window, not with its square", () => {
    const mask = both(causal, window(128));
    const at = (T: number): number => visited(attention(shape, mask), inputs(shape, T, 0), T, 0);
    const [short, long] = [at(512), at(1024)];
    // 128 + 32 keys touch at most 4 blocks of 64.
    expect(long - short).toBeLessThanOrEqual((512 / tile) * 4);
  });

  it("that a tensor keeps empty are not computed", () => {
    const T = 128;
    const values = inputs(shape, T, 0);
    // Blocks of 64 keys on the diagonal only.
    values.keep = Array.from({ length: T * T }, (_, i) => Number(Math.floor(i / T / 64) === Math.floor((i % T) / 64)));
    expect(visited(attention(shape, causal, true), values, T, 0)).toBe(4);
  });
});
