/** Recipes as programs: models with the arguments that the head gives them, and which line sets a parameter. */
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildRecipe, recipesOf, type BuiltRecipe, type RecipeOptions } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { testHost } from "../check/host.js";

const NET = `expert Net[D, F] {
  param up: [D, F]
  param down: [F, D]
  (x: [D]) => relu(x @ up) @ down
}
model One[D = 4, F = 6] {
  use net = Net[D, F]
  forward(x: [T, D]) -> [T, D] => net(x)
}
`;

function codesOf(text: string): readonly string[] {
  return check("r.moe", testHost({ "r.moe": text })).diagnostics.map(({ code }) => code);
}

/** The last recipe of a text. */
function built(text: string, options?: RecipeOptions): BuiltRecipe {
  const project = check("r.moe", testHost({ "r.moe": text }));
  return buildRecipe(project, recipesOf(project).at(-1)!, options);
}

const pathsOf = ({ params }: Program): readonly string[] => params.map(({ path }) => path).sort();

/** The text of the line that sets each parameter; the parameter of a source where none does. */
function fromOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    built(text).parameters.map(({ path, line, taken }) => [path, line ? text.slice(line.start, line.end) : taken!]),
  );
}

describe("models are those of the head", () => {
  const LINEAR = `import { RMSNorm, LayerNorm } from "std"
block Lin[D](bias: bool) {
  param w: [D, N = D]
  param b: [D] = 0
  (x: [T, D]) => if bias then (x @ w)[N -> D] + b else (x @ w)[N -> D]
}
model M[D = 4](bias: bool = false, norm: block = RMSNorm[D]) {
  use lin = Lin[D](bias)
  use last = norm
  forward(x: [T, D]) -> [T, D] => last(lin(x))
}
`;

  test("booleans and modules that the head gives are those of the programs", () => {
    const { target, sources, parameters } = built(
      `${LINEAR}recipe R(a: M) -> b: M(bias: true, norm: LayerNorm[4]) {
  b.lin.b = 1.0
  b.norm.weight = a.norm.weight
  b.norm.bias = 1.0
}
`,
    );
    expect(pathsOf(sources.get("a")!)).toEqual(["lin.w", "norm.weight"]);
    expect(pathsOf(target)).toEqual(["lin.b", "lin.w", "norm.bias", "norm.weight"]);
    expect(parameters.map(({ path }) => path).sort()).toEqual(pathsOf(target));
  });

  test("a number of the recipe decides what a model is made of", () => {
    const text = `model Deep[D = 4](count: int = 2) {
  param w: [D, K = count]
  forward(x: [T, D]) -> [T, K = count] => x @ w
}
recipe R(a: Deep, count: int = 3) -> b: Deep(count) {
  b.w = 1.0
}
`;
    const size = (options?: RecipeOptions) => built(text, options).target.params[0]!.axes.at(-1)!.size.evaluate({});
    expect(size()).toBe(3);
    expect(size({ numbers: { count: 5 } })).toBe(5);
  });
});

describe("numbers and sizes that are given by name", () => {
  const TEXT = `${NET}recipe R[K = 2](a: One, count: int = 1, share: float = 0.5) -> b: One {
  assert K > 1
  b.net.up = share * count * a.net.up
}
`;

  test.each([
    [{ numbers: { cuont: 2 } }, "MOE2193"],
    [{ numbers: { a: 2 } }, "MOE2269"],
    [{ numbers: { K: 2 } }, "MOE2193"],
    [{ sizes: { D: 2 } }, "MOE2193"],
    [{ sizes: { count: 2 } }, "MOE2193"],
    [{ numbers: { count: 0.5 } }, "MOE2103"],
  ] satisfies (readonly [RecipeOptions, string])[])("%j is refused by %s", (options, code) => {
    expect(() => built(TEXT, options)).toThrow(expect.objectContaining({ code }));
  });

  test("those of the head are taken", () => {
    expect(built(TEXT, { numbers: { count: 2, share: 1 }, sizes: { K: 3 } }).parameters).toHaveLength(2);
    expect(() => built(TEXT, { sizes: { K: 1 } })).toThrow(expect.objectContaining({ code: "MOE2270" }));
  });
});

describe("parts that other recipes set", () => {
  const PART = `${NET}recipe Twice[D, F](a: Net[D, F]) -> b: Net[D, F] {
  b = 2 * a
}
`;
  const part = "  b.net = Twice(a.net)\n";
  const nearer = "  b.net.up = 3 * a.net.up\n";

  test.each([
    ["before", nearer + part],
    ["behind", part + nearer],
  ])("a nearer line counts that stands %s the part", (_, lines) => {
    expect(fromOf(`${PART}recipe R(a: One) -> b: One {\n${lines}}\n`)).toEqual({
      "net.up": "3 * a.net.up",
      "net.down": "2 * a",
    });
  });

  test.each([
    ["before", "  b.net = 2 * a.net\n  b = 5 * a\n"],
    ["behind", "  b = 5 * a\n  b.net = 2 * a.net\n"],
  ])("a nearer module counts that stands %s", (_, lines) => {
    expect(fromOf(`${NET}recipe R(a: One) -> b: One {\n${lines}}\n`)).toEqual({
      "net.up": "2 * a.net",
      "net.down": "2 * a.net",
    });
  });

  test("a recipe that checks alone is a part as well: what no body reads needs no line", () => {
    const text = `${NET}expert Spare[D, F] {
  param up: [D, F]
  param down: [F, D]
  param spare: [D, F]
  (x: [D]) => relu(x @ up) @ down
}
model Two[D = 4, F = 6] {
  use net = Spare[D, F]
  forward(x: [T, D]) -> [T, D] => net(x)
}
recipe Made[D, F](a: Net[D, F]) -> b: Spare[D, F] {
  b.up = a.up
}
recipe R(a: One) -> b: Two {
  b.net = Made(a.net)
}
`;
    expect(codesOf(text)).toEqual([]);
    expect(fromOf(text)).toEqual({ "net.up": "a.up", "net.down": "a.net.down" });
  });

  test("a source counts as used that only an argument reads", () => {
    const scaled = `${NET}recipe Scaled[D, F](a: Net[D, F], gain: [1 -> G]) -> b: Net[D, F] {
  b.up = a.up * sum(gain, over: G)
}
`.replaceAll("[1 -> G]", "[G = 1]");
    const text = (argument: string): string =>
      `${scaled}recipe R(a: One, s: One) -> b: One {\n  b.net = Scaled(a.net, ${argument})\n}\n`;
    expect(codesOf(text("sum(s.net.up[D: 0..1][D -> G], over: F)"))).toEqual([]);
    expect(codesOf(text("sum(a.net.up[D: 0..1][D -> G], over: F)"))).toEqual(["MOE2266"]);
  });

  test.each([
    ["itself", "recipe R[D, F](a: Net[D, F]) -> b: Net[D, F] {\n  b = R(a)\n}\n", ["MOE2273"]],
    [
      "one that applies it",
      "recipe R[D, F](a: Net[D, F]) -> b: Net[D, F] {\n  b = S(a)\n}\n" +
        "recipe S[D, F](a: Net[D, F]) -> b: Net[D, F] {\n  b = R(a)\n}\n",
      ["MOE2273", "MOE2273"],
    ],
  ])("a recipe that applies %s is refused", (_, recipes, codes) => {
    expect(codesOf(NET + recipes)).toEqual(codes);
  });
});

test("axes of a module that is an argument are called as where it is made, those of a default as inside", () => {
  const text = (use: string): string => `block Scale[C] {
  param w: [C]
  (x: [T, C]) => x * w
}
block Inner[A, B](scale: block = Scale[B]) {
  param m: [A, B]
  (x: [T, A]) => scale(x @ m)
}
model Outer[N = 4, D = 6] {
  use part = ${use}
  forward(x: [T, N]) -> [T, D] => part(x)
}
recipe R(a: Outer) -> b: Outer {
  b.part.scale.w = normal([D])
}
`;
  expect(codesOf(text("Inner[N, D](scale: Scale[D])"))).toEqual([]);
  expect(codesOf(text("Inner[N, D]"))).toEqual([]);
});

test("sizes that a recipe proposes are checked as well as all others", () => {
  const text = (size: number): string => `${NET}recipe R[D, F, E = ${size}](a: Net[D, F]) -> b: Net[D, F] {
  assert E % 2 == 0, "pairs"
  b = 2 * a
}
`;
  expect(codesOf(text(5))).toEqual(["MOE2270"]);
  expect(codesOf(text(6))).toEqual([]);
});
