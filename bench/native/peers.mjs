/**
 * `npm run bench:peers`: native code beside llama.cpp and ONNX Runtime in one run: the limits of the machine, products as
 * shares of them, one layer, whole models, one with a busy neighbour, and the time and memory to the first token; then
 * what the project promises, bar by bar. Brings the engines and writes the GGUF files (under `.cache/bench`) that it needs.
 *
 * Usage: npm run bench:peers -- [--minutes 60] [--resume] [--only models,start] [--small] [--list]
 *
 * - `--minutes`: when they are over the piece that runs is ended, and what was measured is shown. The pieces share them
 *   out by how long each takes.
 * - `--resume`: pieces that an earlier run finished are not measured again. Their figures are those of that run.
 * - `--only`: pieces whose names contain one of the words.
 * - `--small`: four of OLMoE's sixteen layers, for machines without 16 GB of memory and 10 GB of disk.
 *
 * Results are kept in `.cache/bench/native/peers/`, a file for each piece. Progress goes to stderr.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chosen } from "../choice.mjs";
import { hasOnnxRuntime, hasPeer } from "../engines.mjs";
import { judge } from "./bars.mjs";
import { Budget } from "./budget.mjs";
import { parsed, readResults, writeResults } from "./results.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    resume: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    small: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.cache/bench/native/peers/`;
const large = values.small ? "olmoe-4" : "olmoe";

/** Pieces in order of importance; `minutes` is what each takes alone on a machine of two cores, about. */
const models = (shape, type, minutes, ...args) => ({
  name: `models ${shape} ${type}${args.includes("--busy") ? " busy" : ""}${args.includes("--cache") ? ` cache ${args.at(-1)}` : ""}`,
  ...{ kind: "models", script: "models.mjs", minutes, bounded: true },
  args: ["--shapes", shape, "--types", type, ...args],
});
const others = ["--batch", "1", "--decode", "128"];
const all = [
  { name: "machine", kind: "machine", script: "machine.mjs", minutes: 0.5, args: [] },
  models(large, "q4_0", 14, "--rounds", "3", "--decode", "0,128,2048", "--batch-decode", "0"),
  models("olmoe-small", "q4_0", 5),
  models("olmoe-small", "q8_0", 5),
  models("olmoe-small", "q4_0", 1, "--busy", "--threads", "2", "--prefill", "", ...others),
  {
    name: `start ${large}`,
    kind: "starts",
    script: "start.mjs",
    minutes: 2,
    args: ["--shapes", large, "--rounds", "3"],
  },
  { name: "start olmoe-small", kind: "starts", script: "start.mjs", minutes: 1, args: ["--shapes", "olmoe-small"] },
  models("llama-1b", "q4_0", 4, "--rounds", "3", ...others),
  ...["mixtral-small", "qwen3-small"].flatMap((shape) =>
    ["q4_0", "q8_0"].map((type) => models(shape, type, 2, "--rounds", "5", ...others)),
  ),
  ...["q4_0", "f32"].flatMap((storage) =>
    ["1", "2"].map((threads) => ({
      name: `layer ${storage} ${threads}`,
      ...{ kind: "layers", script: "layer.mjs", minutes: 2.5 },
      args: ["--storage", storage, "--threads", threads, "--rounds", "1"],
    })),
  ),
  { name: "products", kind: "products", script: "kernels.mjs", minutes: 2, args: ["--rounds", "7"], printsJson: true },
  ...["q4_K", "q6_K"].map((type) => models("olmoe-small", type, 2, "--rounds", "5", "--prefill", "128", ...others)),
  ...["f16", "q8_0"].map((cache) =>
    models("olmoe-small", "q4_0", 1, "--prefill", "", "--decode", "2048", "--batch", "1", "--cache", cache),
  ),
];
const contains = (name, word) => name.includes(word);
const wanted = chosen(
  "--only",
  values.only.split(","),
  all.map(({ name }) => name),
  contains,
);
const pieces = all.filter(({ name }) => wanted.includes(name));

const fileOf = ({ name }) => `${folder}${name.replaceAll(" ", "-")}.json`;
const isDone = (piece) => {
  const kept = readResults(fileOf(piece));
  return kept?.finished === true && JSON.stringify(kept.args) === JSON.stringify(piece.args);
};

/** The exit code of a command, which is ended after some seconds; what it prints is collected when `out` is given. */
async function run(command, args, { seconds, out } = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", out ? "pipe" : "inherit", "inherit"] });
  child.stdout?.on("data", (data) => out.push(data));
  const timer = seconds === undefined ? undefined : setTimeout(() => child.kill(), 1000 * seconds);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return code;
}

async function measure(piece, seconds) {
  const { script, args, bounded, printsJson } = piece;
  const part = `${fileOf(piece)}.part`;
  rmSync(part, { force: true });
  const out = printsJson ? [] : undefined;
  const more = [
    ...(bounded ? ["--seconds", String(Math.floor(seconds))] : []),
    "--json",
    ...(printsJson ? [] : [part]),
  ];
  // A piece that looks at its seconds goes on until its round is over.
  const code = await run(process.execPath, [`bench/native/${script}`, ...args, ...more], {
    ...{ seconds: Math.max(5, budget.left), out },
  });
  // Of a piece that was ended: what it had measured, or nothing.
  const found = (out ? parsed(Buffer.concat(out).toString()) : readResults(part)) ?? [];
  rmSync(part, { force: true });
  const results = Array.isArray(found) ? found : found.results;
  const finished = code === 0 && results.length > 0 && results.every(({ missing }) => missing === undefined);
  writeResults(fileOf(piece), { args, finished, results });
  if (code !== 0 && budget.left > 0) process.exitCode = 1;
}

if (values.list) {
  for (const { name, script, args, minutes } of pieces) {
    console.log(`${name}: node bench/native/${script} ${args.join(" ")} (about ${minutes} minutes)`);
  }
  process.exit(0);
}
mkdirSync(folder, { recursive: true });
if (!hasPeer("node-llama-cpp")) await run("npm", ["run", "--silent", "peers:install"]);
if (!hasOnnxRuntime()) {
  await run("npm", ["ci", "--prefix", "bench/onnxruntime", "--ignore-scripts", "--no-audit", "--no-fund"]);
}
const todo = pieces.filter((piece) => !(values.resume && isDone(piece)));
const budget = new Budget(
  60 * Number(values.minutes),
  todo.map(({ minutes }) => minutes),
);
const missing = [];
for (const [index, piece] of pieces.entries()) {
  const at = `[${index + 1}/${pieces.length}] ${piece.name}`;
  if (!todo.includes(piece)) {
    process.stderr.write(`${at}: kept from an earlier run\n`);
    continue;
  }
  const seconds = budget.next();
  if (budget.left <= 0) {
    missing.push(piece.name);
    continue;
  }
  process.stderr.write(`${at}: ${(budget.left / 60).toFixed(1)} minutes left\n`);
  await measure(piece, seconds);
}
const report = { machine: [], models: [], starts: [], layers: [], products: [] };
for (const piece of pieces.filter(({ name }) => !missing.includes(name))) {
  report[piece.kind].push(...(readResults(fileOf(piece))?.results ?? []));
}
writeResults(`${folder}report.json`, report);
if (missing.length > 0) console.log(`\nnot measured, the minutes were over: ${missing.join("; ")}`);
console.log(`\nwhat is promised (figures: ${folder}report.json)`);
for (const line of judge(report, large)) console.log(line);
