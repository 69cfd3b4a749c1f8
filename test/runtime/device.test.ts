/** The same calls on the interpreter, on wasm with one thread and on wasm with several. */
import { afterAll, describe, expect, it, vi } from "vitest";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmRelaxed, wasmSimd } from "../../compiler/targets/index.js";
import type { Device } from "../../runtime/device.js";
import type { Host } from "../../runtime/host.js";
import { deviceText } from "../../runtime/device-text.js";
import { nodeHost } from "../../runtime/node/host.js";
import { chooseWasm, makeWasmDevice } from "../../runtime/wasm/device.js";
import { interpreterDevice } from "../support/interpreter-device.js";
import { compileWorker } from "./compiled-worker.js";
import { expectedLogits, kernels, plan, table, V } from "./toy-model.js";

const worker = compileWorker();
const host = nodeHost(worker.url);
afterAll(() => worker.remove());

function wasmDevice(threads: number, relaxedSimd = true, on: Host = host, mayBeFewer = false): Device {
  const choice = { ...chooseWasm(on, threads), relaxedSimd };
  const bytes = emitWasm(kernels, relaxedSimd ? wasmRelaxed : wasmSimd, { threads: threads > 1 });
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  return makeWasmDevice({ plan, module, scratchBytes: scratchBytes(kernels), choice, host: on, mayBeFewer });
}

const devices: readonly (readonly [string, () => Device])[] = [
  ["interpreter", () => interpreterDevice(kernels, plan, true)],
  ["wasm, one thread", () => wasmDevice(1)],
  ["wasm without relaxed SIMD", () => wasmDevice(1, false)],
  ["wasm, two threads", () => wasmDevice(2)],
  ["wasm, seven threads", () => wasmDevice(7)],
];

async function logitsOf(device: Device, ids: readonly number[], past: number): Promise<number[]> {
  await device.write("io", 0, new Uint8Array(Int32Array.from(ids).buffer));
  await device.run("forward", { T: ids.length, past });
  const bytes = await device.read("io", 64, ids.length * V * 4);
  return [...new Float32Array(bytes.slice().buffer)];
}

describe.each(devices)("%s", (_, make) => {
  it("computes what the plan says, call after call", async () => {
    const device = make();
    await device.write("weights", 0, new Uint8Array(table.slice().buffer));
    let text: number[] = [];
    for (let call = 0; call < 400; call++) {
      if (text.length >= 16) text = [];
      const ids = Array.from({ length: 1 + (call % 5) }, (_, i) => (call * 7 + i * 3) % V);
      const logits = await logitsOf(device, ids, text.length);
      const expected = ids.flatMap((_, i) => expectedLogits([...text, ...ids.slice(0, i + 1)]));
      expect(logits).toEqual(expected);
      text.push(...ids);
    }
    device.dispose();
  });

  it("does nothing for no tokens", async () => {
    const device = make();
    expect(await logitsOf(device, [], 0)).toEqual([]);
    device.dispose();
  });
});

describe("devices", () => {
  it("say why there is one thread", () => {
    expect(chooseWasm(host, 1)).toMatchObject({ threads: 1, whyOneThread: "one was asked for" });
    const alone = { ...host, whyNoThreads: "the page is not cross-origin isolated" };
    expect(chooseWasm(alone).whyOneThread).toContain("cross-origin");
  });

  it("name the kernel that the module lacks", () => {
    const module = new WebAssembly.Module(new Uint8Array(emitWasm(kernels.slice(1), wasmSimd, {})));
    const choice = chooseWasm(host, 1);
    expect(() => makeWasmDevice({ plan, module, scratchBytes: 0, choice, host })).toThrow(
      expect.objectContaining({ code: "MOE5312", message: expect.stringContaining("append") as string }),
    );
  });

  it("report a kernel that leaves the memory, on every number of threads", () => {
    for (const threads of [1, 3]) {
      const device = wasmDevice(threads);
      // A position far outside the caches.
      expect(() => device.run("forward", { T: 4, past: 2 ** 29 })).toThrow(
        expect.objectContaining({ code: "MOE5329" }),
      );
      device.dispose();
    }
  });

  it("say which thread does not run, and compute right until that is known", async () => {
    const device = wasmDevice(3, true, nodeHost(new URL("nowhere.js", worker.url)));
    await device.write("weights", 0, new Uint8Array(table.slice().buffer));
    expect(await logitsOf(device, [1], 0)).toEqual(expectedLogits([1]));
    const refusal = { code: "MOE4208", message: expect.stringMatching(/^thread [23] of 3 .*nowhere/) as string };
    const later = (): void => void device.run("forward", { T: 1, past: 0 });
    await vi.waitFor(() => expect(later).toThrow(expect.objectContaining(refusal)), { timeout: 50_000 });
    device.dispose();
  });

  it("stop the threads that run when a later one can't be started", () => {
    const stop = vi.fn();
    const startThread = vi.fn<Host["startThread"]>(() => {
      if (startThread.mock.calls.length === 2) throw new Error("no room for it");
      return stop;
    });
    expect(() => wasmDevice(3, true, { ...nodeHost(worker.url), startThread })).toThrow(
      expect.objectContaining({
        code: "MOE4208",
        message: "thread 3 of 3 can't be started: no room for it",
        help: expect.stringContaining("--threads 1") as string,
      }),
    );
    expect(stop).toHaveBeenCalledOnce();
  });

  it.each([1, 2])("are as many as can be started, %i, where no number was asked for", async (most) => {
    const machine = nodeHost(worker.url);
    let started = 1;
    const startThread: Host["startThread"] = (...args) => {
      if (started === most) throw new Error("no room for it");
      started++;
      return machine.startThread(...args);
    };
    const device = wasmDevice(3, true, { ...machine, startThread }, true);
    const why = `thread ${most + 1} of 3 can't be started: no room for it`;
    expect(device.report).toMatchObject({ threads: most, [most === 1 ? "whyOneThread" : "whyFewerThreads"]: why });
    expect(deviceText(device.report)).toContain(most === 1 ? `1 thread (${why})` : `2 threads (${why})`);
    await device.write("weights", 0, new Uint8Array(table.slice().buffer));
    expect(await logitsOf(device, [1], 0)).toEqual(expectedLogits([1]));
    device.dispose();
  });

  it("refuse a model beyond 4 GiB before anything is taken", () => {
    const large = { ...plan, spaces: { ...plan.spaces, weights: 5 * 2 ** 30 } };
    const module = new WebAssembly.Module(new Uint8Array(emitWasm(kernels, wasmSimd, {})));
    const parts = { plan: large, module, scratchBytes: 0, choice: chooseWasm(host, 1), host };
    expect(() => makeWasmDevice(parts)).toThrow(
      expect.objectContaining({ code: "MOE5310", message: expect.stringContaining("5 GiB of weights") as string }),
    );
  });
});
