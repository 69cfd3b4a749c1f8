/**
 * llama.cpp on a GGUF file, one call for each message of the parent process: `{ texts, tokens, past }` in, milliseconds
 * out. Several texts are sequences of one context, which the engine takes into one batch.
 * `node llama.mjs <file.gguf> <threads> <context> <texts>`
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { tokenAt } from "./tokens.mjs";

const require = createRequire(new URL("../peers/package.json", import.meta.url));
const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const [file, ...numbers] = process.argv.slice(2);
const [threads, contextSize, texts] = numbers.map(Number);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: threads });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize, batchSize: 512, threads, sequences: texts });
const sequences = Array.from({ length: texts }, () => context.getSequence());
const ids = (text, from, to) => Array.from({ length: to - from }, (_, i) => tokenAt(text, from + i));

process.on("message", async (task) => {
  const own = sequences.slice(0, task.texts);
  for (const [text, sequence] of own.entries()) {
    const held = sequence.nextTokenIndex;
    if (held > task.past) await sequence.eraseContextTokenRanges([{ start: task.past, end: held }]);
    if (held < task.past) await sequence.evaluateWithoutGeneratingNewTokens(ids(text, held, task.past));
  }
  const feeds = own.map((_, text) => {
    const all = ids(text, task.past, task.past + task.tokens);
    return all.map((id, i) => (i === all.length - 1 ? [id, { generateNext: { token: true } }] : id));
  });
  const before = process.cpuUsage();
  const start = performance.now();
  await Promise.all(own.map((sequence, text) => sequence.controlledEvaluate(feeds[text])));
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  process.send({ wall, cpu: (user + system) / 1000 });
});
process.on("disconnect", () => process.exit(0));
process.send("ready");
