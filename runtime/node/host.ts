/** The runtime's host in Node. */
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { Host } from "../host.js";
import { addressesLeft } from "./addresses.js";
import { nodeGpu } from "./gpu.js";
import { ownPlatform } from "./platform.js";
import { RELAXED_SIMD } from "./relaxed-simd.js";
import { wasmFeatures } from "../wasm/features.js";
import type { WorkerStart } from "../wasm/work.js";

/**
 * What V8 reserves for a thread: code, heap and stack, most of which stays empty. 582 MiB as measured with Node 20; with 562
 * left V8 ended the process.
 */
const THREAD_ADDRESSES = 640 * 2 ** 20;

const starting = new Set<Worker>();

const mebibytes = (bytes: number): string => `${Math.max(0, Math.floor(bytes / 2 ** 20))} MiB`;

/**
 * @param worker The module that worker threads run; tests that run from the sources give the compiled one.
 */
export function nodeHost(worker: URL = new URL("./runtime-node-thread.js", import.meta.url)): Host {
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
      // Threads that were asked for and do not run yet have taken nothing so far.
      const left = addressesLeft() - starting.size * THREAD_ADDRESSES;
      if (left < THREAD_ADDRESSES) {
        const each = mebibytes(THREAD_ADDRESSES);
        throw new Error(`it takes up to ${each} of addresses, and ${mebibytes(left)} are left under \`ulimit -v\``);
      }
      const thread = new Worker(worker, { workerData: start, stdout: false, stderr: false });
      starting.add(thread);
      for (const event of ["online", "exit"]) thread.once(event, () => void starting.delete(thread));
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
