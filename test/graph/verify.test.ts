import { describe, expect, it } from "vitest";
import { parseProgram, printProgram, verify } from "../../compiler/2-graph/index.js";
import { decoder } from "./decoder.js";

/** A program around the nodes of one entry `f(x: f32[T, D=4])`; the last line returns. */
function problems(lines: string, declarations = ""): string[] {
  const text = `program p { sizes T ${declarations} entry f (x) -> (y) (%0: f32[T, D=4]) => { ${lines} } }`;
  return verify(parseProgram(text)).map((problem) => problem.code);
}

describe("the verifier", () => {
  it("has nothing against a model", () => {
    expect(verify(decoder())).toEqual([]);
  });

  const broken: Readonly<Record<string, readonly [string, string, string?]>> = {
    "a use before the definition": ["MOE2070", "%2: f32[T, D=4] = neg %1\n %1: f32[T, D=4] = neg %0\n return %2"],
    "a value from outside of a region": [
      "MOE2071",
      "%9: f32[T, D=4] = fold %0 {from: <0>, to: <3>, carried: 1} (%1: i32, %2: f32[T, D=4]) => { %3: f32[T, D=4] = add %2, %0\n return %3 }\n return %9",
    ],
    "a wrong type": ["MOE2072", "%1: f32[T] = neg %0\n return %1"],
    "a wrong number of results": ["MOE2072", "%1: f32[T, D=4], %2: f32[T, D=4] = neg %0\n return %1"],
    "an unknown op": ["MOE2073", "%1: f32[T, D=4] = negate %0\n return %1"],
    "an unknown attribute": ["MOE2074", "%1: f32[T, D=4] = neg %0 {over: D}\n return %1"],
    "an id twice": ["MOE2075", "%0: f32[T, D=4] = neg %0\n return %0"],
    "an id twice, one of them in a region": [
      "MOE2075",
      "%9: f32[T, D=4] = fold %0 {from: <0>, to: <3>, carried: 1} (%1: i32, %0: f32[T, D=4]) => { return %0 }\n return %9",
    ],
    "a result that does not exist": ["MOE2076", "%1: f32[T, D=4] = neg %0\n return %7"],
    "a refused use": ["MOE2042", "%1: f32[T, D=4] = softmax %0 {over: E}\n return %1"],
    "a parameter that is not declared": ["MOE2058", "%1: f32[D=4] = param {path: w}\n return %1"],
    "a parameter in a region": [
      "MOE2063",
      "%9: f32[D=4], %8: f32[T, D=4] = fold %7, %0 {from: <0>, to: <3>, carried: 2} (%1: i32, %2: f32[D=4], %4: f32[T, D=4]) => { %3: f32[D=4] = param {path: w}\n return %3, %4 }\n return %8".replace(
        "%9:",
        "%7: f32[D=4] = param {path: w}\n %9:",
      ),
      "param w: f32[D=4] {layerAxes: 0}",
    ],
    "a layer index outside of its stack": ["MOE2078", "%1: i32 = layer_index {stack: layers}\n return %1"],
    "a size that no call gives": ["MOE2064", "%1: i32[B] = index {axis: B, size: <B>, offset: <0>}\n return %1"],
    "as many outputs as results": ["MOE2079", "return %0, %0"],
    "a declaration twice": ["MOE2079", "return %0", "param w: f32 {layerAxes: 0} param w: f32 {layerAxes: 0}"],
    "more layer axes than axes": ["MOE2079", "return %0", "param w: f32[D=4] {layerAxes: 2}"],
    "an axis twice in a declaration": ["MOE2079", "return %0", "param w: f32[D=4, D=4] {layerAxes: 0}"],
    "a contracted axis that is not there": ["MOE2079", "return %0", "param w: f32[D=4] {layerAxes: 0, contracted: F}"],
  };
  for (const [what, [code, lines, declarations]] of Object.entries(broken)) {
    it(`finds ${what}`, () => {
      expect(problems(lines, declarations)).toEqual([code]);
    });
  }

  it("says where", () => {
    const text = printProgram(decoder()).replace("silu %47", "silu %43");
    const found = verify(parseProgram(text));
    expect(found.map(({ code, where }) => `${code} ${where}`)).toEqual([
      "MOE2072 entry forward, %54 = stack, region 0, %52 = mixture, region 0, %48 = silu",
    ]);
  });
});
