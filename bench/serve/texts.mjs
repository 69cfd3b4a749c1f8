/**
 * `node bench/serve/texts.mjs <bundle> [--device wasm] [--texts 1,2,4,8] [--tokens 128] [--threads 1]`: tokens per second
 * of several texts that are written side by side by one model, in turn with those of one. Processor time counts too,
 * since a busy machine distorts the clock.
 */
import console from "node:console";
import { parseArgs } from "node:util";
import { loadModel, Model } from "../../dist/runtime/node/index.js";
import { median } from "../engines.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: "string", default: "wasm" },
    texts: { type: "string", default: "1,2,4,8" },
    tokens: { type: "string", default: "128" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
  },
});
const counts = values.texts.split(",").map(Number);
const maxTokens = Number(values.tokens);
const options = { device: values.device, threads: Number(values.threads), texts: Math.max(...counts) };
const model = await loadModel(Model, positionals[0] ?? "dist/tiny-moe", options);

/** Steps behind the prompt: tokens per second of the clock and of the processor, and texts per call of the device. */
async function write(count) {
  for (let text = 0; text < count; text++) await model.reset({ text });
  let begun;
  let steps = 0;
  let calls = 0;
  const onStep = ({ read, texts }) => {
    if (read.length > 1) return;
    begun ??= { clock: performance.now(), processor: process.cpuUsage() };
    steps++;
    calls += 1 / texts;
  };
  const one = async (text) => {
    for await (const _ of model.generate(`${text}. In the beginning`, { text, temperature: 0, maxTokens, onStep }));
  };
  await Promise.all(Array.from({ length: count }, (_, text) => one(text)));
  const seconds = (performance.now() - begun.clock) / 1000;
  const { user, system } = process.cpuUsage(begun.processor);
  return { clock: steps / seconds, processor: (steps * 1e6) / (user + system), together: steps / calls };
}

await write(counts.at(-1));
const found = counts.map(() => []);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [at, count] of counts.entries()) found[at].push(await write(count));
}
for (const [at, count] of counts.entries()) {
  const of = (name) => median(found[at].map((one) => one[name]));
  const rates = `${of("clock").toFixed(0)} tokens/s, ${of("processor").toFixed(0)} per second of the processor`;
  console.log(`${values.device}, ${count} texts: ${rates}, ${of("together").toFixed(1)} texts per call`);
}
model.dispose();
