/**
 * Where the time of a layer goes: times each launch of its plan, on one thread. Every launch runs in slices, with the
 * machine's peak of multiply-adds measured before and behind each. The fastest round of each slice makes the milliseconds;
 * shares of the peak come from the lower fifth and the median of the quotients of the rounds, so that neither other
 * processes nor another clock disturb them much. `node bench/layer/launches.mjs <storage> <tokens,…> [--spec file] [--dims D,F,E] [--rounds 7] [--target wasm-quads]`
 */
import v8 from "node:v8";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { chosenTarget } from "../choice.mjs";

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
    target: { type: "string", default: "wasm-relaxed" },
  },
});
const [storage = "q8_0", list = "1,16,128"] = positionals;
const tokens = list.split(",").map(Number);
const [D, F, E] = values.dims.split(",").map(Number);
const load = async (path) => (await runnerImport(new URL(path, import.meta.url).pathname)).module;
const { prepare } = await load("./prepared.ts");
const { limitKernels } = await load("../kernels/limits.ts");
const { emitWasm } = await load("../../compiler/5-emit/wasm/index.ts");
const { targets } = await load("../../compiler/targets/index.ts");
const target = chosenTarget(targets, values.target);

const memory = new WebAssembly.Memory({ initial: 4 });
const { exports: limits } = new WebAssembly.Instance(
  new WebAssembly.Module(emitWasm(limitKernels(), targets["wasm-relaxed"])),
  {
    env: { memory },
  },
);
/** Multiply-adds of f32x4, in GFLOP/s, in half a millisecond. */
function peak() {
  const from = performance.now();
  limits.peak(4096, 2e4, 0, 1);
  return (8 * 12 * 2e4) / (performance.now() - from) / 1e6;
}

const sizes = values.spec.endsWith("layer.moe") ? { D, F, E } : { D, F };
const layer = prepare(values.spec, { storage, sizes, tokens: Math.max(...tokens, 2), target });
if (values.module) writeFileSync(values.module, layer.module);
const k = Math.min(8, E);
const quantile = (numbers, part) => numbers.sort((a, b) => a - b)[Math.floor(part * (numbers.length - 1))];
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
for (const count of tokens) {
  const rounds = [];
  // The first round warms up.
  layer.run(count, 100, peak);
  while (rounds.length < Number(values.rounds)) rounds.push(layer.run(count, 100, peak));
  const rows = rounds[0].map(({ launch, slices }, i) => {
    const of = (slice, name) => rounds.map((round) => round[i].slices[slice][name]);
    const all = (name, part) => total(slices.map((_, slice) => quantile(of(slice, name), part)));
    const possible = { fifth: all("possible", 0.2), median: all("possible", 0.5) };
    return { launch, milliseconds: all("milliseconds", 0), possible };
  });
  const flops = sizes.E ? count * k * 6 * D * F : count * 2 * D * F;
  const share = (name) => `${((100 * flops) / 1e6 / total(rows.map(({ possible }) => possible[name]))).toFixed(0)}%`;
  const milliseconds = total(rows.map((row) => row.milliseconds));
  console.log(
    `\n${storage}, ${count} tokens: ${milliseconds.toFixed(2)} ms; share of the multiply-add peak ${share("fifth")} in the lower fifth, ${share("median")} in the median`,
  );
  for (const { launch, milliseconds } of rows) {
    console.log(`  ${milliseconds.toFixed(3).padStart(9)} ms  ${launch.kernel}  (${launch.label})`);
  }
  console.log(`  first numbers: ${[...layer.output(count).subarray(0, 3)].map((x) => x.toPrecision(6)).join(" ")}`);
}
