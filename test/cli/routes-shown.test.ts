/** Routes whose rows are not the tokens of a call: they are not shown as if they were. */
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { expertMap, mapTitle } from "../../cli/show/expert-map.js";
import { joinedRoutes } from "../../cli/show/joined-routes.js";
import { rowOfRoutes } from "../../runtime/model/tensor.js";
import { loadModel, Model, type RouteTrace } from "../../runtime/node/index.js";
import { addNames, layersOf } from "../../serve/api/page.js";
import { folderOf, moec } from "./io.js";

/** Three tokens, each to one expert. */
const tokens: RouteTrace = {
  label: "m",
  names: ["m"],
  layers: 1,
  tokens: 3,
  byToken: true,
  axes: ["T"],
  slots: 1,
  experts: 8,
  index: Int32Array.of(4, 5, 6),
  weight: Float32Array.of(1, 1, 1),
};
/** Two rows that were made of three tokens. */
const rows: RouteTrace = { ...tokens, tokens: 2, byToken: false, axes: ["N"], index: Int32Array.of(7, 3) };

/** A prompt of two tokens through `a` alone, then one token through `a` and `b`, and one through `b`. */
const first = { ...tokens, label: "a", names: ["a"], tokens: 2, index: Int32Array.of(4, 5) };
const second = { ...tokens, label: "a", names: ["a"], tokens: 1, index: Int32Array.of(6) };
const other = {
  ...tokens,
  label: "b",
  names: ["b"],
  tokens: 1,
  slots: 2,
  index: Int32Array.of(1, 2),
  weight: Float32Array.of(1, 1),
};
const modes = [
  { read: [1, 2], routes: [first] },
  { read: [3], routes: [second, other] },
  { read: [4], routes: [other] },
];

describe("calls with other mixtures", () => {
  it("are joined by the paths of their experts, empty where a call has no such mixture", () => {
    const routes = joinedRoutes(modes);
    expect(routes.map(({ label, index }) => [label, [...index]])).toEqual([
      ["a", [4, 5, 6, -1]],
      ["b", [-1, -1, -1, -1, 1, 2, 1, 2]],
    ]);
    expect(routes.every((one) => one.tokens === 4 && one.byToken)).toBe(true);
    expect(expertMap(routes, [], { colors: false, columns: 80 }).map((line) => line.trimEnd())).toEqual([
      "a",
      expect.stringMatching(/^ +EFG·/),
      "b",
      expect.stringMatching(/^ +··BB/),
      expect.stringMatching(/^ +··CC/),
    ]);
  });

  it("keep the choices of one path apart where they are of another number", () => {
    const single = { ...other, slots: 1, index: Int32Array.of(7) };
    const routes = joinedRoutes([modes[2]!, { read: [5], routes: [single] }]);
    expect(routes.map(({ slots, index }) => [slots, [...index]])).toEqual([
      [2, [1, 2, -1, -1]],
      [1, [-1, 7]],
    ]);
  });

  it("are joined without places where rows are no tokens", () => {
    const routes = joinedRoutes([{ read: [1, 2, 3], routes: [rows] }, modes[2]!]);
    expect(routes.map(({ tokens: count, byToken }) => [count, byToken])).toEqual([
      [2, false],
      [4, true],
    ]);
  });

  it("are named again for the page when there are more", () => {
    const names: string[] = [];
    const events = modes.map((step) => [addNames(names, [step]), [...names], layersOf(step.routes, 0, names)]);
    const pair = [
      [1, 1],
      [2, 1],
    ];
    expect(events).toEqual([
      [true, ["a"], [[[4, 1]]]],
      [true, ["a", "b"], [[[6, 1]], pair]],
      [false, ["a", "b"], [[], pair]],
    ]);
  });
});

describe("layers", () => {
  /** Layers 1, 4 and 10 of a stack, between those of another kind. */
  const kind = (path: string, ...layers: readonly number[]): RouteTrace => ({
    ...tokens,
    label: `layers.${layers[0]}.${path}`,
    names: layers.map((layer) => `layers.${layer}.${path}`),
    layers: layers.length,
    tokens: 1,
    index: Int32Array.from(layers, (layer) => layer % 8),
    weight: new Float32Array(layers.length).fill(1),
  });
  const routes = [kind("moe.experts", 1, 4, 10), kind("few", 2, 5)];

  it("of several kinds are shown by their numbers in the stack", () => {
    expect(expertMap(routes, [], { colors: false, columns: 80 }).map((line) => line.slice(0, 13).trimEnd())).toEqual([
      "layers.moe.ex",
      "layer 1   B",
      "layer 4   E",
      "layer 10  C",
      "layers.few",
      "layer 2   C",
      "layer 5   F",
    ]);
  });

  it("stand on the page in the order in which a token meets them", () => {
    const names: string[] = [];
    addNames(names, [{ routes: [...routes, first] }]);
    expect(names).toEqual([
      "layers.1.moe.experts",
      "layers.2.few",
      "layers.4.moe.experts",
      "layers.5.few",
      "layers.10.moe.experts",
      "a",
    ]);
    expect(layersOf(routes, 0, names).map(([taken]) => taken?.[0])).toEqual([1, 2, 4, 5, 2, undefined]);
  });
});

describe("rows that are no tokens", () => {
  it("are left out of what the page says about a token", () => {
    const names: string[] = [];
    expect(addNames(names, [{ routes: [rows] }])).toBe(false);
    expect(addNames(names, [{ routes: [tokens, rows] }])).toBe(true);
    expect(layersOf([tokens, rows], 2, names)).toEqual([[[6, 1]]]);
    expect(layersOf([rows], 0, names)).toEqual([[]]);
  });

  it("are not taken apart by texts", () => {
    expect([...rowOfRoutes(tokens, 2).index]).toEqual([6]);
    expect(rowOfRoutes(rows, 2)).toEqual(rows);
  });

  it("are called rows in the map", () => {
    expect(mapTitle([tokens])).toBe("Which 1 experts took which token: a column is a token, a letter is an expert.");
    expect(mapTitle([tokens, rows])).toContain("a column is a row of routes");
    expect(mapTitle([{ ...tokens, axes: ["T", "H"], slots: 4 }])).toMatch(/^Which experts took which token/);
  });

  const text = `import { SwiGLU } from "std"

block Both[D, F, E] batch dependent {
  param w: [D, E]
  param v: [D]
  use each = E of SwiGLU[D, F]
  (x: [T, D]) => {
    axis N = ceil(T / 2)
    let best = int(sort(argtop(x @ v, N, over: T, as: N), over: N))
    let some = x[T: best]
    let y = mixture(some, choose(softmax(some @ w, over: E), top: 2), each)
    scatter(y, best, N -> T) + mixture(x, choose(softmax(x @ w, over: E), top: 1), each)
  }
}

model M[V = 16, D = 32, F = 32, E = 4] {
  param tok: [V, D]
  use both = Both[D, F, E]
  forward(tokens: int[T]) -> f32[T, V] => both(tok[V: tokens]) @ tok
}
`;
  const built = folderOf({ "both.moe": text });
  afterAll(() => built.remove());

  it("are told apart by a bundle", async () => {
    const out = join(built.path, "bundle");
    const args = ["build", join(built.path, "both.moe"), "--random", "3", "--quantization", "f32", "--out", out];
    const { code, err } = await moec([...args, "--json"]);
    expect(code, err).toBe(0);
    const model = await loadModel(Model, out, { device: "wasm", threads: 1 });
    try {
      const { routes } = await model.call("forward", { tokens: [1, 2, 3, 4, 5, 6, 7] }, { trace: true });
      expect(routes).toMatchObject([
        { axes: ["N"], tokens: 4, slots: 2, byToken: false },
        { axes: ["T"], tokens: 7, slots: 1, byToken: true },
      ]);
    } finally {
      model.dispose();
    }
  });
});
