/** The runtime's host in Node. */
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { Host } from "../host.js";
import { nodeGpu } from "./gpu.js";
import { ownPlatform } from "./platform.js";
import { RELAXED_SIMD } from "./relaxed-simd.js";
import { wasmFeatures } from "../wasm/features.js";
import type { WorkerStart } from "../wasm/work.js";

/**
 * @param worker The module that worker threads run; tests that run from the sources give the compiled one.
 */
export function nodeHost(worker: URL = new URL("./worker.js", import.meta.url)): Host {
  return {
    name: "node",
    parallelism: availableParallelism(),
    canBlock: true,
    whyNoThreads: undefined,
    // The flag takes effect for modules compiled later; engines that need none complain of it.
    enableRelaxedSimd: () => {
      if (!wasmFeatures().relaxedSimd) setFlagsFromString(`--${RELAXED_SIMD}`);
    },
    startThread: (start: WorkerStart, onFailure) => {
      const thread = new Worker(worker, { workerData: start, stdout: false, stderr: false });
      thread.on("error", (error) => onFailure(reasonOf(error)));
      // A program that is done may end without `dispose`.
      thread.unref();
      return () => void thread.terminate();
    },
    platform: ownPlatform,
    // Loaded when a bundle has native kernels: nothing else needs koffi.
    native: async (target) => (await import("../native/choose.js")).chooseLevel(target),
    cuda: async (target) => (await import("../cuda/open.js")).chooseCuda(target),
    gpu: nodeGpu,
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
