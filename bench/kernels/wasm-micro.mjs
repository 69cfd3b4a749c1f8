/**
 * Speed of the micro-kernels on WebAssembly, one thread, beside the limits of the machine measured in the same run: the
 * rate of f32x4 multiply-adds and of plain reads. Limits and kernels alternate, and the share is the median of the ratios
 * of neighbours, because the rates of a shared machine move.
 *
 * Usage: node bench/kernels/wasm-micro.mjs [--rounds 7] [--only q4]
 */
import v8 from "node:v8";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
const { emitWasm, scratchBytes } = await load("../../compiler/5-emit/wasm/index.ts");
const { wasmRelaxed } = await load("../../compiler/targets/index.ts");
const products = await load("../../compiler/4-schedule/micro/products.ts");
const { limitKernels } = await load("./limits.ts");

const K = 2048;
const N = 2048;
const kernels = [
  ...limitKernels(),
  products.panelProduct("f32", "f32"),
  products.panelProduct("f16", "f16"),
  products.quantizeProduct("quantize16", "i16"),
  products.quantizeProduct("quantize8", "i8"),
  products.q8Product("q8_1", 1),
  products.q8Product("q8_2", 2),
  products.q8Product("q8_3", 3),
  products.q4Product("q4_1", 1),
  products.q4Product("q4_2", 2),
  products.q4ManyProduct("q4_many2", 8192, 2),
  products.q4ManyProduct("q4_many3", 8192, 3),
];
const started = process.cpuUsage().user / 1e3;
const bytes = emitWasm(kernels, wasmRelaxed);
const emitted = process.cpuUsage().user / 1e3;
const pages = 12000;
const memory = new WebAssembly.Memory({ initial: pages });
const scratch = 4096;
const module = new WebAssembly.Module(bytes);
const compiled = process.cpuUsage().user / 1e3;
const { exports } = new WebAssembly.Instance(module, {
  env: { memory, scratch: new WebAssembly.Global({ value: "i32" }, scratch) },
});
console.log(
  `${kernels.length} kernels, ${bytes.length} bytes: emitted in ${(emitted - started).toFixed(0)} ms, compiled in ${(compiled - emitted).toFixed(0)} ms`,
);

let next = scratch + Math.ceil(scratchBytes(kernels) / 64) * 64;
const place = (size) => {
  const at = next;
  next += Math.ceil(size / 64) * 64;
  if (next > pages * 65536) throw new Error("the benchmark needs more memory");
  return at;
};
const tokens = 128;
const x = place(tokens * K * 4);
const quants = place(tokens * K * 2);
const scales = place((tokens * K) / 8);
const sums = place((tokens * K) / 8);
const y = place(tokens * N * 4);
const floats = new Float32Array(memory.buffer, x, tokens * K);
for (let i = 0; i < floats.length; i++) floats[i] = Math.sin(i * 0.7) * 3;
const weightBytes = 500 << 20;
const weights = place(weightBytes);
{
  // Any bytes are q4 and q8 quants; the scales and floats among them are kept small and finite.
  const words = new Uint16Array(memory.buffer, weights, weightBytes / 2);
  for (let i = 0; i < words.length; i++) words[i] = 0x2000 + ((i * 40503) & 0x3ff);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
/** CPU time: other processes may hold the cores. */
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const seconds = (run) => {
  const from = cpu();
  run();
  return cpu() - from;
};
const limits = {
  "GFLOP/s": () => (8 * 12 * 4e6) / seconds(() => exports.peak(y, 4e6, 0, 1)) / 1e9,
  "GB/s": () => weightBytes / seconds(() => exports.read(weights, y, weightBytes / 4 / 32, 0, 1)) / 1e9,
};

/** `work` is in operations or bytes; the reference is the limit with that unit. */
function measure(name, unit, work, run) {
  if (!name.includes(values.only)) return;
  run();
  const found = [];
  const shares = [];
  const reference = unit === "GOP/s" ? "GFLOP/s" : unit;
  for (let round = 0; round < rounds; round++) {
    const limit = limits[reference]();
    const rate = work / seconds(run) / 1e9;
    found.push(rate);
    shares.push(rate / limit);
  }
  const share = `${(100 * median(shares)).toFixed(0)}% of the ${reference === "GB/s" ? "read rate" : "f32x4 FMA peak"}`;
  console.log(`${name.padEnd(44)} ${median(found).toFixed(1).padStart(7)} ${unit.padEnd(8)} ${share}`);
}

console.log(`limits: ${limits["GFLOP/s"]().toFixed(1)} GFLOP/s, ${limits["GB/s"]().toFixed(1)} GB/s`);
exports.quantize16(x, quants, scales, K, 0, tokens);
for (const type of ["f32", "f16"]) {
  const work = (count) => 2 * count * K * N;
  measure(`${type} product, 128 tokens, 2048 x 2048`, "GFLOP/s", work(128), () =>
    exports[type](x, weights, y, 128, K, N, 0, N / 16),
  );
  const size = K * N * (type === "f32" ? 4 : 2);
  const count = Math.floor(weightBytes / size);
  measure(`${type} product, 1 token, ${count} weights`, "GB/s", size * count, () => {
    for (let i = 0; i < count; i++) exports[type](x, weights + i * size, y, 1, K, N, 0, N / 16);
  });
}
for (const name of ["q8_1", "q8_2", "q8_3"]) {
  measure(`${name} product, 126 tokens`, "GOP/s", 2 * 126 * K * N, () =>
    exports[name](weights, quants, scales, y, 126, K, N, 0, N / 16),
  );
}
{
  const size = (K / 32) * (N / 16) * 544;
  const count = Math.floor(weightBytes / size);
  measure(`q8 product, 1 token, ${count} weights`, "GB/s", size * count, () => {
    for (let i = 0; i < count; i++) exports.q8_1(weights + i * size, quants, scales, y, 1, K, N, 0, N / 16);
  });
}
exports.quantize8(x, quants, scales, sums, K, 0, tokens);
for (const name of ["q4_1", "q4_2", "q4_many2", "q4_many3"]) {
  measure(`${name} product, 126 tokens`, "GOP/s", 2 * 126 * K * N, () =>
    exports[name](weights, quants, scales, sums, y, 126, K, N, 0, N / 16),
  );
}
{
  const size = (K / 32) * (N / 16) * 288;
  const count = Math.floor(weightBytes / size);
  measure(`q4 product, 1 token, ${count} weights`, "GB/s", size * count, () => {
    for (let i = 0; i < count; i++) exports.q4_1(weights + i * size, quants, scales, sums, y, 1, K, N, 0, N / 16);
  });
}
measure("quantize to i16, 128 tokens", "GB/s", tokens * K * 6, () =>
  exports.quantize16(x, quants, scales, K, 0, tokens),
);
