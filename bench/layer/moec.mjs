/**
 * Times one MoE layer, or one plain product (`matmul`), on moec's kernels:
 * `node moec.mjs <storage|matmul> <threads> <tokens,…> [D,F,E] [wasm|native]` prints one JSON line. The bundle is built anew when the
 * compiler is newer, and kept under `.cache/bench`.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isFresh } from "../fresh.mjs";
import { noise } from "./noise.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [kind, threads, list, dims = "2048,1024,64", device = "wasm"] = process.argv.slice(2);
const [D, F, E] = dims.split(",").map(Number);
const tokens = list.split(",").map(Number);
const isMatmul = kind === "matmul";
const storage = isMatmul ? "f32" : kind;
const suffix = device === "wasm" ? "" : `-${device}`;
const folder = `${root}.cache/bench/layer-${kind}-${dims.replaceAll(",", "-")}${suffix}`;
if (!isFresh(folder)) {
  const sizes = [`D=${D}`, `F=${F}`, ...(isMatmul ? [] : [`E=${E}`])].flatMap((size) => ["--size", size]);
  const spec = `bench/layer/${isMatmul ? "dense" : "layer"}.moe`;
  const command = ["build", spec, "--random", "1", "--quantization", storage, "--prefill", "512", "--target", device];
  execFileSync(process.execPath, [`${root}dist/cli/main.js`, ...command, ...sizes, "--out", folder], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
const { loadModel, Model } = await import(`${root}dist/runtime/node/index.js`);
const model = await loadModel(Model, folder, { threads: Number(threads), device });
const result = {};
for (const count of tokens) {
  const times = [];
  const runs = count <= 16 ? 15 : count <= 128 ? 7 : 4;
  for (let run = 0; run < runs + 1; run++) {
    const x = noise(count * D, 1, 100 + run);
    const from = performance.now();
    const { outputs } = await model.call("forward", { x });
    if (run > 0) times.push(performance.now() - from);
    const first = Object.values(outputs)[0].data[0];
    if (!Number.isFinite(first)) throw new Error("not finite");
  }
  times.sort((a, b) => a - b);
  result[count] = { median: times[times.length >> 1], min: times[0] };
}
console.log(JSON.stringify({ engine: "moec", kind, threads: model.report.threads, result }));
model.dispose();
process.exit(0);
