/**
 * `npm run bench`: moec's WebAssembly kernels and the engines that run in the same places, one after the other, with this
 * machine's read rate and multiply-add peak measured between our calls. Prints medians, ratios and whether the project's
 * bars hold; absolute figures on a shared machine mean little.
 *
 * `node bench/run.mjs [--only layer,matmul,models] [--threads 1,2] [--tokens 1,16,128] [--rounds 1] [--minutes 9]
 *  [--dims 2048,1024,64] [--models layer,small] [--storage f32,q8_0,q4_0] [--json file]`
 *
 * What the bundles and models cost to make comes before the clock of `--minutes` starts. When it has run down, what is
 * left counts as not measured.
 */
import { existsSync, writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { judge } from "./bars.mjs";
import { chosen } from "./choice.mjs";
import { chromium, engine, hasPeer, median } from "./engines.mjs";
import { layerFolder } from "./layer/folder.mjs";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "layer,matmul,models" },
    threads: { type: "string", default: "1,2" },
    tokens: { type: "string", default: "1,16,128" },
    rounds: { type: "string", default: "1" },
    minutes: { type: "string", default: "9" },
    dims: { type: "string", default: "2048,1024,64" },
    models: { type: "string", default: "layer,small" },
    storage: { type: "string", default: "f32,q8_0,q4_0" },
    json: { type: "string" },
  },
});
const list = (text) => text.split(",").map(Number);
const [D, F, E] = list(values.dims);
const k = Math.min(8, E);
const sections = chosen("--only", values.only.split(","), ["layer", "matmul", "models"]);
const storages = chosen("--storage", values.storage.split(","), ["f32", "q8_0", "q4_0"]);

/**
 * Parameters that one token multiplies, and those that a call reads: experts touched and everything else. Of a model that
 * is there for its layer the time of one layer counts.
 */
const MODELS = {
  layer: { what: "layer in a model", layers: 2, width: 2048, hidden: 1024, rest: 2 * 2048 * (4 * 128) + 512 * 2048 },
  small: { what: "small model", layers: 8, width: 1024, hidden: 256, rest: 8 * 4 * 1024 * 1024 + 8192 * 1024 },
};
const names = chosen("--models", values.models.split(","), Object.keys(MODELS));

const hasOnnx = hasPeer("onnxruntime-web");
const hasJax = hasPeer("@jax-js/jax");
const hasChromium = hasPeer("playwright-core") && existsSync(chromium());
const hasWllama = hasPeer("@wllama/wllama") && hasChromium;

const absent = (name, why) => console.log(`${name}: absent (${why})`);
if (!hasOnnx) absent("onnxruntime-web", "`npm run peers:install` installs it");
if (!hasJax) absent("jax-js", "`npm run peers:install` installs it");
if (!hasWllama) absent("wllama", `needs \`npm run peers:install\` and Chromium at ${chromium()}, or $MOEC_CHROMIUM`);

const report = [];
const said = new Set();
let clock = performance.now();
/** Seconds of the clock; what is made before it starts takes as long as it takes. */
let most = Infinity;
const seconds = () => (performance.now() - clock) / 1000;
/** Says on the error stream what goes on, so that the results alone are the output. */
const progress = (text) => console.error(`${seconds().toFixed(0).padStart(5)} s  ${text}`);

/** Runs an engine; what went wrong is said once. */
function measure(name, script, ...args) {
  if (seconds() > most) return sayOnce(name, `the ${values.minutes} minutes are over`);
  progress(`${name}: ${[script, ...args].join(" ")}`);
  const found = engine(script, ...args);
  return found.absent === undefined ? found : sayOnce(name, found.absent);
}
function sayOnce(name, why) {
  if (!said.has(name)) absent(name, why);
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

/** Ours and the others in turn; the results of all rounds by name. */
function alternate(runs) {
  const results = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [name, run] of Object.entries(runs)) {
      const found = run();
      if (found) results[name].push(found);
    }
  }
  return results;
}

/** Shares of what the machine could have done in the time of a call, by what was measured beside each call. */
function shares(possible, { bytes, flops }) {
  const all = (name) => median(possible.map((one) => one[name]));
  return { read: bytes / 1e6 / all("bytes"), peak: flops / 1e6 / all("operations") };
}

/** Bytes of a stored weight. */
const BYTES = { f32: 4, q8_0: 34 / 32, q4_0: 18 / 32 };
/** The graphs of onnxruntime-web for a storage. */
const GRAPHS = { f32: ["moe", "loop"], q8_0: ["qmoe8"], q4_0: ["qmoe4"] };
/** Graphs that `layer/chromium.mjs` makes. */
const quantizedGraphs = ["qmoe8", "qmoe4"];
/** Our kernels in the browser that wllama runs in. */
const OURS_IN_CHROMIUM = "moec (Chromium)";
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
  if (hasChromium && quantizedGraphs.includes(GRAPHS[storage][0])) {
    // Both in one host as well: Chromium has instructions for bytes that Node 20 lacks.
    const page = (kind) => () =>
      measure(
        `${kind} (Chromium)`,
        "layer/chromium.mjs",
        kind,
        layerFolder(storage, values.dims),
        threads,
        tokens,
        `${values.dims},${k}`,
      );
    runs[OURS_IN_CHROMIUM] = page("moec");
    if (hasOnnx) runs[`onnxruntime-web ${GRAPHS[storage][0]} (Chromium)`] = page(GRAPHS[storage][0]);
  }
  if (hasJax && storage === "f32" && threads === 1) {
    // A plain product with as many operations, without routing: jax-js has no mixture.
    runs["jax-js product"] = () => measure("jax-js", "layer/jax.mjs", 1, values.tokens, `${values.dims},${k}`);
  }
  const results = alternate(runs);
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
    const possible = results.moec.map(({ result }) => result[count].possible);
    const reached = shares(possible, { bytes, flops });
    show({ what: "layer", threads, storage, tokens: count, moec: own, ...reached, others });
  }
}

function benchMatmul(threads) {
  const runs = { moec: () => measure("moec", "layer/moec.mjs", "matmul", threads, "512", "2048,2048,1") };
  if (hasOnnx) {
    runs["onnxruntime-web MatMul"] = () =>
      measure("onnxruntime-web MatMul", "layer/onnxruntime.mjs", "web", "matmul", threads, "512");
  }
  const results = alternate(runs);
  if (results.moec.length === 0) return;
  const time = (name) => median(results[name].map(({ result }) => result[512].median));
  const own = time("moec");
  const others = Object.fromEntries(
    Object.keys(runs)
      .filter((name) => name !== "moec" && results[name].length > 0)
      .map((name) => [name, time(name)]),
  );
  const possible = results.moec.map(({ result }) => result[512].possible);
  const reached = shares(possible, { bytes: 4 * 2048 * 2048, flops: 2 * 512 * 2048 * 2048 });
  show({ what: "matmul", threads, storage: "f32", tokens: 512, moec: own, ...reached, others });
}

/** Tokens decoded behind the longest prompt. */
const DECODED = 24;

/**
 * Milliseconds of a prompt, or of one generated token, in what wllama says. llama.cpp computes the experts of the last
 * layer for one token of a prompt only: with `perLayer` that token's part comes off, and the other layers count.
 */
function llamaTime(found, count, { layers, perLayer }) {
  const { predicted_ms: decoding, predicted_n: decoded } = found.rows.at(-1);
  const token = decoding / (decoded - 1);
  if (count === 1) return perLayer ? token / layers : token;
  const prompt = found.rows.find((row) => row.tokens === count).prompt_per_token_ms * count;
  return perLayer ? (prompt - token / layers) / (layers - 1) : prompt;
}

function benchModel(threads, name, storage) {
  const { what, layers, width, hidden, rest } = MODELS[name];
  const perLayer = name === "layer";
  const parts = perLayer ? layers : 1;
  const made = models.get(`${name} ${storage}`);
  if (!made) return;
  const runs = { moec: () => measure("moec", "models/moec.mjs", made.bundle, threads, values.tokens, DECODED) };
  if (hasWllama) {
    runs[OURS_IN_CHROMIUM] = () =>
      measure(OURS_IN_CHROMIUM, "models/chromium.mjs", made.bundle, threads, values.tokens, DECODED);
    runs.wllama = () => measure("wllama", "peers/wllama.mjs", made.gguf, threads, values.tokens, DECODED);
  }
  const results = alternate(runs);
  if (results.moec.length === 0) return;
  for (const count of list(values.tokens)) {
    // One token is what generating costs, behind the longest prompt; more are a prompt.
    const rowOf = (found) => (count === 1 ? found : found.rows.find((row) => row.tokens === count));
    const timeOf = (found) => (count === 1 ? found.token : rowOf(found).prompt) / parts;
    const own = median(results.moec.map(timeOf));
    const theirs = (results.wllama ?? [])
      .map((found) => llamaTime(found, count, { layers, perLayer }))
      .filter((milliseconds) => Number.isFinite(milliseconds) && milliseconds > 0);
    const perExpert = 3 * width * hidden;
    const bytes = (layers * touched(count) * perExpert + rest) * BYTES[storage];
    const flops = 2 * count * (layers * k * perExpert + rest);
    const possible = results.moec.map((found) => rowOf(found).possible);
    const reached = shares(possible, { bytes, flops });
    const inPage = (results[OURS_IN_CHROMIUM] ?? []).map(timeOf);
    const others = {
      ...(inPage.length > 0 ? { [OURS_IN_CHROMIUM]: median(inPage) } : {}),
      ...(theirs.length > 0 ? { wllama: median(theirs) } : {}),
    };
    show({ what, threads, storage, tokens: count, moec: own, ...reached, others });
  }
}

const quantized = storages.filter((one) => one !== "f32");
/** Files of the models by name and storage. */
const models = new Map();
if (sections.includes("layer")) {
  for (const storage of storages) measure("moec", "layer/moec.mjs", storage, 1, "", values.dims);
}
if (sections.includes("models")) {
  for (const name of names) {
    for (const storage of quantized) {
      models.set(`${name} ${storage}`, measure(`model ${name} ${storage}`, "models/make.mjs", name, storage));
    }
  }
}
clock = performance.now();
most = 60 * Number(values.minutes);
for (const threads of list(values.threads)) {
  if (sections.includes("layer")) for (const storage of storages) benchLayer(threads, storage);
  if (sections.includes("matmul")) benchMatmul(threads);
  if (sections.includes("models")) {
    for (const name of names) for (const storage of quantized) benchModel(threads, name, storage);
  }
}
progress("done");
console.log("");
const whats = [
  ...["layer", "matmul"].filter((section) => sections.includes(section)),
  ...(sections.includes("models") ? names.map((name) => MODELS[name].what) : []),
];
for (const { name, verdict, text } of judge(report, whats, list(values.threads))) {
  console.log(`${verdict.padEnd(12)}  ${name}${text === undefined ? "" : `: ${text}`}`);
}
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1));
