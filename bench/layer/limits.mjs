/**
 * What this machine allows to 128-bit vectors right now, on `threads` cores at once: multiply-adds (GFLOP/s) and reads
 * of memory (GB/s). Prints one JSON line; the benchmark runs it between the engines.
 */
import v8 from "node:v8";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
v8.setFlagsFromString("--no-liftoff");

const BYTES = 256 << 20;

function measure(module) {
  const memory = new WebAssembly.Memory({ initial: BYTES / 65536 + 2 });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  new Uint8Array(memory.buffer).fill(1);
  const rate = (work, run) => {
    let best = 0;
    for (let slice = 0; slice < 24; slice++) {
      const from = performance.now();
      run(slice);
      best = Math.max(best, work / (performance.now() - from) / 1e6);
    }
    return best;
  };
  const slice = 16 << 20;
  return {
    multiplyAdd: rate(96 * 2e5, () => exports.peak(2048, 2e5, 0, 1)),
    read: rate(slice, (turn) => exports.read(65536 + (turn % 15) * slice, 2048, slice / 128, 0, 1)),
  };
}

if (isMainThread) {
  const { runnerImport } = await import("vite");
  const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
  const { emitWasm } = await load("../../compiler/5-emit/wasm/index.ts");
  const { wasmRelaxed } = await load("../../compiler/targets/index.ts");
  const { limitKernels } = await load("../kernels/limits.ts");
  const module = new WebAssembly.Module(emitWasm(limitKernels(), wasmRelaxed));
  const threads = Number(process.argv[2] ?? 1);
  const results = await Promise.all(
    Array.from(
      { length: threads },
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: module });
          worker.once("message", resolve).once("error", reject);
        }),
    ),
  );
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  console.log(JSON.stringify({ result: { multiplyAdd: sum("multiplyAdd"), read: sum("read") } }));
  process.exit(0);
} else parentPort.postMessage(measure(workerData));
