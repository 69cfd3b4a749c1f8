/** Schedules with wide tiles: products with a formula, tied tables and experts, few rows and many, against the reference. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program, StorageType, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { STORAGE } from "../../compiler/checkpoints/storage.js";
import { x86v4 } from "../../compiler/targets/index.js";
import { compare, numbers } from "../schedule/compare.js";
import { axis, f32, param, program } from "../schedule/programs.js";
import { levels } from "../support/native.js";
import { runs } from "./runners.js";

const T = axis("T");
const formats = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const satisfies readonly StorageType[];
// Schedules are compiled as bundles are, by libLLVM; `levels` says why where it is missing.
const native = runs(x86v4) && levels.includes(x86v4);
const target = x86v4;

/** Values as the format holds them, blocks of 32 along the axis `columns` of [batch][columns][rows]. */
function held(format: StorageType, batch: number, columns: number, rows: number, values: readonly number[]): number[] {
  const { encode, decode, blockBytes, blockValues } = STORAGE[format];
  const result = [...values];
  const line = new Float32Array(columns);
  const bytes = new Uint8Array((columns / blockValues) * blockBytes);
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < rows; row++) {
      const at = (k: number): number => (b * columns + k) * rows + row;
      for (let k = 0; k < columns; k++) line[k] = values[at(k)]!;
      encode!(line, bytes);
      decode(bytes, line);
      for (let k = 0; k < columns; k++) result[at(k)] = line[k]!;
    }
  }
  return result;
}

/** Activations that 8 bits hold exactly: whole multiples of 1/127, with 1 in each block of 32. */
const activations = (seed: number, count: number): number[] =>
  numbers(seed, count).map((x, i) => Math.fround((i % 32 === 5 ? 127 : Math.round(x * 127)) / 127));

const halves = (seed: number, count: number): number[] => numbers(seed, count).map((x) => Math.fround(x / 2));

/** n products of numbers up to 1 and 1/2, each rounded, and the block scales rounded twice more. */
const rounding = (n: number): number => n * (n / 2) * 2 ** -23;

describe.runIf(native).each(formats)("%s weights", (format) => {
  it.each([
    { D: 64, F: 41, counts: [0, 1, 2, 3, 5, 17, 33], interpreter: true },
    { D: 96, F: 16, counts: [1, 4], interpreter: true },
    { D: 544, F: 200, counts: [1, 7, 130], interpreter: false },
  ])("multiply $D columns, with a formula around the product", ({ D: columns, F: rows, counts, interpreter }) => {
    const [D, F] = [axis("D", columns), axis("F", rows)];
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("w", [D, F]), param("b", [F])],
      build: (scope, [x], p) => [scope.one("add", [scope.one("contract", [x!, p("w")], { over: ["D"] }), p("b")])],
    });
    compare(test, {
      calls: counts.map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
      params: (path, count) =>
        path === "w" ? held(format, 1, columns, rows, halves(3, count)) : halves(3, count).map(Math.fround),
      options: { storage: (decl) => (decl.path === "w" ? format : "f32"), limits: { T: 130, context: 130 } },
      tolerance: rounding(columns),
      target,
      runners: interpreter ? ["native", "interpreter"] : ["native"],
    });
  });

  it("read a tied table through the packing", () => {
    const [V, D] = [axis("V", 43), axis("D", 96)];
    const test = program({
      inputs: { x: f32(T, D), ids: { kind: "tensor", dtype: "i32", axes: [T] } },
      params: [param("w", [V, D])],
      build: (scope, [x, ids], p) => {
        const rows = scope.one("gather", [p("w"), ids!], { axis: "V" });
        return [scope.one("contract", [x!, p("w")], { over: ["D"] }), rows];
      },
    });
    const turned = held(format, 1, 96, 43, halves(9, 43 * 96));
    compare(test, {
      calls: [{ inputs: { x: activations(4, 288), ids: [42, 0, -1] }, sizes: { T: 3 } }],
      params: () => Array.from({ length: 43 * 96 }, (_, i) => turned[(i % 96) * 43 + Math.floor(i / 96)]!),
      options: { storage: () => format },
      tolerance: rounding(96),
      target,
      runners: ["native"],
    });
  });
});

const [D, F, E] = [axis("D", 96), axis("F", 64), axis("E", 5)];

/** Experts chosen by scores that come in. */
function experts(
  params: readonly ReturnType<typeof param>[],
  body: (scope: RegionBuilder, values: readonly Value[]) => Value,
): Program {
  return program({
    inputs: { x: f32(T, D), scores: f32(T, E) },
    params,
    build: (scope, [x, scores], p) => {
      const routes = scope.one("route", [scores!], {
        ...{
          choice: "top",
          k: Size.of(2),
          experts: "E",
          hasBy: false,
          hasWhere: false,
          renormalize: false,
          epsilon: 0,
        },
      });
      const own = params.map((decl) => ({ type: f32(...decl.axes.slice(1)) }));
      const region = scope.region([{ type: f32(D) }, ...own], (inner, values) => [body(inner, values)]);
      const attrs = { banks: [{ experts: Size.of(5), params: params.length }], captures: 0, weigh: "output" };
      return [scope.one("mixture", [x!, routes, ...params.map((decl) => p(decl.path))], attrs, { regions: [region] })];
    },
  });
}

const t = 37;
const scores: Readonly<Record<string, readonly number[]>> = {
  "spread out": numbers(5, t * 5),
  "all to two experts": Array.from({ length: t * 5 }, (_, i) => [0, 1, 0, 2, 0][i % 5]! + i / 1000),
  "nobody chosen": Array<number>(t * 5).fill(-Infinity),
};

describe.runIf(native)("experts", () => {
  it.each(formats)("%s, one product for each expert", (format) => {
    const test = experts([param("w", [E, D, F])], (scope, [x, w]) => scope.one("contract", [x!, w!], { over: ["D"] }));
    for (const chosen of Object.values(scores)) {
      compare(test, {
        calls: [t, 1, 0].map((count) => ({
          inputs: { x: activations(count, count * 96), scores: chosen.slice(0, count * 5) },
          sizes: { T: count },
        })),
        params: (_, count) => held(format, 5, 96, 64, halves(8, count)),
        options: { storage: () => format, limits: { T: 64, context: 64 } },
        // Two experts with weights up to 2.
        tolerance: 4 * rounding(96),
        target,
        runners: ["native"],
      });
    }
  });

  it.each(Object.keys(scores))("%s: gated", (name) => {
    const params = [param("gate", [E, D, F]), param("up", [E, D, F]), param("down", [E, F, D])];
    const test = experts(params, (scope, [x, gate, up, down]) => {
      const gated = scope.one("silu", [scope.one("contract", [x!, gate!], { over: ["D"] })]);
      const hidden = scope.one("mul", [gated, scope.one("contract", [x!, up!], { over: ["D"] })]);
      return scope.one("contract", [hidden, down!], { over: ["F"] });
    });
    compare(test, {
      calls: [t, 3].map((count) => ({
        inputs: { x: activations(count, count * 96), scores: scores[name]!.slice(0, count * 5) },
        sizes: { T: count },
      })),
      params: (path, count) => numbers(path.length, count).map((v) => Math.fround(v / 16)),
      options: { limits: { T: 64, context: 64 } },
      // Gate and up are at most 6 with errors of 96 * 6 * 2^-24; their product of at most 36 goes through 64 terms of 1/16.
      tolerance: 2 * 64 * (1 / 16) * 36 * 96 * 2 ** -22,
      target,
      runners: ["native"],
    });
  });
});

describe("layouts", () => {
  it.each(formats)("%s matrices are wide on this target only", (format) => {
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("w", [D, F])],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
    });
    const plan = schedule(test, target, { limits: { T: 4, context: 4 }, storage: () => format }).plan;
    expect(plan.weights.map(({ layout }) => layout)).toEqual([
      format === "q8_0" ? "wide-q8" : format === "q4_0" ? "wide-q4" : "wide-panels",
    ]);
  });
});
