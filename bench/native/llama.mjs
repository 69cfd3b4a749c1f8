/**
 * llama.cpp on a GGUF file, one call for each message of the parent process: `{ tokens, past }` in, milliseconds out.
 * `node llama.mjs <file.gguf> <threads> <context>`
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../peers/package.json", import.meta.url));
const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const [file, threads, contextSize] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  contextSize: Number(contextSize),
  batchSize: 512,
  threads: Number(threads),
});
const sequence = context.getSequence();
const ids = (count) => Array.from({ length: count }, (_, i) => 300 + ((i * 7919) % 7000));

process.on("message", async ({ tokens, past }) => {
  if (sequence.nextTokenIndex > past)
    await sequence.eraseContextTokenRanges([{ start: past, end: sequence.nextTokenIndex }]);
  if (sequence.nextTokenIndex < past)
    await sequence.evaluateWithoutGeneratingNewTokens(ids(past - sequence.nextTokenIndex));
  const before = process.cpuUsage();
  const start = performance.now();
  const feed = ids(tokens).map((id, i) => (i === tokens - 1 ? [id, { generateNext: { token: true } }] : id));
  await sequence.controlledEvaluate(feed);
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  process.send({ wall, cpu: (user + system) / 1000 });
});
process.on("disconnect", () => process.exit(0));
process.send("ready");
