/**
 * What this machine allows to 128-bit vectors right now, on `threads` cores at once: multiply-adds (GFLOP/s) and reads
 * of memory (GB/s). Benches of our kernels measure both between the calls that they time, in the same process.
 */
import v8 from "node:v8";
import { performance } from "node:perf_hooks";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { median } from "../engines.mjs";

const BYTES = 256 << 20;
/** Bytes of a slice of reads, and how many such slices the memory has. */
const SLICE = 8 << 20;
const SLICES = BYTES / SLICE;
/** Slices of each measurement, of which the best counts. */
const TURNS = 10;

/** The limits of one thread, each time it is called. */
function meter(module) {
  const memory = new WebAssembly.Memory({ initial: BYTES / 65536 + 2 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  new Uint8Array(memory.buffer).fill(1);
  const rate = (work, run) => {
    let best = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const from = performance.now();
      run();
      best = Math.max(best, work / (performance.now() - from) / 1e6);
    }
    return best;
  };
  let turn = 0;
  return () => ({
    multiplyAdd: rate(96 * 1e5, () => exports.peak(2048, 1e5, 0, 1)),
    read: rate(SLICE, () => exports.read(65536 + (turn++ % SLICES) * SLICE, 2048, SLICE / 128, 0, 1)),
  });
}

async function limitModule() {
  v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  const { runnerImport } = await import("vite");
  const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
  const { emitWasm } = await load("../../compiler/5-emit/wasm/index.ts");
  const { wasmRelaxed } = await load("../../compiler/targets/index.ts");
  const { limitKernels } = await load("../kernels/limits.ts");
  return new WebAssembly.Module(emitWasm(limitKernels(), wasmRelaxed));
}

/** The limits of this thread and `threads - 1` others at once. */
export async function limits(threads) {
  const module = await limitModule();
  const own = meter(module);
  const others = Array.from(
    { length: threads - 1 },
    () => new Worker(new URL(import.meta.url), { workerData: { module } }),
  );
  const answer = (worker) => new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await Promise.all(others.map(answer));
  return async () => {
    const theirs = others.map(answer);
    others.forEach((worker) => worker.postMessage("measure"));
    const all = [own(), ...(await Promise.all(theirs))];
    const sum = (name) => all.reduce((total, one) => total + one[name], 0);
    return { multiplyAdd: sum("multiplyAdd"), read: sum("read") };
  };
}

/**
 * Collects, for calls in turn with the limits, what the machine could have done in the time of each: `between` goes
 * behind every call, and `possible()` gives the medians, in millions of operations and megabytes.
 */
export async function againstLimits(threads) {
  const measure = await limits(threads);
  let before = await measure();
  let found = [];
  return {
    between: async (milliseconds) => {
      const after = await measure();
      const possible = (name) => (milliseconds * (before[name] + after[name])) / 2;
      found.push({ operations: possible("multiplyAdd"), bytes: possible("read") });
      before = after;
    },
    possible: () => {
      const all = found;
      found = [];
      return { operations: median(all.map((one) => one.operations)), bytes: median(all.map((one) => one.bytes)) };
    },
  };
}

if (!isMainThread && workerData?.module) {
  const measure = meter(workerData.module);
  parentPort.on("message", () => parentPort.postMessage(measure()));
  parentPort.postMessage("ready");
}
