/** Products with packed weights in every format, plain and by experts, few rows and many. */
import { describe, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program, StorageType, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { decodeQ4, decodeQ8, encodeQ4, encodeQ8 } from "../../compiler/checkpoints/blocks.js";
import { f16ToF32, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program } from "./programs.js";

const T = axis("T");
const formats: readonly StorageType[] = ["f32", "f16", "q8_0", "q4_0"];

/** Matrices [batch][columns][rows] of numbers that the format holds exactly. */
function exactly(
  storage: StorageType,
  batch: number,
  columns: number,
  rows: number,
  values: readonly number[],
): number[] {
  if (storage === "f32") return [...values];
  if (storage === "f16") return values.map((x) => f16ToF32(f32ToF16(x)));
  const result = [...values];
  const block = new Float32Array(32);
  const bytes = new Uint8Array(storage === "q8_0" ? 34 : 18);
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < columns; k += 32) {
        const at = (i: number): number => (b * columns + k + i) * rows + row;
        for (let i = 0; i < 32; i++) block[i] = values[at(i)]!;
        (storage === "q8_0" ? encodeQ8 : encodeQ4)(block, bytes);
        (storage === "q8_0" ? decodeQ8 : decodeQ4)(bytes, block);
        for (let i = 0; i < 32; i++) result[at(i)] = block[i]!;
      }
    }
  }
  return result;
}

/** Activations that 8 bits hold exactly: whole multiples of 1/127, with 1 in each block of 32. */
const activations = (seed: number, count: number): number[] =>
  numbers(seed, count).map((x, i) => Math.fround((i % 32 === 5 ? 127 : Math.round(x * 127)) / 127));

const storage = (format: StorageType) => ({ storage: () => format });

/** n products of numbers up to 1 and 1/2, each rounded, and the block scales rounded twice more. */
const rounding = (n: number): number => n * (n / 2) * 2 ** -23;

describe.each(formats)("%s weights", (format) => {
  it("multiplies, with a formula around the product", () => {
    const [D, F] = [axis("D", 64), axis("F", 41)];
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("w", [D, F]), param("b", [F])],
      build: (scope, [x], p) => [scope.one("add", [scope.one("contract", [x!, p("w")], { over: ["D"] }), p("b")])],
    });
    compare(test, {
      calls: [0, 1, 2, 3, 17].map((t) => ({ inputs: { x: activations(t, t * 64) }, sizes: { T: t } })),
      params: (path, count) => {
        const values = numbers(3, count).map((v) => v / 2);
        return path === "w" ? exactly(format, 1, 64, 41, values) : values.map(Math.fround);
      },
      options: { storage: (decl) => (decl.path === "w" ? format : "f32") },
      tolerance: rounding(64),
    });
  });

  it("groups rows by twos and threes, over passes of columns and parts of rows", () => {
    // 320 columns are two passes of floats; 61 and 65 rows are more than the sums of one part.
    const [D, F] = [axis("D", 320), axis("F", 35)];
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("w", [D, F])],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
    });
    compare(test, {
      calls: [4, 5, 6, 7, 61, 65].map((t) => ({ inputs: { x: activations(t, t * 320) }, sizes: { T: t } })),
      params: (_, count) =>
        exactly(
          format,
          1,
          320,
          35,
          numbers(3, count).map((v) => v / 2),
        ),
      options: { ...storage(format), limits: { T: 65, context: 65 } },
      tolerance: rounding(320),
    });
  });

  it("reads a tied table through the packing", () => {
    const [V, D] = [axis("V", 23), axis("D", 32)];
    const test = program({
      inputs: { x: f32(T, D), ids: { kind: "tensor", dtype: "i32", axes: [T] } },
      params: [param("w", [V, D])],
      build: (scope, [x, ids], p) => {
        const rows = scope.one("gather", [p("w"), ids!], { axis: "V" });
        return [scope.one("contract", [x!, p("w")], { over: ["D"] }), rows];
      },
    });
    const turned = exactly(
      format,
      1,
      32,
      23,
      numbers(9, 23 * 32).map((v) => v / 2),
    );
    compare(test, {
      calls: [{ inputs: { x: activations(4, 96), ids: [22, 0, -1] }, sizes: { T: 3 } }],
      params: () => Array.from({ length: 23 * 32 }, (_, i) => turned[(i % 32) * 23 + Math.floor(i / 32)]!),
      options: storage(format),
      tolerance: rounding(32),
    });
  });
});

const [D, F, E] = [axis("D", 64), axis("F", 20), axis("E", 5)];

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
        choice: "top",
        k: Size.of(2),
        experts: "E",
        hasBy: false,
        hasWhere: false,
        renormalize: false,
        epsilon: 0,
      });
      const own = params.map((decl) => ({ type: f32(...decl.axes.slice(1)) }));
      const region = scope.region([{ type: f32(D) }, ...own], (inner, values) => [body(inner, values)]);
      const attrs = { banks: [{ experts: Size.of(5), params: params.length }], captures: 0, weigh: "output" };
      return [scope.one("mixture", [x!, routes, ...params.map((decl) => p(decl.path))], attrs, { regions: [region] })];
    },
  });
}

const t = 17;
const scores: Readonly<Record<string, readonly number[]>> = {
  "spread out": numbers(5, t * 5),
  "all to two experts": Array.from({ length: t * 5 }, (_, i) => [0, 1, 0, 2, 0][i % 5]! + i / 1000),
  "nobody chosen": Array<number>(t * 5).fill(-Infinity),
  "ties and NaN": Array.from({ length: t * 5 }, (_, i) => [1, NaN, 1, 1, -Infinity][i % 5]!),
};

describe("experts", () => {
  it.each(formats.flatMap((format) => Object.keys(scores).map((name) => [format, name] as const)))(
    "%s, %s: one product for each expert",
    (format, name) => {
      const test = experts([param("w", [E, D, F])], (scope, [x, w]) =>
        scope.one("contract", [x!, w!], { over: ["D"] }),
      );
      compare(test, {
        calls: [t, 1, 0].map((count) => ({
          inputs: { x: activations(count, count * 64), scores: scores[name]!.slice(0, count * 5) },
          sizes: { T: count },
        })),
        params: (_, count) =>
          exactly(
            format,
            5,
            64,
            20,
            numbers(8, count).map((v) => v / 2),
          ),
        options: storage(format),
        // Two experts with weights up to 2.
        tolerance: 4 * rounding(64),
      });
    },
  );

  it.each(Object.keys(scores))("%s: gated experts", (name) => {
    const params = [param("gate", [E, D, F]), param("up", [E, D, F]), param("down", [E, F, D])];
    const test = experts(params, (scope, [x, gate, up, down]) => {
      const gated = scope.one("silu", [scope.one("contract", [x!, gate!], { over: ["D"] })]);
      const hidden = scope.one("mul", [gated, scope.one("contract", [x!, up!], { over: ["D"] })]);
      return scope.one("contract", [hidden, down!], { over: ["F"] });
    });
    compare(test, {
      calls: [t, 3].map((count) => ({
        inputs: { x: activations(count, count * 64), scores: scores[name]!.slice(0, count * 5) },
        sizes: { T: count },
      })),
      params: (path, count) => numbers(path.length, count).map((v) => Math.fround(v / 16)),
      // Gate and up are at most 4 with errors of 64 * 4 * 2^-24; their product of at most 16 goes through 20 terms of 1/16.
      tolerance: 2 * 20 * (1 / 16) * 16 * 64 * 2 ** -22,
    });
  });
});
