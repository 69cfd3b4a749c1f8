/**
 * Where the time of a layer goes: times each launch of its plan, on one thread, with the limits of the machine measured
 * between the calls. Every launch runs in slices, and what counts is the fastest round of each slice, so that other
 * processes of the machine disturb little. `node bench/layer/launches.mjs <storage> <tokens,…> [--spec file] [--dims D,F,E] [--rounds 7]`
 */
import v8 from "node:v8";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    spec: { type: "string", default: "bench/layer/layer.moe" },
    dims: { type: "string", default: "2048,1024,64" },
    rounds: { type: "string", default: "7" },
    module: { type: "string" },
  },
});
const [storage = "q8_0", list = "1,16,128"] = positionals;
const tokens = list.split(",").map(Number);
const [D, F, E] = values.dims.split(",").map(Number);
const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
const { prepare } = await load("./prepared.ts");
const { limitKernels } = await load("../kernels/limits.ts");
const { emitWasm } = await load("../../compiler/5-emit/wasm/index.ts");
const { wasmRelaxed } = await load("../../compiler/targets/index.ts");

const memory = new WebAssembly.Memory({ initial: 4 });
const { exports: limits } = new WebAssembly.Instance(new WebAssembly.Module(emitWasm(limitKernels(), wasmRelaxed)), {
  env: { memory },
});
/** Multiply-adds of f32x4, in GFLOP/s, in a slice of a few milliseconds. */
function peak() {
  const from = performance.now();
  limits.peak(4096, 1e5, 0, 1);
  return (8 * 12 * 1e5) / (performance.now() - from) / 1e6;
}

const sizes = values.spec.endsWith("layer.moe") ? { D, F, E } : { D, F };
const layer = prepare(values.spec, { storage, sizes, tokens: Math.max(...tokens, 2) });
if (values.module) writeFileSync(values.module, layer.module);
const k = Math.min(8, E);
for (const count of tokens) {
  let times;
  let launches;
  let top = 0;
  for (let round = 0; round < Number(values.rounds) + 1; round++) {
    for (let slice = 0; slice < 10; slice++) top = Math.max(top, peak());
    const found = layer.run(count, 100);
    launches = found.map(({ launch }) => launch);
    // The first round warms up.
    times =
      round <= 1
        ? found.map(({ milliseconds }) => milliseconds)
        : found.map(({ milliseconds }, i) => milliseconds.map((time, slice) => Math.min(time, times[i][slice])));
  }
  const sums = times.map((list) => list.reduce((sum, time) => sum + time, 0));
  const total = sums.reduce((sum, time) => sum + time, 0);
  const flops = sizes.E ? count * k * 6 * D * F : count * 2 * D * F;
  const rate = flops / total / 1e6;
  console.log(
    `\n${storage}, ${count} tokens: ${total.toFixed(2)} ms, ${rate.toFixed(1)} GOP/s = ${((100 * rate) / top).toFixed(0)}% of the FMA peak (${top.toFixed(1)})`,
  );
  launches.forEach((launch, i) =>
    console.log(`  ${sums[i].toFixed(3).padStart(9)} ms  ${launch.kernel}  (${launch.label})`),
  );
  console.log(`  first numbers: ${[...layer.output(count).subarray(0, 3)].map((x) => x.toPrecision(6)).join(" ")}`);
}
