/** Which kernels of a bundle with several devices run: the wanted ones and no others, the best that can for `auto`. */
import { describe, expect, it } from "vitest";
import { writeBundle, type BundleInput } from "../../compiler/6-bundle/index.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Device } from "../../runtime/device.js";
import type { Host, NativeChoice } from "../../runtime/host.js";
import { openModel, type OpenOptions } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { toyInput } from "./toy-bundle.js";
import { plan } from "./toy-model.js";

const all: BundleInput = {
  ...toyInput(),
  native: [{ level: "any", platform: "linux-x64", needs: [], plan, object: Uint8Array.of(1), scratchBytes: 0 }],
  webgpu: { plan, programs: [] },
};
const bundleOf = (input: BundleInput): MemoryFiles => {
  const files: MemoryFiles = new Map();
  writeBundle(input, memoryWriter(files));
  return files;
};
const whole = bundleOf(all);
const withoutWasm = bundleOf({ ...all, modules: [] });

/** A machine on which native kernels run, as far as memory that is written. */
const willing: NonNullable<Host["native"]> = ({ levels }) => {
  const device: Device = {
    report: { device: "native", threads: 1, relaxedSimd: false, memoryBytes: 0 },
    write: () => undefined,
    read: (_space, _offset, length) => new Uint8Array(length),
    run: () => undefined,
    dispose: () => undefined,
  };
  return Promise.resolve({ level: levels[0]!, open: () => Promise.resolve(device) });
};
const unwilling = (): Promise<NativeChoice> => Promise.reject(moecError("MOE4203", { reason: "of this test" }));
const host = (native: Host["native"]): Host => ({ ...nodeHost(), ...(native ? { native } : {}), gpu: noGpu });
let gpusAsked = 0;
const noGpu = (): Promise<undefined> => {
  gpusAsked++;
  return Promise.resolve(undefined);
};

async function reportOf(device: OpenOptions["device"], native: Host["native"], files = whole) {
  const options = { threads: 1, ...(device ? { device } : {}) };
  const opened = await openModel(memoryFiles(files), host(native), options);
  opened.device.dispose();
  return opened.device.report;
}

describe("a bundle for wasm, native and WebGPU", () => {
  it("runs native by itself where it can", async () => {
    expect((await reportOf(undefined, willing)).device).toBe("native");
    expect((await reportOf("native", willing)).device).toBe("native");
  });

  it("runs what is asked for also where native could run", async () => {
    expect(await reportOf("wasm", willing)).toMatchObject({ device: "wasm" });
    // WebGPU is not there: that is what is said, and nothing else runs in its place.
    await expect(reportOf("webgpu", willing)).rejects.toMatchObject({ code: "MOE4314" });
  });

  it("falls back to wasm on auto and says why not the others", async () => {
    const report = await reportOf("auto", unwilling);
    expect(report.device).toBe("wasm");
    expect(report.whyNotNative).toContain("of this test");
    expect(report.whyNotWebgpu).toContain("has no WebGPU");
    await expect(reportOf("native", unwilling)).rejects.toMatchObject({ code: "MOE4203" });
  });

  it("tries WebGPU when native can't run and there is no wasm, then says why not native", async () => {
    const before = gpusAsked;
    await expect(reportOf("auto", unwilling, withoutWasm)).rejects.toMatchObject({ code: "MOE4203" });
    expect(gpusAsked).toBe(before + 1);
    await expect(reportOf("wasm", willing, withoutWasm)).rejects.toMatchObject({ code: "MOE5308" });
  });
});
