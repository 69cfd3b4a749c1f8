/**
 * Times one MoE layer, or one plain product (`matmul`), on moec's kernels:
 * `node moec.mjs <storage|matmul> <threads> <tokens,…> [D,F,E] [wasm|native]` prints one JSON line. The bundle is built anew
 * when the compiler is newer, and kept under `.cache/bench`; with no tokens nothing else happens. On WebAssembly the limits
 * of the machine are measured between the calls.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isFresh } from "../fresh.mjs";
import { layerFolder } from "./folder.mjs";
import { againstLimits } from "./limits.mjs";
import { noise } from "./noise.mjs";
import { sample, WARM_TOKENS } from "./sample.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [kind, threads, list, dims = "2048,1024,64", device = "wasm"] = process.argv.slice(2);
const [D, F, E] = dims.split(",").map(Number);
const tokens = list.split(",").map(Number).filter(Boolean);
const isMatmul = kind === "matmul";
const storage = isMatmul ? "f32" : kind;
const folder = layerFolder(kind, dims, device);
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
const against = device === "wasm" && tokens.length > 0 ? await againstLimits(Number(threads)) : undefined;
/** Bytes of the experts that the tokens of a call choose: what it reads at least. */
async function weightBytes(x) {
  const { routes } = await model.call("forward", { x }, { trace: true });
  const chosen = new Set(routes[0].index.filter((expert) => expert >= 0));
  return (model.report.mappedBytes * chosen.size) / E;
}
if (!isMatmul && tokens.length > 0) {
  await model.call("forward", { x: noise(WARM_TOKENS * D, 1, 99) });
}
const result = {};
for (const count of tokens) {
  const times = await sample((run) => {
    const x = noise(count * D, 1, 100 + run);
    return async () => {
      const { outputs } = await model.call("forward", { x });
      const first = Object.values(outputs)[0].data[0];
      if (!Number.isFinite(first)) throw new Error("not finite");
    };
  }, against?.between);
  const bytes = device === "native" && !isMatmul ? await weightBytes(noise(count * D, 1, 101)) : undefined;
  result[count] = { ...times, possible: against?.possible(), bytes };
}
console.log(JSON.stringify({ engine: "moec", kind, threads: model.report.threads, result }));
model.dispose();
process.exit(0);
