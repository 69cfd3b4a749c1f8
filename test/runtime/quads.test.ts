/** Which WebAssembly kernels of a bundle run where sums of four products of bytes are exact, and where they are not. */
import { expect, it, vi } from "vitest";
import { writeBundle } from "../../compiler/6-bundle/index.js";
import type { Manifest, ManifestQuads } from "../../compiler/6-bundle/manifest.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmQuads } from "../../compiler/targets/index.js";
import type * as features from "../../runtime/wasm/features.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { toyInput } from "./toy-bundle.js";
import { kernels, plan } from "./toy-model.js";

type Features = typeof features;

const engine = vi.hoisted(() => ({ quads: false }));
vi.mock("../../runtime/wasm/features.js", async (original) => {
  const real = await original<Features>();
  return { wasmFeatures: () => ({ ...real.wasmFeatures(), quads: engine.quads }) };
});

/** The toy multiplies no bytes, so its kernels run on every engine. */
const modules = [{ threads: false, bytes: emitWasm(kernels, wasmQuads) }];
const whole: MemoryFiles = new Map();
writeBundle({ ...toyInput(), quads: { plan, modules, scratchBytes: scratchBytes(kernels) } }, memoryWriter(whole));
const manifest = JSON.parse(new TextDecoder().decode(whole.get("manifest.json"))) as Manifest;

const open = (files: MemoryFiles): ReturnType<typeof openModel> =>
  openModel(memoryFiles(files), nodeHost(), { threads: 1, device: "wasm" });

it.each([
  [true, ["kernels-quads.wasm", "plan-quads.json"]],
  [false, ["kernels-relaxed.wasm", "plan.json"]],
])("exact: %s", async (quads, used) => {
  engine.quads = quads;
  const others = [...whole.keys()].filter((path) => /^(kernels|plan)/.test(path) && !used.includes(path));
  const files = new Map(whole);
  for (const path of others) files.delete(path);
  const { device } = await open(files);
  device.dispose();
  expect(device.report).toMatchObject({ device: "wasm", quads });
});

it("weights are written once", () => {
  const shards = manifest.files.filter(({ path }) => path.endsWith(".bin"));
  expect(shards.map(({ path }) => path)).toEqual(manifest.shards.map(({ file }) => file));
});

it.each([
  ["a plan that is not listed", (quads: ManifestQuads) => ({ ...quads, plan: "other.json" })],
  ["a plan outside", (quads: ManifestQuads) => ({ ...quads, plan: "../plan.json" })],
  [
    "other weights",
    (quads: ManifestQuads) => ({ ...quads, memory: { ...quads.memory, weights: quads.memory.weights + 64 } }),
  ],
  ["no kernels", (quads: ManifestQuads) => ({ ...quads, kernels: [] })],
])("%s are refused", async (_, change) => {
  engine.quads = true;
  const targets = manifest.targets.map((one) =>
    one.name === "wasm" && one.quads ? { ...one, quads: change(one.quads) } : one,
  );
  const text = new TextEncoder().encode(JSON.stringify({ ...manifest, targets }));
  await expect(open(new Map([...whole, ["manifest.json", text]]))).rejects.toMatchObject({
    code: expect.stringMatching(/^MOE530[279]$/) as string,
  });
});
