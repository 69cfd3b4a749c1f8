/**
 * Writes a seeded random model as a GGUF file and builds our bundle of the same file:
 * `node bench/models/make.mjs <name> <q8_0|q4_0>` makes what is not there yet under `.cache/bench` and prints both
 * paths as JSON. Weights are noise that keeps activations finite; only times are read off such a model.
 */
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { isFresh } from "../fresh.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const load = async (path) => (await runnerImport(`${root}${path}`)).module;
const { CONFIGS } = await load("bench/models/configs.ts");
const [name, type] = process.argv.slice(2);
const config = CONFIGS[name];
if (!config) throw new Error(`no model named ${name}: ${Object.keys(CONFIGS).join(", ")}`);

const folder = `${root}.cache/bench`;
const gguf = `${folder}/${name}-${type}.gguf`;
const bundle = `${folder}/${name}-${type}`;
mkdirSync(folder, { recursive: true });

/** 2^20 numbers in -1..1 of a linear congruential generator, repeated. */
function noise() {
  const values = new Float32Array(1 << 20);
  let state = 1;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 31 - 1;
  }
  return values;
}

if (!existsSync(gguf)) {
  const { ggufChunks } = await load("compiler/checkpoints/index.ts");
  const { ggufMetadata, ggufTensors } = await load("compiler/checkpoints/families/index.ts");
  const { tinyVocabulary } = await load("test/support/tiny-checkpoints.ts");
  const stream = noise();
  let from = 0;
  const values = ({ key, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const isNorm = key.endsWith("norm");
    const spread = isNorm ? 0.2 : key === "embed" ? Math.sqrt(3) : Math.sqrt(3 / shape.at(-1));
    const result = new Float32Array(count);
    from = (from + 40503) % 65536;
    for (let i = 0; i < count; i++) result[i] = (isNorm ? 1 : 0) + spread * stream[(from + i) & (stream.length - 1)];
    return result;
  };
  const metadata = new Map([...ggufMetadata(config, `bench ${name}`), ...tinyVocabulary(config.vocab)]);
  const file = openSync(`${gguf}.part`, "w");
  for (const chunk of ggufChunks({ metadata, tensors: ggufTensors(config, values, type) })) writeSync(file, chunk);
  closeSync(file);
  renameSync(`${gguf}.part`, gguf);
}
if (!isFresh(bundle)) {
  const moec = (...args) =>
    execFileSync(process.execPath, [`${root}dist/cli/main.js`, ...args], { cwd: root, stdio: ["ignore", 2, 2] });
  moec("import", gguf, "--out", `${bundle}-spec`, "--force");
  moec("build", `${bundle}-spec`, "--quantization", type, "--prefill", "128", "--context", "512", "--out", bundle);
}
console.log(JSON.stringify({ gguf, bundle }));
