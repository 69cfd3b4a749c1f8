/** Each op: reference = interpreter = WebAssembly, on shapes that are no multiple of any tile. */
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { compare, numbers } from "./compare.js";
import { axis, f32, param, program } from "./programs.js";

const T = axis("T");
const D = axis("D", 7);

const calls = (width: number, seed = 1) =>
  [0, 1, 3, 17].map((t) => ({ inputs: { x: numbers(seed, t * width) }, sizes: { T: t } }));

describe("elementwise and axes", () => {
  it("broadcasts by name and fuses a chain into one kernel", () => {
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("g", [D])],
      build: (scope, [x], p) => [
        scope.one("silu", [scope.one("mul", [scope.one("add", [x!, scope.number(0.5)]), p("g")])]),
      ],
    });
    // exp to 2 ulp and five roundings of values below 4: 16 * 2^-24 relative.
    compare(test, { calls: calls(7), tolerance: 2 ** -19 });
  });

  it("reads through split, merge, order, slice, rename", () => {
    const test = program({
      inputs: { x: f32(T, axis("D", 12)) },
      build: (scope, [x]) => {
        const parts = scope.one("split", [x!], { axis: "D", into: [axis("H", 3), axis("C", 4)] });
        const turned = scope.one("order", [parts], { axes: ["H", "T", "C"] });
        const cut = scope.one("slice", [turned], { axis: "C", from: Size.of(1), to: Size.of(4) });
        const back = scope.one("merge", [scope.one("order", [cut], { axes: ["T", "C", "H"] })], {
          axes: ["C", "H"],
          into: "E",
        });
        return [scope.one("rename", [back], { from: "E", to: "F" })];
      },
    });
    compare(test, { calls: calls(12), tolerance: 0 });
  });

  it("reduces, normalizes and softmaxes a row in one kernel", () => {
    const test = program({
      inputs: { x: f32(T, D) },
      build: (scope, [x]) => {
        const mean = scope.one("reduce", [scope.one("mul", [x!, x!])], { kind: "mean", over: ["D"] });
        const scaled = scope.one("mul", [x!, scope.one("rsqrt", [scope.one("add", [mean, scope.number(1e-5)])])]);
        return [scope.one("softmax", [scaled], { over: "D" }), scope.one("reduce", [x!], { kind: "max", over: ["T"] })];
      },
    });
    // Sums of 7 terms, exp and a division of values below 8.
    compare(test, { calls: calls(7), tolerance: 2 ** -18 });
  });
});

describe("contract", () => {
  it.each([
    ["[D, F]", true],
    ["[F, D]", false],
  ])("multiplies by a matrix stored %s", (_, straight) => {
    const F = axis("F", 10);
    const test = program({
      inputs: { x: f32(T, D) },
      params: [param("w", straight ? [D, F] : [F, D], { contracted: "D" })],
      build: (scope, [x], p) => [scope.one("contract", [x!, p("w")], { over: ["D"] })],
    });
    // n 2^-24 sum |a||b| with n = 7 and |a||b| <= 1/2.
    const result = compare(test, { calls: calls(7), tolerance: 7 * 2 ** -24 * 3.5 });
    expect(result.y0!.length).toBe(170);
  });
});
