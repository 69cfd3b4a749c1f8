/**
 * Times a language model on moec's WebAssembly kernels: `node moec.mjs <bundle> <threads> <prompt tokens,…> <decode
 * tokens>` prints one JSON line with the milliseconds of each prompt and of one token behind the longest of them.
 */
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [folder, threads, prompts, decode] = process.argv.slice(2);
const { loadModel, Model } = await import(`${root}dist/runtime/node/index.js`);
const model = await loadModel(Model, folder, { threads: Number(threads), device: "wasm" });
const entry = model.manifest.language;
const ids = (count, seed) => Int32Array.from({ length: count }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const rows = [];
for (const tokens of prompts.split(",").map(Number)) {
  const times = [];
  for (let run = 0; run < 6; run++) {
    const from = performance.now();
    await model.call(entry, { tokens: ids(tokens, run) });
    if (run > 0) times.push(performance.now() - from);
  }
  rows.push({ tokens, prompt: median(times) });
}
const times = [];
for (let i = 0; i < Number(decode); i++) {
  const from = performance.now();
  await model.extend(entry, { tokens: ids(1, i) });
  times.push(performance.now() - from);
}
console.log(JSON.stringify({ engine: "moec", threads: model.report.threads, rows, token: median(times) }));
model.dispose();
process.exit(0);
