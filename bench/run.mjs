/**
 * `npm run bench`: moec's WebAssembly kernels and the engines that run in the same places, alternating in one run, with
 * this machine's read rate and multiply-add peak measured between them. Prints medians, ratios and whether the
 * project's bars hold; absolute figures on a shared machine mean little.
 *
 * `node bench/run.mjs [--only layer,matmul,models] [--threads 1,2] [--tokens 1,16,128] [--rounds 3]
 *  [--dims 2048,1024,64] [--models layer,small] [--storage f32,q8_0,q4_0] [--json file]`
 */
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { judge } from "./bars.mjs";
import { chromium, engine, hasPeer, median } from "./engines.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "layer,matmul,models" },
    threads: { type: "string", default: "1,2" },
    tokens: { type: "string", default: "1,16,128" },
    rounds: { type: "string", default: "3" },
    dims: { type: "string", default: "2048,1024,64" },
    models: { type: "string", default: "layer,small" },
    storage: { type: "string", default: "f32,q8_0,q4_0" },
    json: { type: "string" },
  },
});
const list = (text) => text.split(",").map(Number);
const [D, F, E] = list(values.dims);
const k = Math.min(8, E);
const rounds = Number(values.rounds);
const sections = values.only.split(",");
const hasOnnx = hasPeer("onnxruntime-web");
const hasJax = hasPeer("@jax-js/jax");
const hasWllama = hasPeer("@wllama/wllama") && hasPeer("playwright-core") && existsSync(chromium());

const absent = (name, why) => console.log(`${name}: absent (${why})`);
if (!hasOnnx) absent("onnxruntime-web", "`npm run peers:install` installs it");
if (!hasJax) absent("jax-js", "`npm run peers:install` installs it");
if (!hasWllama) absent("wllama", `needs \`npm run peers:install\` and Chromium at ${chromium()}, or $MOEC_CHROMIUM`);

const report = [];
const said = new Set();
/** Runs an engine; what went wrong is said once. */
function measure(name, script, ...args) {
  const found = engine(script, ...args);
  if (found.absent === undefined) return found;
  if (!said.has(name)) absent(name, found.absent);
  said.add(name);
  return undefined;
}
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const percent = (share) => `${(100 * share).toFixed(0)}%`;

function show(row) {
  const versus = Object.entries(row.others)
    .map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(2)} ms = ${(milliseconds / row.moec).toFixed(2)} x`)
    .join(", ");
  const share = `${percent(row.read)} of the read rate, ${percent(row.peak)} of the f32 multiply-add peak`;
  console.log(
    `${plural(row.threads, "thread").padEnd(9)}  ${row.what.padEnd(15)} ${row.storage.padEnd(5)} ` +
      `${plural(row.tokens, "token").padStart(10)}  moec ${row.moec.toFixed(2)} ms (${share})  ${versus}`,
  );
  report.push(row);
}

/** Limits of the machine, ours and the others in turn; gives the results of all rounds by name. */
function alternate(threads, runs, count = rounds) {
  const results = { limits: [], ...Object.fromEntries(Object.keys(runs).map((name) => [name, []])) };
  for (let round = 0; round < count; round++) {
    results.limits.push(engine("layer/limits.mjs", threads).result);
    for (const [name, run] of Object.entries(runs)) {
      const found = run();
      if (found) results[name].push(found);
    }
  }
  const limit = (name) => median(results.limits.map((one) => one[name]));
  return { results, read: limit("read"), peak: limit("multiplyAdd") };
}

/** Bytes of a stored weight. */
const BYTES = { f32: 4, q8_0: 34 / 32, q4_0: 18 / 32 };
/** The graphs of onnxruntime-web for a storage. */
const GRAPHS = { f32: ["moe", "loop"], q8_0: ["qmoe8"], q4_0: ["qmoe4"] };
/** Experts that some of `tokens` tokens chose, when they choose evenly. */
const touched = (tokens) => Math.round(E * (1 - (1 - k / E) ** tokens));

function benchLayer(threads, storage) {
  const tokens = storage === "f32" ? `${values.tokens},512` : values.tokens;
  const ours = (...args) => measure("moec", "layer/moec.mjs", ...args);
  const runs = { moec: () => ours(storage, threads, tokens, values.dims) };
  for (const graph of hasOnnx ? GRAPHS[storage] : []) {
    const name = `onnxruntime-web ${graph}`;
    runs[name] = () => measure(name, "layer/onnxruntime.mjs", "web", graph, threads, tokens, `${values.dims},${k}`);
  }
  if (hasJax && storage === "f32" && threads === 1) {
    // A plain product with as many operations, without routing: jax-js has no mixture.
    runs["jax-js product"] = () => measure("jax-js", "layer/jax.mjs", 1, values.tokens, `${values.dims},${k}`);
  }
  const { results, read, peak } = alternate(threads, runs);
  if (results.moec.length === 0) return;
  for (const count of list(tokens)) {
    const time = (name) => median(results[name].map(({ result }) => result[count]?.median).filter(Number.isFinite));
    const own = time("moec");
    const others = Object.fromEntries(
      Object.keys(runs)
        .filter((name) => name !== "moec" && time(name) !== undefined)
        .map((name) => [name, time(name)]),
    );
    const bytes = touched(count) * 3 * D * F * BYTES[storage];
    const flops = count * k * 6 * D * F;
    const shares = { read: bytes / own / 1e6 / read, peak: flops / own / 1e6 / peak };
    show({ what: "layer", threads, storage, tokens: count, moec: own, ...shares, others });
  }
}

function benchMatmul(threads) {
  const runs = { moec: () => measure("moec", "layer/moec.mjs", "matmul", threads, "512", "2048,2048,1") };
  if (hasOnnx) {
    runs["onnxruntime-web MatMul"] = () =>
      measure("onnxruntime-web MatMul", "layer/onnxruntime.mjs", "web", "matmul", threads, "512");
  }
  const { results, read, peak } = alternate(threads, runs);
  if (results.moec.length === 0) return;
  const time = (name) => median(results[name].map(({ result }) => result[512].median));
  const own = time("moec");
  const others = Object.fromEntries(
    Object.keys(runs)
      .filter((name) => name !== "moec" && results[name].length > 0)
      .map((name) => [name, time(name)]),
  );
  const shares = { read: (4 * 2048 * 2048) / own / 1e6 / read, peak: (2 * 512 * 2048 * 2048) / own / 1e6 / peak };
  show({ what: "matmul", threads, storage: "f32", tokens: 512, moec: own, ...shares, others });
}

/** Parameters that one token multiplies, and those that a call reads: experts touched and everything else. */
const MODELS = {
  layer: { what: "one-layer model", layers: 1, width: 2048, hidden: 1024, rest: 2048 * (4 * 128) + 512 * 2048 },
  small: { what: "small model", layers: 8, width: 1024, hidden: 256, rest: 8 * 4 * 1024 * 1024 + 8192 * 1024 },
};
/** Tokens decoded behind the longest prompt. */
const DECODED = 24;

function benchModel(threads, name, storage) {
  const { what, layers, width, hidden, rest } = MODELS[name];
  const made = measure(`model ${name} ${storage}`, "models/make.mjs", name, storage);
  if (!made) return;
  const runs = { moec: () => measure("moec", "models/moec.mjs", made.bundle, threads, values.tokens, DECODED) };
  if (hasWllama) {
    runs.wllama = () => measure("wllama", "peers/wllama.mjs", made.gguf, threads, values.tokens, DECODED);
  }
  const { results, read, peak } = alternate(threads, runs, Math.min(rounds, 2));
  if (results.moec.length === 0) return;
  for (const count of list(values.tokens)) {
    // One token is what generating costs, behind the longest prompt; more are a prompt.
    const rowOf = (found, tokens) => found.rows.find((row) => row.tokens === tokens);
    const own = median(results.moec.map((found) => (count === 1 ? found.token : rowOf(found, count).prompt)));
    const theirs = (results.wllama ?? [])
      .map((found) => {
        const last = found.rows.at(-1);
        return count === 1
          ? last.predicted_ms / (last.predicted_n - 1)
          : rowOf(found, count).prompt_per_token_ms * count;
      })
      .filter((milliseconds) => Number.isFinite(milliseconds) && milliseconds > 0);
    const perExpert = 3 * width * hidden;
    const bytes = (layers * touched(count) * perExpert + rest) * BYTES[storage];
    const flops = 2 * count * (layers * k * perExpert + rest);
    const shares = { read: bytes / own / 1e6 / read, peak: flops / own / 1e6 / peak };
    const others = theirs.length > 0 ? { wllama: median(theirs) } : {};
    show({ what, threads, storage, tokens: count, moec: own, ...shares, others });
  }
}

const storages = values.storage.split(",");
for (const threads of list(values.threads)) {
  if (sections.includes("layer")) for (const storage of storages) benchLayer(threads, storage);
  if (sections.includes("matmul")) benchMatmul(threads);
  if (sections.includes("models")) {
    for (const name of values.models.split(",")) {
      for (const storage of storages.filter((one) => one !== "f32")) benchModel(threads, name, storage);
    }
  }
}
console.log("");
const whats = [
  ...(sections.includes("layer") ? ["layer"] : []),
  ...(sections.includes("models") ? values.models.split(",").map((name) => MODELS[name].what) : []),
];
for (const { name, verdict, text } of judge(report, whats, list(values.threads))) {
  console.log(`${verdict.padEnd(12)}  ${name}${text === undefined ? "" : `: ${text}`}`);
}
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1));
