/**
 * Attention by tensor cores over caches of halves, played on the CPU with the registers of lanes as NVIDIA lays them out
 * and on the interpreter, and compared with the reference: odd sizes, empty blocks, rows without a key, keys and values
 * that are no numbers.
 */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import type { Program, StateDecl, Value } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { partsOf } from "../../compiler/4-schedule/lower/cuda-activations.js";
import { cuda } from "../../compiler/targets/index.js";
import { compare, numbers, type Call } from "../schedule/compare.js";
import { Machine, type Runner } from "../schedule/machine.js";
import { axis, f32, param, program, typed } from "../schedule/programs.js";
import { hasCudaCpu } from "../support/cuda-cpu.js";

type Half = "f16" | "bf16";
type Mask = (scope: RegionBuilder, q: Value, k: Value) => Value;

const int = (s: RegionBuilder, value: number): Value => s.one("constant", [], { value, dtype: "i32" });
const causal: Mask = (s, q, k) => s.one("le", [k, q]);
const within = (s: RegionBuilder, q: Value, k: Value, width: number): Value =>
  s.one("lt", [s.one("sub", [q, k]), int(s, width)]);
const masks = {
  causal,
  /** Blocks between the first keys and the window are empty. */
  "window and first keys": (s, q, k) =>
    s.one("and", [causal(s, q, k), s.one("or", [within(s, q, k, 9), s.one("lt", [k, int(s, 3)])])]),
  /** The first five rows see nothing. */
  "keys from the fifth on": (s, q, k) => s.one("and", [causal(s, q, k), s.one("ge", [k, int(s, 5)])]),
} satisfies Record<string, Mask>;

interface Shape {
  readonly G: number;
  readonly R: number;
  readonly C: number;
  readonly V: number;
}
interface Kind extends Shape {
  readonly mask?: Mask | undefined;
  readonly sinks?: boolean;
  readonly keep?: boolean;
}
const scale = 0.125;

/** q [T, G, R, C] over all keys [S, G, C] and values [S, G, V] so far. */
function attention({ G, R, C, V, mask = causal, sinks = false, keep = false }: Kind): Program {
  const [T, g, r, c, v] = [axis("T"), axis("G", G), axis("R", R), axis("C", C), axis("V", V)];
  const S = { name: "S", size: Size.of("past").plus(Size.of("T")) };
  const cache = (path: string, inner: StateDecl["axes"][number]): StateDecl => ({
    ...{ path, kind: "cache", dtype: "f32", axes: [axis("T"), g, inner], layerAxes: 0, init: 0 },
  });
  return program({
    inputs: { q: f32(T, g, r, c), k: f32(T, g, c), v: f32(T, g, v), keep: typed("bool", T, S) },
    params: [param("sinks", [g, r])],
    states: [cache("keys", c), cache("values", v)],
    build: (scope, [q, k, values, kept], p) => {
      const all = (x: Value, state: string): Value => scope.one("append", [x], { state, axis: "T", as: "S" });
      const i32 = { type: typed("i32") };
      const region = scope.region([i32, i32], (s, [a, b]) => [mask(s, a!, b!)]);
      const attrs = {
        ...{ queryAxis: "T", keyAxis: "S", contracted: "C", valueAxis: "V", scale },
        ...{ queryOffset: Size.of("past"), hasMask: true, hasSinks: sinks, hasKeep: keep },
      };
      const operands = [q!, all(k!, "keys"), all(values!, "values")];
      return [
        scope.one("attend", [...operands, ...(sinks ? [p("sinks")] : []), ...(keep ? [kept!] : [])], attrs, {
          regions: [region],
        }),
      ];
    },
  });
}

function callsOf({ G, R, C, V }: Shape, lengths: readonly number[]): Call[] {
  return lengths.map((T, index) => {
    const past = lengths.slice(0, index).reduce((sum, length) => sum + length, 0);
    const inputs = {
      q: numbers(7 * index, T * G * R * C),
      k: numbers(7 * index + 1, T * G * C),
      v: numbers(7 * index + 2, T * G * V),
      keep: numbers(7 * index + 3, T * (past + T)).map((x) => Number(x > 0.2)),
    };
    return { inputs, sizes: { T, past } };
  });
}

/**
 * Eight products and the sum so far are cut by 2^-23 of the largest of them and once more: ten times for each eight
 * columns of each part. Scores are at most C / 8; they change powers of e relatively, above and below the line. A query
 * is off by 2^-22 of itself, and so is a power, which is rounded twice before. Results are means of values up to 1.
 */
function bound({ C }: Shape, half: Half, keys: number): number {
  const cut = (columns: number): number => Math.ceil(columns / 16) * 2 * partsOf[half] * 10 * 2 ** -23;
  const score = C * scale * (cut(C) + 2 ** -22 + 2 ** -23);
  return 2 * (score + 2 ** -22) + 2 ** -22 + cut(keys) + 3 * keys * 2 ** -24;
}

const kernelNames = (test: Program, half: Half): string[] =>
  schedule(test, cuda, { limits: { T: 70, context: 160 }, cache: half }).kernels.map(({ name }) =>
    name.replace(/_\d+$/, ""),
  );

const cases: readonly (readonly [string, Half, Kind, readonly number[]])[] = [
  ["shared heads", "f16", { G: 2, R: 2, C: 64, V: 64 }, [65, 1, 17]],
  ["windows", "bf16", { G: 1, R: 1, C: 80, V: 40, mask: masks["window and first keys"] }, [64, 1, 17]],
  ["wide heads with sinks", "f16", { G: 1, R: 2, C: 128, V: 128, sinks: true }, [33]],
  ["wide heads", "bf16", { G: 1, R: 5, C: 128, V: 128 }, [14]],
  [
    "rows without a key, columns that fill no piece",
    "f16",
    { G: 1, R: 2, C: 19, V: 7, mask: masks["keys from the fifth on"] },
    [4, 37],
  ],
  ["kept keys", "bf16", { G: 2, R: 1, C: 24, V: 24, keep: true }, [35]],
];

describe("attention over halves on CUDA", () => {
  const runners: readonly Runner[] = hasCudaCpu ? ["interpreter", "cuda"] : ["interpreter"];
  it.each(cases)("%s, %s", { timeout: 120_000 }, (_, half, kind, lengths) => {
    const test = attention(kind);
    expect(kernelNames(test, half)).toContain("attend_matrix");
    const keys = lengths.reduce((sum, length) => sum + length, 0);
    compare(test, {
      ...{ target: cuda, runners, calls: callsOf(kind, lengths), tolerance: bound(kind, half, keys) },
      options: { limits: { T: 70, context: 160 }, cache: half },
    });
  });

  /** Keys, values and queries of the first call, for a machine of its own. */
  const run = (kind: Kind, half: Half, runner: Runner, inputs: Call["inputs"], T: number): readonly number[] => {
    const made = schedule(attention(kind), cuda, { limits: { T, context: T }, cache: half });
    return new Machine(made, cuda, runner).run("forward", inputs, { T, past: 0 })["y0"]!;
  };

  it.each(["f16", "bf16"] as const)("keeps the last bits of queries and powers, %s", { timeout: 120_000 }, (half) => {
    const [T, C, V] = [16, 16, 16];
    const kind: Kind = { G: 1, R: 1, C, V, mask: masks["keys from the fifth on"] };
    // Scores of key 5 are 2^15 (1 + 2^-12) - 2^15 = 8 times 1/8, all others 0: without last bits all would be 0.
    const q = numbers(1, T * C).map((_, i) => [1 + 2 ** -12, -1][i % C] ?? 0);
    const k = numbers(2, T * C).map((_, i) => (i >= 5 * C && i < 5 * C + 2 ? 2 ** 15 : 0));
    const v = numbers(3, T * V).map((_, i) => (i < 6 * V ? 2 ** 15 : -(2 ** 14)));
    for (const runner of runners) {
      const found = run(kind, half, runner, { q, k, v, keep: [] }, T);
      for (let t = 0; t < T; t++) {
        // Powers of e and 1 among the keys 5..t.
        const others = Math.max(0, t - 5);
        const want = t < 5 ? 0 : (Math.E * 2 ** 15 - others * 2 ** 14) / (Math.E + others);
        // A power is off by 2^-22 and two roundings, the sums by ten times 2^-23 of 2^15 for each eight keys and part.
        const allowed = 2 ** 15 * (3 * 2 ** -22 + partsOf[half] * 2 * 10 * 2 ** -23);
        for (const value of found.slice(t * V, (t + 1) * V)) {
          expect(Math.abs(value - want), `${runner} row ${t}: ${value} and ${want}`).toBeLessThanOrEqual(allowed);
        }
      }
    }
  });

  it.each([
    ["f16", 8],
    ["bf16", 7],
  ] as const)("scores infinite keys as the reference, %s, %i columns", { timeout: 120_000 }, (half, C) => {
    const T = 40;
    const kind: Kind = { G: 1, R: 1, C, V: 8, mask: masks["window and first keys"] };
    const { k, q, ...others } = callsOf(kind, [T])[0]!.inputs as Record<"q" | "k" | "v" | "keep", number[]>;
    const keys = [...k];
    // Overflows f16 alone; products with either sign, and with numbers that are one part only, whose others are 0.
    keys[6 * C + 1] = 70000;
    keys[20 * C + 2] = -Infinity;
    keys[22 * C + 3] = Infinity;
    keys[30 * C + 4] = NaN;
    const queries = q.map((x, i) => (Math.floor(i / C) % 3 === 0 ? x : Math.sign(x) / 2));
    const inputs = { ...others, q: queries, k: keys };
    const expected = compare(attention(kind), {
      ...{ target: cuda, runners, calls: [{ inputs, sizes: { T, past: 0 } }], tolerance: bound(kind, half, T) },
      options: { limits: { T: 70, context: 160 }, cache: half },
    })["y0"]!;
    // Some rows are no numbers, some see a key that counts nothing, some see none of them.
    expect(expected.filter(Number.isNaN).length).toBeGreaterThan(8);
    expect(expected.filter(Number.isFinite).length).toBeGreaterThan(8 * 8);
  });

  it.each([8, 7])("lets infinities reach the rows that may see them alone, %i columns", { timeout: 120_000 }, (V) => {
    const [T, C] = [40, 8];
    const kind: Kind = { G: 1, R: 1, C, V, mask: masks["window and first keys"] };
    const inputs = callsOf(kind, [T])[0]!.inputs;
    const plain = [...inputs["v"]!];
    const v = [...plain];
    v[20 * V + 1] = Infinity;
    v[22 * V + 1] = -Infinity;
    v[33 * V + 3] = NaN;
    for (const runner of runners) {
      const expected = run(kind, "f16", runner, inputs, T);
      const found = run(kind, "f16", runner, { ...inputs, v }, T);
      for (const [i, value] of found.entries()) {
        const [t, column] = [Math.floor(i / V), i % V];
        const sees = (key: number): boolean => key <= t && t - key < 9;
        const [up, down] = [20, 22].map((key) => column === 1 && sees(key));
        const none = (up && down) || (column === 3 && sees(33));
        const want = none ? NaN : up ? Infinity : down ? -Infinity : expected[i]!;
        expect(Object.is(value, want), `${runner} row ${t}, column ${column}: ${value} and ${want}`).toBe(true);
      }
    }
  });
});
