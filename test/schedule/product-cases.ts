/** Programs with products of packed weights, and numbers for them, for tests of schedules on every target. */
import { Size } from "../../compiler/axes/size.js";
import type { Program, StorageType, Value } from "../../compiler/2-graph/ir.js";
import type { RegionBuilder } from "../../compiler/2-graph/index.js";
import { STORAGE } from "../../compiler/checkpoints/storage.js";
import { numbers } from "./compare.js";
import { axis, f32, param, program } from "./programs.js";

const T = axis("T");
/** Experts of the mixtures. */
const count = 5;
const E = axis("E", count);

/** Values as the format holds them, blocks of 32 along the axis `columns` of [batch][columns][rows]. */
export function held(
  format: StorageType,
  batch: number,
  columns: number,
  rows: number,
  values: readonly number[],
): number[] {
  if (format === "any_K") throw new RangeError("nothing is converted to any_K");
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
export const activations = (seed: number, length: number): number[] =>
  numbers(seed, length).map((x, i) => Math.fround((i % 32 === 5 ? 127 : Math.round(x * 127)) / 127));

export const halves = (seed: number, length: number): number[] => numbers(seed, length).map((x) => Math.fround(x / 2));

/** n products of numbers up to 1 and 1/2, each rounded, and the block scales rounded twice more. */
export const rounding = (n: number): number => n * (n / 2) * 2 ** -23;

/** What n products of such numbers are off by when both are rounded to bf16, by at most 2^-9 of themselves. */
export const bf16Rounding = (n: number): number => (n / 2) * ((1 + 2 ** -9) ** 2 - 1);

/** x[T, columns] w, and b added when there is one. */
export function product(columns: number, rows: number, withSum = false): Program {
  const [D, F] = [axis("D", columns), axis("F", rows)];
  return program({
    inputs: { x: f32(T, D) },
    params: withSum ? [param("w", [D, F]), param("b", [F])] : [param("w", [D, F])],
    build: (scope, [x], p) => {
      const y = scope.one("contract", [x!, p("w")], { over: ["D"] });
      return [withSum ? scope.one("add", [y, p("b")]) : y];
    },
  });
}

/** A table w[V, D] that is both multiplied with and read by rows. */
export function tied(rows: number, columns: number): Program {
  const [V, D] = [axis("V", rows), axis("D", columns)];
  return program({
    inputs: { x: f32(T, D), ids: { kind: "tensor", dtype: "i32", axes: [T] } },
    params: [param("w", [V, D])],
    build: (scope, [x, ids], p) => {
      const chosen = scope.one("gather", [p("w"), ids!], { axis: "V" });
      return [scope.one("contract", [x!, p("w")], { over: ["D"] }), chosen];
    },
  });
}

/** Numbers of such a table as the format holds them. */
export function tableOf(format: StorageType, rows: number, columns: number): number[] {
  const turned = held(format, 1, columns, rows, halves(9, rows * columns));
  return Array.from({ length: rows * columns }, (_, i) => turned[(i % columns) * rows + Math.floor(i / columns)]!);
}

/** Two of five experts chosen by scores that come in; their parameters begin with the axis of the experts. */
function experts(
  columns: number,
  params: readonly ReturnType<typeof param>[],
  body: (scope: RegionBuilder, values: readonly Value[]) => Value,
): Program {
  const D = axis("D", columns);
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
      const attrs = { banks: [{ experts: Size.of(count), params: params.length }], captures: 0, weigh: "output" };
      return [scope.one("mixture", [x!, routes, ...params.map((decl) => p(decl.path))], attrs, { regions: [region] })];
    },
  });
}

/** One product w[5, columns, rows] for each expert. */
export const expertProduct = (columns: number, rows: number): Program =>
  experts(columns, [param("w", [E, axis("D", columns), axis("F", rows)])], (scope, [x, w]) =>
    scope.one("contract", [x!, w!], { over: ["D"] }),
  );

/** silu(x gate) * (x up), times down. */
export function gatedExperts(columns: number, rows: number): Program {
  const [D, F] = [axis("D", columns), axis("F", rows)];
  const params = [param("gate", [E, D, F]), param("up", [E, D, F]), param("down", [E, F, D])];
  return experts(columns, params, (scope, [x, gate, up, down]) => {
    const gated = scope.one("silu", [scope.one("contract", [x!, gate!], { over: ["D"] })]);
    const hidden = scope.one("mul", [gated, scope.one("contract", [x!, up!], { over: ["D"] })]);
    return scope.one("contract", [hidden, down!], { over: ["F"] });
  });
}

/** Scores of `tokens` tokens by name of the case. */
export const scoresOf = (tokens: number): Readonly<Record<string, readonly number[]>> => ({
  "spread out": numbers(5, tokens * count),
  "all to two experts": Array.from({ length: tokens * count }, (_, i) => [0, 1, 0, 2, 0][i % count]! + i / 1000),
  "nobody chosen": Array<number>(tokens * count).fill(-Infinity),
  "ties and NaN": Array.from({ length: tokens * count }, (_, i) => [1, NaN, 1, 1, -Infinity][i % count]!),
});

/** A call with the first `tokens` of `scores`. */
export const expertCall = (tokens: number, columns: number, scores: readonly number[]) => ({
  inputs: { x: activations(tokens, tokens * columns), scores: scores.slice(0, tokens * count) },
  sizes: { T: tokens },
});
