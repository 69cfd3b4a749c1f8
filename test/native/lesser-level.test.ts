/** A processor that has AVX2 and no more: it takes the lesser of two levels, and everything that speaks of it says why. */
import type fs from "node:fs";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { x86v3, x86v4 } from "../../compiler/targets/index.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec } from "../cli/io.js";

/** The system's file says what the processor has: of this one nothing beyond AVX2. */
vi.mock("node:fs", async (original) => {
  const own = await original<typeof fs>();
  const readFileSync = ((path: string, ...rest: readonly never[]) => {
    const read = (own.readFileSync as (path: string, ...rest: readonly never[]) => string)(path, ...rest);
    return path === "/proc/cpuinfo" ? read.replace(/ (avx512|avx_vnni|amx)\w*/g, "") : read;
  }) as typeof fs.readFileSync;
  return { ...own, readFileSync };
});
// Behind the mock.
const { hasNative, levels } = await import("../support/native.js");

const place = folderOf({
  // Without products, whose kernels take LLVM seconds.
  "small.moe": `model Small[V = 2048, D = 32] {
  param tok: [V, D]
  tokenizer "tokenizer.json"
  forward(tokens: int[T]) -> f32[T, V] => sum(tok[V: tokens], over: D) * tok[D: 0]
}
`,
});
copyFileSync("examples/tiny-moe/tokenizer.json", join(place.path, "tokenizer.json"));
const cwd = place.path;
const why = /^not x86-64-v4-vnni: the processor lacks avx512f, .*avx512_vnni$/;

describe.runIf(hasNative && levels[0] === x86v3)("a bundle with both levels on a processor with the lesser one", () => {
  beforeAll(async () => {
    vi.stubEnv("MOEC_CACHE", join(cwd, "cache"));
    const both = ["--target", "wasm,native", "--level", `${x86v4.name},${x86v3.name}`];
    const built = await moec(["build", "small.moe", "--out", "out", "--random", "1", "--context", "32", ...both], {
      cwd,
    });
    expect(built).toMatchObject({ code: 0, err: "" });
  }, 60_000);
  afterAll(() => {
    vi.unstubAllEnvs();
    place.remove();
  });

  it("runs, and the report says why the better level does not", async () => {
    using model = await loadModel(Model, join(cwd, "out"), { device: "native", threads: 1 });
    expect(model.report).toMatchObject({ level: x86v3.name, whyNotBetter: expect.stringMatching(why) as string });
  });

  it("is what `moec run` and `moec doctor` say", async () => {
    const run = (...more: readonly string[]) =>
      moec(["run", "out", "Once", "-n", "2", "--device", "native", "--threads", "1", ...more], { cwd });
    const asJson = JSON.parse((await run("--json")).out) as { device: Record<string, unknown> };
    expect(asJson.device).toMatchObject({ level: x86v3.name, whyNotBetter: expect.stringMatching(why) as string });
    expect((await run()).err).toMatch(/not x86-64-v4-vnni: the processor lacks avx512f/);
    expect((await moec(["doctor"], { cwd })).out).toMatch(/native level.*x86-64-v3.*not x86-64-v4-vnni: the processor/);
  });
});
