/**
 * Runs llama.cpp on a GGUF file and prints JSON: `node llama.mjs <file.gguf> logits '[ids]'` gives the raw logits after
 * every position; `node llama.mjs <file.gguf> tokens '["text", …]'` gives ids of texts; `node llama.mjs <file.gguf> greedy '[[ids], …]' <tokens>` gives greedy continuations. f32 KV cache,
 * no flash attention, one thread: the setting whose numbers an f64 forward pass agrees with to 3e-7.
 */
import { getLlama } from "node-llama-cpp";

const [file, task, argument, count = "48"] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: file });

async function open() {
  const context = await model.createContext({
    contextSize: 512,
    batchSize: 512,
    threads: 1,
    flashAttention: false,
    experimentalKvCacheKeyType: "F32",
    experimentalKvCacheValueType: "F32",
  });
  return { context, sequence: context.getSequence() };
}

/** A dense array from the map of token to logit. */
function dense(logits) {
  const values = new Array(logits.size);
  for (const [token, value] of logits) values[token] = value;
  return values;
}

if (task === "tokens") {
  process.stdout.write(JSON.stringify(JSON.parse(argument).map((text) => model.tokenize(text))));
} else if (task === "logits") {
  const ids = JSON.parse(argument);
  const { context, sequence } = await open();
  const results = await sequence.controlledEvaluate(ids.map((id) => [id, { generateNext: { logits: true } }]));
  process.stdout.write(JSON.stringify(results.map((result) => dense(result.next.logits))));
  await context.dispose();
} else {
  const stop = model.tokens.eos;
  const continuations = [];
  for (const prompt of JSON.parse(argument)) {
    const { context, sequence } = await open();
    let feed = prompt;
    const ids = [];
    for (let i = 0; i < Number(count); i++) {
      const results = await sequence.controlledEvaluate(
        feed.map((id, at) => (at === feed.length - 1 ? [id, { generateNext: { logits: true } }] : id)),
      );
      const logits = results[feed.length - 1].next.logits;
      let best = -1;
      for (const [token, value] of logits) if (best < 0 || value > logits.get(best)) best = token;
      if (best === stop) break;
      ids.push(best);
      feed = [best];
    }
    continuations.push(ids);
    await context.dispose();
  }
  process.stdout.write(JSON.stringify(continuations));
}
process.exit(0);
