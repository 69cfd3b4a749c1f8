/**
 * Speed of the micro-kernels on WebAssembly, one thread, beside the limits of the machine measured in the same run: the
 * rate of f32x4 multiply-adds and of plain reads. Short slices of limits and kernels alternate; shown are upper deciles
 * and their quotient, because other processes of a shared machine disturb most slices.
 *
 * Usage: node bench/kernels/wasm-micro.mjs [--rounds 60] [--only q4] [--target wasm-quads] [--json]
 */
import v8 from "node:v8";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { chosenTarget, refuse } from "../choice.mjs";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "60" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    target: { type: "string", default: "wasm-relaxed" },
  },
});
const rounds = Number(values.rounds);
const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
const { emitWasm, scratchBytes } = await load("../../compiler/5-emit/wasm/index.ts");
const { targets } = await load("../../compiler/targets/index.ts");
const target = chosenTarget(targets, values.target);
const products = await load("../../compiler/4-schedule/micro/products.ts");
const { limitKernels } = await load("./limits.ts");

const K = 2048;
const N = 1024;
const T = 32;
const kernels = [
  ...limitKernels(),
  products.panelProduct("f32", "f32"),
  products.panelProduct("f16", "f16"),
  products.panelProduct("f16_many", "f16", 2, true),
  products.panelsProduct("f32_panels", "f32"),
  products.panelsProduct("f16_panels", "f16"),
  ...["q8", "q4"].flatMap((name) => [
    products.quantizeProduct(`quantize_${name}`, `${name}_0`, target),
    ...[1, 2, 3].map((group) => products.packedProduct(`${name}_${group}`, `${name}_0`, target, group)),
    products.packedProduct(`${name}_tiles`, `${name}_0`, target, 1, 4),
    ...[2, 3].map((group) => products.unpackedProduct(`${name}_unpacked${group}`, `${name}_0`, target, K, group)),
  ]),
];
const bytes = emitWasm(kernels, target);
const pages = 12000;
const memory = new WebAssembly.Memory({ initial: pages });
const scratch = 4096;
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
  env: { memory, scratch: new WebAssembly.Global({ value: "i32" }, scratch) },
});

let next = scratch + Math.ceil(scratchBytes(kernels) / 64) * 64;
const place = (size) => {
  const at = next;
  next += Math.ceil(size / 64) * 64;
  if (next > pages * 65536) throw new Error("the benchmark needs more memory");
  return at;
};
const x = place(T * K * 4);
const quants = place(T * K * 2);
const scales = place((T * K) / 8);
const sums = place((T * K) / 8);
const y = place(T * N * 4);
const floats = new Float32Array(memory.buffer, x, T * K);
for (let i = 0; i < floats.length; i++) floats[i] = Math.sin(i * 0.7) * 3;
const weightBytes = 512 << 20;
const weights = place(weightBytes);
{
  // Any bytes are q4 and q8 quants; the scales and floats among them are kept small and finite.
  const words = new Uint16Array(memory.buffer, weights, weightBytes / 2);
  for (let i = 0; i < words.length; i++) words[i] = 0x2000 + ((i * 40503) & 0x3ff);
}

const upperDecile = (list) => [...list].sort((a, b) => b - a)[Math.floor(list.length / 10)];
const seconds = (run) => {
  const from = performance.now();
  run();
  return (performance.now() - from) / 1000;
};
/** Each slice reads other bytes, so that nothing is in a cache. */
let turn = 0;
const rotating = (size) => weights + (turn++ % Math.floor(weightBytes / size)) * size;
const slice = 8 << 20;
const limits = {
  "GFLOP/s": () => (8 * 12 * 4e5) / seconds(() => exports.peak(y, 4e5, 0, 1)) / 1e9,
  "GB/s": () => {
    const at = rotating(slice);
    return slice / seconds(() => exports.read(at, y, slice / 128, 0, 1)) / 1e9;
  },
};
const results = [];
const names = [];

/** `work` is in operations or bytes; the reference is the limit with that unit. */
function measure(name, unit, work, run) {
  names.push(name);
  if (!name.includes(values.only)) return;
  const reference = unit === "GOP/s" ? "GFLOP/s" : unit;
  const found = [];
  const limit = [];
  for (let round = 0; round < rounds + 3; round++) {
    limit.push(limits[reference]());
    found.push(work / seconds(run) / 1e9);
  }
  // The first rounds fault pages in and warm caches up.
  const rate = upperDecile(found.slice(3));
  const best = upperDecile(limit.slice(3));
  results.push({ name, unit, rate, limit: best, share: rate / best });
  if (values.json) return;
  const of = reference === "GB/s" ? "read rate" : "f32x4 FMA peak";
  console.log(
    `${name.padEnd(36)} ${rate.toFixed(1).padStart(6)} ${unit.padEnd(8)} ${((100 * rate) / best).toFixed(0).padStart(4)}% of the ${of} (${best.toFixed(1)})`,
  );
}

const operations = (tokens) => 2 * tokens * K * N;
const tiles = N / 16;
/** Activations for q8: plans of `wasm-quads` have starts of sums too. */
const q8Rows = target.dotQuads === "either" ? [quants, scales, sums] : [quants, scales];
exports.quantize_q8(x, ...q8Rows, K, 0, T);
for (const type of ["f32", "f16", "f16_many"]) {
  measure(`${type} product, ${T} tokens`, "GFLOP/s", operations(T), () =>
    exports[type](x, weights, y, T, K, N, 0, tiles),
  );
  if (type === "f16_many") continue;
  const size = K * N * (type === "f32" ? 4 : 2);
  measure(`${type} product, 1 token`, "GB/s", size, () => exports[type](x, rotating(size), y, 1, K, N, 0, tiles));
  measure(`${type} product, 1 token, 4 panels`, "GB/s", size, () =>
    exports[`${type}_panels`](x, rotating(size), y, 1, K, N, 0, tiles / 4),
  );
}
for (const [name, tokens] of [
  ["q8_1", 32],
  ["q8_2", 32],
  ["q8_3", 30],
  ["q8_unpacked2", 32],
  ["q8_unpacked3", 30],
]) {
  measure(`${name} product, ${tokens} tokens`, "GOP/s", operations(tokens), () =>
    exports[name](weights, ...q8Rows, y, tokens, K, N, 0, tiles),
  );
}
const q8Bytes = (K / 32) * tiles * 544;
measure("q8 product, 1 token", "GB/s", q8Bytes, () => exports.q8_1(rotating(q8Bytes), ...q8Rows, y, 1, K, N, 0, tiles));
measure("q8 product, 1 token, 4 tiles", "GB/s", q8Bytes, () =>
  exports.q8_tiles(rotating(q8Bytes), ...q8Rows, y, 1, K, N, 0, tiles / 4),
);
measure(`quantize for q8, ${T} tokens`, "GB/s", T * K * 6, () => exports.quantize_q8(x, ...q8Rows, K, 0, T));
exports.quantize_q4(x, quants, scales, sums, K, 0, T);
for (const [name, tokens] of [
  ["q4_1", 32],
  ["q4_2", 32],
  ["q4_unpacked2", 32],
  ["q4_unpacked3", 30],
]) {
  measure(`${name} product, ${tokens} tokens`, "GOP/s", operations(tokens), () =>
    exports[name](weights, quants, scales, sums, y, tokens, K, N, 0, tiles),
  );
}
const q4Bytes = (K / 32) * tiles * 288;
measure("q4 product, 1 token", "GB/s", q4Bytes, () =>
  exports.q4_1(rotating(q4Bytes), quants, scales, sums, y, 1, K, N, 0, tiles),
);
measure("q4 product, 1 token, 4 tiles", "GB/s", q4Bytes, () =>
  exports.q4_tiles(rotating(q4Bytes), quants, scales, sums, y, 1, K, N, 0, tiles / 4),
);
if (results.length === 0) refuse("--only", values.only, names);
if (values.json) console.log(JSON.stringify(results, null, 2));
