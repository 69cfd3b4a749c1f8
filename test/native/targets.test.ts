/** One bundle for every place: what is in it, what the runtime takes of it here, and why not something else. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareRows } from "../../cli/verify/compare.js";
import { loadModel, Model } from "../../runtime/node/index.js";
import { folderOf, moec } from "../cli/io.js";
import { hasNative } from "../support/native.js";

const [V, D] = [64, 32];
const place = folderOf({
  "tied.moe": `model Tied[V = ${V}, D = ${D}] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}
`,
});
const cwd = place.path;
const SMALL = ["--random", "1", "--context", "32", "--prefill", "8"];
const ids = [3, 1, 4, 1, 5, 9, 2, 6];

async function logits(device: "auto" | "native" | "wasm"): Promise<Float32Array> {
  using model = await loadModel(Model, join(cwd, "all"), { threads: 1, device });
  const { outputs } = await model.call("forward", { tokens: ids });
  return Float32Array.from(Object.values(outputs)[0]!.data);
}

describe.runIf(hasNative)("a bundle for wasm, native, webgpu and cuda", () => {
  beforeAll(async () => {
    // This machine has no CUDA, whatever it has.
    for (const name of ["MOEC_NVCC", "MOEC_LIBCUDA"]) process.env[name] = join(cwd, "nothing");
    process.env["MOEC_CACHE"] = join(cwd, "cache");
    const targets = ["--target", "wasm,native,webgpu,cuda", "--quantization", "f32"];
    const built = await moec(["build", "tied.moe", "--out", "all", ...targets, ...SMALL], { cwd });
    expect(built.code, built.err).toBe(0);
    // Without NVIDIA's compiler the bundle has the source, and the build says so.
    expect(built.err).toContain("MOE4235");
  }, 240_000);
  afterAll(() => place.remove());

  it("has one manifest; equal weights lie in it once", async () => {
    using model = await loadModel(Model, join(cwd, "all"), { threads: 1 });
    const { targets, files } = model.manifest;
    expect(targets.map(({ name }) => name).sort()).toEqual(["cuda", "native", "wasm", "webgpu"]);
    const paths = files.map(({ path }) => path);
    expect(paths).toContain("kernels-cuda.cu");
    expect(paths).toContain("kernels-webgpu.json");
    expect(paths.some((path) => path.endsWith(".cubin"))).toBe(false);
    const hashes = files.filter(({ path }) => path.startsWith("weights")).map(({ sha256 }) => sha256);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("runs on the best device that is here, and says why not on a better one", async () => {
    using model = await loadModel(Model, join(cwd, "all"), { threads: 1 });
    expect(model.report.device).toBe("native");
    expect(model.report.whyNotCuda).toMatch(/CUDA .*nothing/);
    await expect(loadModel(Model, join(cwd, "all"), { device: "cuda" })).rejects.toThrow(/CUDA .*nothing/);
  });

  it("has the same logits on native as on wasm", async () => {
    const [native, wasm] = [await logits("native"), await logits("wasm")];
    // A sum of D products is off by D * 2^-24 of |a| |b| at most, and the row of logits of a holds |a|^2, so that its mean
    // square is |a|^4 / V or more. Rows of the table are less than twice as long as others; each of the two is off by that.
    expect(compareRows(native, wasm, V).relativeError).toBeLessThan(2 * 2 * D * Math.sqrt(V) * 2 ** -24);
  });
});
