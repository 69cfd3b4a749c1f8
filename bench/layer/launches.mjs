/**
 * Where the time of a layer goes: times each launch of its plan, on one thread, with the limits of the machine measured
 * between the calls. Times are processor time, so that other processes of the machine disturb little. `node bench/layer/launches.mjs <storage> <tokens,…> [--spec file] [--dims D,F,E] [--rounds 7]`
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
const { cpuMilliseconds, prepare } = await load("./prepared.ts");
const { limitKernels } = await load("../kernels/limits.ts");
const { emitWasm } = await load("../../compiler/5-emit/wasm/index.ts");
const { wasmRelaxed } = await load("../../compiler/targets/index.ts");

const memory = new WebAssembly.Memory({ initial: 4 });
const { exports: limits } = new WebAssembly.Instance(new WebAssembly.Module(emitWasm(limitKernels(), wasmRelaxed)), {
  env: { memory },
});
/** Multiply-adds of f32x4, in GFLOP/s, in a slice of a few milliseconds. */
function peak() {
  const from = cpuMilliseconds();
  limits.peak(4096, 1e6, 0, 1);
  return (8 * 12 * 1e6) / (cpuMilliseconds() - from) / 1e6;
}

const sizes = values.spec.endsWith("layer.moe") ? { D, F, E } : { D, F };
const layer = prepare(values.spec, { storage, sizes, tokens: Math.max(...tokens, 2) });
if (values.module) writeFileSync(values.module, layer.module);
const k = Math.min(8, E);
for (const count of tokens) {
  const rounds = [];
  const peaks = [];
  for (let round = 0; round < Number(values.rounds) + 1; round++) {
    peaks.push(peak());
    rounds.push(layer.run(count, 100 + round));
  }
  rounds.shift();
  const total = (round) => round.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const best = rounds.map(total).sort((a, b) => a - b);
  const top = Math.max(...peaks);
  const flops = sizes.E ? count * k * 6 * D * F : count * 2 * D * F;
  console.log(
    `\n${storage}, ${count} tokens: best ${best[0].toFixed(2)} ms, median ${best[best.length >> 1].toFixed(2)} ms, ` +
      `${(flops / best[0] / 1e6).toFixed(1)} GOP/s = ${((100 * flops) / best[0] / 1e6 / top).toFixed(0)}% of the FMA peak (${top.toFixed(1)})`,
  );
  rounds[0].forEach(({ launch }, i) => {
    const times = rounds.map((round) => round[i].milliseconds).sort((a, b) => a - b);
    console.log(
      `  ${times[0].toFixed(3).padStart(9)} ms  median ${times[times.length >> 1].toFixed(3).padStart(9)}  ${launch.kernel}  (${launch.label})`,
    );
  });
  console.log(`  first numbers: ${[...layer.output(count).subarray(0, 3)].map((x) => x.toPrecision(6)).join(" ")}`);
}
