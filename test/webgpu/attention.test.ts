/** Attention on Dawn, by blocks of threads and by threads that meet no other: rows and tiles, as the reference. */
import { describe, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { numbers } from "../schedule/compare.js";
import { axis, f32, program, typed } from "../schedule/programs.js";
import { compareOnDawn, drivers } from "../support/webgpu-machine.js";

/** Causal attention of 4 heads, two of which share keys and values, over `past + T` keys. */
function attention(depth: number, width: number): Program {
  const [T, g, r, c, v] = [axis("T"), axis("G", 2), axis("R", 2), axis("C", depth), axis("V", width)];
  const S = { name: "S", size: Size.of("past").plus(Size.of("T")) };
  return program({
    inputs: { q: f32(T, g, r, c), k: f32(S, g, c), v: f32(S, g, v) },
    build: (scope, operands) => {
      const i32 = { type: typed("i32") };
      const mask = scope.region([i32, i32], (s, [q, k]) => [s.one("le", [k!, q!])]);
      const attrs = {
        queryAxis: "T",
        keyAxis: "S",
        contracted: "C",
        valueAxis: "V",
        scale: 1 / Math.sqrt(depth),
        queryOffset: Size.of("past"),
        hasMask: true,
        hasSinks: false,
        hasKeep: false,
      };
      return [scope.one("attend", operands, attrs, { regions: [mask] })];
    },
  });
}

describe.each(drivers)("attention of drivers on the %s", (on) => {
  it.for([
    [40, 24],
    [64, 130],
  ])("of depth %i with values of width %i", async ([depth, width], { skip }) => {
    const calls = [
      [1, 0],
      [1, 150],
      [3, 40],
      [21, 30],
    ].map(([T, past]) => {
      const S = T! + past!;
      const inputs = {
        q: numbers(1, T! * 4 * depth!),
        k: numbers(2, S * 2 * depth!),
        v: numbers(3, S * 2 * width!),
      };
      return { inputs, sizes: { T: T!, past: past! } };
    });
    const what = {
      calls,
      options: { limits: { T: 24, context: 160 } },
      // Scores are sums of at most 64 products below 1, scaled by 1/6: off by less than 64 * 8 * 2^-24; exponentials take
      // that relatively, once above and once below, and results are averages of values below 1.
      tolerance: 2 * 64 * 8 * 2 ** -24,
    };
    if (!(await compareOnDawn(attention(depth!, width!), what, on))) skip("no driver");
  });
});
