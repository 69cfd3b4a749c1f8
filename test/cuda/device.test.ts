/** The CUDA device on a small model: graphs, texts, what the driver refuses, which code a GPU gets. */
import { beforeAll, describe, expect, it } from "vitest";
import { cudaLaunch, emitCuda } from "../../compiler/5-emit/cuda/index.js";
import { writeBundle, type BundleInput } from "../../compiler/6-bundle/index.js";
import { cuda } from "../../compiler/targets/index.js";
import { codeFor } from "../../runtime/cuda/code.js";
import { Model } from "../../runtime/model/model.js";
import { openModel, type OpenOptions } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { toyInput } from "../runtime/toy-bundle.js";
import { expectedLogits, kernels, plan } from "../runtime/toy-model.js";
import { hasCudaCpu } from "../support/cuda-cpu.js";
import { fakeDriver, install, type FakeDriver } from "../support/fake-cuda.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";

const source = emitCuda(kernels, cuda);
const code = { plan, source, launches: kernels.map(cudaLaunch), modules: [] };
function bundle(change: Partial<BundleInput> = {}): MemoryFiles {
  const files: MemoryFiles = new Map();
  writeBundle({ ...toyInput(), cuda: code, ...change }, memoryWriter(files));
  return files;
}
const ptx = new TextEncoder().encode(kernels.map(({ name }) => `.visible .entry ${name}()\n`).join(""));

let driver: FakeDriver;
async function load(options: OpenOptions = {}, files = bundle()): Promise<Model> {
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), { threads: 1, ...options }));
  await model.reset();
  return model;
}
async function logits(model: Model, tokens: readonly number[]): Promise<number[]> {
  const { outputs } = await model.call("forward", { tokens: [...tokens] });
  return [...outputs["logits"]!.data].slice(-expectedLogits(tokens).length);
}
const ids = [3, 1, 4, 1, 5];

describe.runIf(hasCudaCpu)("a bundle with CUDA kernels", () => {
  beforeAll(async () => install((driver = await fakeDriver(kernels))));

  it("runs on the GPU by itself, by the source where no code was compiled", async () => {
    const before = driver.calls("nvrtcCompileProgram");
    const model = await load();
    expect(model.report).toMatchObject({ device: "cuda", gpu: "a GPU of this test" });
    expect(model.report.dispatches?.["forward"]).toBeGreaterThan(0);
    expect(driver.calls("nvrtcCompileProgram")).toBe(before + 1);
    expect(await logits(model, ids)).toEqual(expectedLogits(ids));
    model.dispose();
    expect(driver.held()).toBe(0);
  });

  it("takes compiled code without NVRTC", async () => {
    const before = driver.calls("nvrtcCompileProgram");
    const model = await load({}, bundle({ cuda: { ...code, modules: [{ kind: "ptx", capability: 80, bytes: ptx }] } }));
    expect(await logits(model, ids)).toEqual(expectedLogits(ids));
    expect(driver.calls("nvrtcCompileProgram")).toBe(before);
    model.dispose();
  });

  it("builds a graph once and afterwards changes what is other than before", async () => {
    const model = await load();
    const graphs = driver.calls("cuGraphInstantiateWithFlags");
    for (const tokens of [ids, [2], [7, 1], [1], [2]]) {
      await model.reset();
      expect(await logits(model, tokens)).toEqual(expectedLogits(tokens));
    }
    expect(driver.calls("cuGraphInstantiateWithFlags")).toBe(graphs + 1);
    const changed = driver.calls("cuGraphExecKernelNodeSetParams_v2");
    await model.reset();
    expect(await logits(model, [5])).toEqual(expectedLogits([5]));
    // The same sizes as before: nothing but the tokens is new.
    expect(driver.calls("cuGraphExecKernelNodeSetParams_v2")).toBe(changed);
    model.dispose();
    expect(driver.held()).toBe(0);
  });

  it("says what the driver says, by codes", async () => {
    const cases: readonly (readonly [() => void, string])[] = [
      [() => driver.set("devices", 0), "MOE4230"],
      [() => driver.set("capability", 75), "MOE4230"],
      [() => driver.fail("cuInit", 100), "MOE4230"],
      [() => driver.fail("cuModuleLoadData", 218), "MOE4231"],
      [() => driver.fail("nvrtcCompileProgram", 6), "MOE4232"],
      [() => driver.set("memory", 1024), "MOE4233"],
      [() => driver.fail("cuDevicePrimaryCtxRetain", 999), "MOE4234"],
    ];
    for (const [prepare, expected] of cases) {
      prepare();
      await expect(load({ device: "cuda" })).rejects.toMatchObject({ code: expected });
      driver.set("devices", 1);
      driver.set("capability", 90);
      driver.set("memory", 1 << 30);
      expect(driver.held(), expected).toBe(0);
    }
    const model = await load({ device: "cuda" });
    driver.fail("cuGraphLaunch", 719);
    await expect(logits(model, ids)).rejects.toThrow("CUDA_ERROR_LAUNCH_FAILED to cuGraphLaunch");
    model.dispose();
    expect(driver.held()).toBe(0);
  });

  it("gives back what it has built of a graph when the driver fails, and builds it anew", async () => {
    const model = await load({ device: "cuda" });
    const before = driver.held();
    const building = [
      "cuGraphCreate",
      "cuGraphAddKernelNode_v2",
      "cuGraphInstantiateWithFlags",
      "cuGraphLaunch",
    ] as const;
    for (const call of building) {
      driver.fail(call, 999);
      await model.reset();
      await expect(logits(model, ids), call).rejects.toMatchObject({ code: "MOE4234" });
      expect(driver.held(), call).toBe(before);
    }
    const right = async (tokens: readonly number[]): Promise<void> => {
      await model.reset();
      expect(await logits(model, tokens)).toEqual(expectedLogits(tokens));
      expect(driver.held()).toBe(before + 2);
    };
    await right(ids);
    // A graph that was changed in part is dropped: nobody knows what the driver has taken.
    driver.fail("cuGraphExecKernelNodeSetParams_v2", 999);
    await model.reset();
    await expect(logits(model, [2])).rejects.toMatchObject({ code: "MOE4234" });
    expect(driver.held()).toBe(before);
    for (const tokens of [[2], ids]) await right(tokens);
    model.dispose();
    expect(driver.held()).toBe(0);
  });

  it("runs wasm where there is no driver, and says why", async () => {
    process.env["MOEC_LIBCUDA"] = "/nowhere/libcuda.so.1";
    const model = await load();
    expect(model.report.device).toBe("wasm");
    expect(model.report.whyNotCuda).toContain("/nowhere/libcuda.so.1");
    model.dispose();
    await expect(load({ device: "cuda" })).rejects.toMatchObject({ code: "MOE4230" });
    install(driver);
  });

  it("is refused when a count of threads is zero or a file is another", async () => {
    const zero = bundle({ cuda: { ...code, launches: code.launches.map((one) => ({ ...one, groupBlocks: 0 })) } });
    await expect(load({ device: "cuda" }, zero)).rejects.toMatchObject({ code: "MOE5302" });
    for (const path of ["kernels-cuda.cu", "kernels-cuda.json", "plan-cuda.json"]) {
      const files = bundle();
      files.get(path)![0]! ^= 1;
      await expect(load({ device: "cuda" }, files), path).rejects.toMatchObject({ code: "MOE5306" });
    }
  });
});

describe("the code that a GPU gets", () => {
  const modules = [
    { file: "80.cubin", kind: "cubin", capability: 80 },
    { file: "90.cubin", kind: "cubin", capability: 90 },
    { file: "80.ptx", kind: "ptx", capability: 80 },
  ] as const;
  it.each([
    [80, "80.cubin"],
    [86, "80.cubin"],
    [90, "90.cubin"],
    [100, "80.ptx"],
    [75, undefined],
  ])("of capability %d is %s", (capability, file) => {
    expect(codeFor({ modules }, capability)?.file).toBe(file);
  });
});
