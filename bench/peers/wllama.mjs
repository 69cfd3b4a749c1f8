/**
 * Times a GGUF file in wllama (llama.cpp compiled to WebAssembly) in headless Chromium:
 * `node wllama.mjs <file.gguf> <threads> <prompt tokens,…> <decode tokens>` prints one JSON line; the first run of each
 * prompt is not counted, and of two others the faster one is.
 */
import { fileURLToPath } from "node:url";
import { inPage } from "../chromium.mjs";

const esm = fileURLToPath(new URL("./node_modules/@wllama/wllama/esm/", import.meta.url));
const [model, threads, prompts, decode] = process.argv.slice(2);
const results = await inPage(
  { "/esm/": esm, "/model.gguf": model },
  async ({ threads, prompts, decode }) => {
    const { Wllama } = await import("/esm/index.js");
    const wllama = new Wllama({ default: "/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
    const blob = await (await fetch("/model.gguf")).blob();
    const from = performance.now();
    await wllama.loadModel([blob], { n_ctx: 2048, n_threads: threads, n_batch: 512, n_gpu_layers: 0 });
    const load = performance.now() - from;
    const rows = [];
    const complete = async (tokens, run, wanted) => {
      // A space-separated run of letters is about one token each with the byte tokenizers of the generated models.
      const prompt = Array.from({ length: tokens }, (_, i) => String.fromCharCode(97 + ((i * 7 + run * 3) % 26))).join(
        "",
      );
      const answer = await wllama.createCompletion({
        prompt,
        max_tokens: wanted,
        temperature: 0,
        cache_prompt: false,
        // The answer must be text: no bytes that are not ASCII, and no end.
        logit_bias: Object.fromEntries([2, ...Array.from({ length: 128 }, (_, i) => 131 + i)].map((id) => [id, -100])),
      });
      return answer.timings ?? answer;
    };
    const longest = Math.max(...prompts);
    // The longest prompt first, uncounted: it reads all weights.
    await complete(longest, 9, 2);
    for (const tokens of prompts) {
      let best;
      // Tokens are generated behind the longest prompt only; of another one it is the prompt that is timed.
      const wanted = tokens === longest ? decode : 2;
      for (let run = 0; run < 3; run++) {
        const timings = await complete(tokens, run, wanted);
        if (run === 0) continue;
        if (!best || timings.prompt_ms < best.prompt_ms) best = timings;
      }
      rows.push({ tokens, ...best });
    }
    return { load, multi: wllama.isMultithread(), rows };
  },
  { threads: Number(threads), prompts: prompts.split(",").map(Number), decode: Number(decode) },
);
console.log(JSON.stringify({ engine: "wllama", threads: Number(threads), ...results }));
