/** llama.cpp from nothing to the first token: `node llama-start.mjs <file.gguf> <threads>`; prints what was resident. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../peers/package.json", import.meta.url));
const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const [file, threads] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: 512, threads: Number(threads) });
const sequence = context.getSequence();
for await (const token of sequence.evaluate(model.tokenize("a"), { temperature: 0 })) {
  if (token !== undefined) break;
}
console.log(JSON.stringify({ resident: process.resourceUsage().maxRSS * 1024 }));
process.exit(0);
