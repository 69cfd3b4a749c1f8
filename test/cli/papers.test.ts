/**
 * Models of papers that the library does not have, written from the language's pages: their tests hold, the compiled model
 * is what the spec says, and token by token it is the same as all at once.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec } from "./io.js";

const FOLDER = join("test", "samples", "papers");
const papers = readdirSync(FOLDER).filter((name) => name.endsWith(".moe"));
const built = folderOf({});
afterAll(() => built.remove());

/** Models that keep nothing from call to call. */
const isWhole = (file: string): boolean => !/Attention\[|state /.test(readFileSync(file, "utf8"));
const hasExperts = (file: string): boolean => /mixture\(|MoE\[/.test(readFileSync(file, "utf8"));
const TOKENS = [3, 25, 17, 17, 59, 4, 20];

describe.each(papers)("%s", (name) => {
  const file = join(FOLDER, name);

  it("holds its own tests", async () => {
    const { code, out } = await moec(["test", file]);
    expect(out).not.toContain("✗");
    expect(code).toBe(0);
  });

  it("is what the spec says as WebAssembly, choice by choice", async () => {
    const args = [
      "verify",
      file,
      "--random",
      "3",
      "--quantization",
      "f32",
      "--threads",
      "1",
      "--tokens",
      "9",
      "--json",
    ];
    const { code, out, err } = await moec(args);
    expect(err).toBe("");
    expect(code).toBe(0);
    const { routes } = JSON.parse(out) as { routes: readonly { same: number; all: number }[] };
    // Mixtures of experts choose; what a paper chooses otherwise is numbers of the spec.
    expect(routes.length > 0).toBe(hasExperts(file));
    for (const { same, all } of routes) {
      expect(all).toBeGreaterThan(0);
      expect(same).toBe(all);
    }
  });

  it.skipIf(isWhole(file))("gives the same token by token", async () => {
    const out = join(built.path, name);
    const args = ["build", file, "--random", "3", "--quantization", "f32", "--out", out, "--json"];
    expect((await moec(args)).code).toBe(0);
    const model = await loadModel(Model, out, { device: "wasm", threads: 1 });
    try {
      const { outputs } = await model.call("forward", { tokens: TOKENS });
      const all = outputs["result"]!.data;
      const width = all.length / TOKENS.length;
      await model.reset();
      for (const [at, token] of TOKENS.entries()) {
        const step = (await model.extend("forward", { tokens: [token] })).outputs["result"]!.data;
        const expected = all.subarray(at * width, (at + 1) * width);
        // Sums of up to 256 terms in another order: 256 * 2^-24 of logits near 1.
        for (const [i, value] of expected.entries()) expect(Math.abs(step[i]! - value)).toBeLessThan(2e-5);
      }
    } finally {
      model.dispose();
    }
  });
});

describe("what kernels cannot do", () => {
  it("is refused where a shared module has a cache, or an expert holds a mixture", async () => {
    const text = readFileSync(join("compiler", "errors", "MOE2280-cache-filled-twice.md"), "utf8");
    const shared = /```moe\n([^`]*)```/.exec(text)![1]!;
    const folded = (turns: string): string => `import { Attention } from "std"
block Layer[D, H, C] {
  use attn = Attention[D, H, H, C]
  (x: [T, D]) => fold(i in ${turns}, (y = x)) => y + attn(y)
}
model M[V = 16, L = 2, D = 8, H = 2, C = 4] {
  param tok: [V, D]
  stack layers = L of Layer[D, H, C]
  forward(tokens: int[T]) -> f32[T, V] => layers(tok[V: tokens]) @ tok
}
`;
    const nested = `import { TopK, SwiGLU } from "std"
expert Inner[D, F, E](k: int) {
  use route = TopK[D, E](k)
  use experts = E of SwiGLU[D, F]
  (x: [D]) => mixture(x, route, experts)
}
model M[V = 16, D = 8, F = 4, A = 3, B = 2] {
  param tok: [V, D]
  use outer = TopK[D, A](2)
  use groups = A of Inner[D, F, B](1)
  forward(tokens: int[T]) -> f32[T, V] => mixture(tok[V: tokens], outer, groups) @ tok
}
`;
    const folder = folderOf({
      "shared.moe": shared,
      "nested.moe": nested,
      "turns.moe": folded("0..20"),
      "open.moe": folded("0..T"),
    });
    try {
      const twice = await moec(["inspect", "shared.moe"], { cwd: folder.path });
      expect(twice).toMatchObject({ code: 1, err: expect.stringContaining("MOE2280") as string });
      expect(twice.err).toContain("appended 2 times");
      // A fold that is a loop of the graph counts as one that is written out.
      for (const [file, times] of [
        ["turns.moe", "20"],
        ["open.moe", "many"],
      ] as const) {
        const { code, err } = await moec(["inspect", file], { cwd: folder.path });
        expect([code, err]).toEqual([1, expect.stringContaining(`appended ${times} times`)]);
        expect(err).toContain("MOE2280");
      }
      const inner = await moec(["verify", "nested.moe", "--random", "1"], { cwd: folder.path });
      expect(inner.err).toContain("MOE3370");
      expect(inner.code).toBe(3);
    } finally {
      folder.remove();
    }
  });
});
