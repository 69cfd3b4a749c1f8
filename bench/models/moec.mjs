/**
 * Times a language model on moec's WebAssembly kernels: `node moec.mjs <bundle> <threads> <prompt tokens,…> <decode
 * tokens>` prints one JSON line with the milliseconds of each prompt and of one token behind the longest of them, and what
 * the machine could have done in that time.
 */
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { median } from "../engines.mjs";
import { againstLimits } from "../layer/limits.mjs";
import { sample } from "../layer/sample.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [folder, threads, prompts, decode] = process.argv.slice(2);
const { loadModel, Model } = await import(`${root}dist/runtime/node/index.js`);
const model = await loadModel(Model, folder, { threads: Number(threads), device: "wasm" });
const entry = model.manifest.language;
const ids = (count, seed) => Int32Array.from({ length: count }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
const against = await againstLimits(Number(threads));
const rows = [];
const counts = prompts.split(",").map(Number);
// The longest prompt first, uncounted: it reads all weights.
await model.call(entry, { tokens: ids(Math.max(...counts), 9) });
for (const tokens of counts) {
  const prepare = (run) => {
    const prompt = { tokens: ids(tokens, run) };
    return () => model.call(entry, prompt);
  };
  const { median: prompt } = await sample(prepare, against.between);
  rows.push({ tokens, prompt, possible: against.possible() });
}
const times = [];
for (let i = 0; i < Number(decode); i++) {
  const from = performance.now();
  await model.extend(entry, { tokens: ids(1, i) });
  times.push(performance.now() - from);
}
const token = median(times);
await against.between(token);
console.log(
  JSON.stringify({ engine: "moec", threads: model.report.threads, rows, token, possible: against.possible() }),
);
model.dispose();
process.exit(0);
