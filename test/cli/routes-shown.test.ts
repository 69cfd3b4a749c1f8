/** Routes whose rows are not the tokens of a call: they are not shown as if they were. */
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mapTitle } from "../../cli/show/expert-map.js";
import { rowOfRoutes } from "../../runtime/model/tensor.js";
import { loadModel, Model, type RouteTrace } from "../../runtime/node/index.js";
import { layersOf } from "../../serve/api/page.js";
import { folderOf, moec } from "./io.js";

/** Three tokens, each to one expert. */
const tokens: RouteTrace = {
  label: "m",
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

describe("rows that are no tokens", () => {
  it("are left out of what the page says about a token", () => {
    expect(layersOf([tokens, rows], 2)).toEqual([[[6, 1]]]);
    expect(layersOf([rows], 0)).toEqual([]);
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
