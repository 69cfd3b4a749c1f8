/**
 * From nothing to the first token, with the file in the page cache: `moec run model.gguf` (its bundle made by a run
 * before) and llama.cpp through node-llama-cpp, each as a process of its own, by turns. Shown are medians of wall time,
 * and the most memory that was resident, as a share of the file's size.
 *
 * Usage: node bench/native/start.mjs [--shapes olmoe-small] [--types q4_0] [--rounds 5] [--threads 2] [--json file]
 */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hasPeer, median } from "../engines.mjs";
import { chosenModels, ggufFile } from "./files.mjs";
import { writeResults } from "./results.mjs";

const { values } = parseArgs({
  options: {
    shapes: { type: "string", default: "olmoe-small" },
    types: { type: "string", default: "q4_0" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    json: { type: "string" },
  },
});
const { shapes, types } = await chosenModels(values);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const peer = hasPeer("node-llama-cpp");
if (!peer) console.log("without llama.cpp: `npm run peers:install` installs it");

/** Runs a command; its wall time and, by GNU time or Node's own counters, the most memory it held. */
function timed(args) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  const wall = performance.now() - start;
  if (status !== 0) throw new Error(stderr.trim() || `ended with code ${status}`);
  return { wall, report: JSON.parse(stdout.trim().split("\n").at(-1)) };
}

const own = (file) => {
  const main = path("../../dist/cli/main.js");
  const options = ["--device", "native", "--threads", values.threads, "--max-tokens", "1", "--temperature", "0"];
  const script = `process.argv.splice(1, 1, ${JSON.stringify(main)});
    process.on("exit", () => console.log(JSON.stringify({ resident: process.resourceUsage().maxRSS * 1024 })));
    await import(${JSON.stringify(main)});`;
  return timed(["--input-type=module", "-e", script, "moec", "run", file, "a", ...options]);
};
const theirs = (file) => timed([path("./llama-start.mjs"), file, values.threads]);

const results = [];
for (const shape of shapes) {
  for (const type of types) {
    const file = await ggufFile(shape, type);
    const { size } = statSync(file);
    const first = own(file).wall;
    const runs = { moec: [], llama: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      runs.moec.push(own(file));
      if (peer) runs.llama.push(theirs(file));
    }
    const wall = (name) => median(runs[name].map((one) => one.wall));
    const resident = (name) => Math.max(...runs[name].map((one) => one.report.resident));
    const one = { shape, type, size, packing: first, moec: { wall: wall("moec"), resident: resident("moec") } };
    const text = (name) =>
      `${(one[name].wall / 1000).toFixed(2)} s, ${(one[name].resident / size).toFixed(2)} of the file's size resident`;
    console.log(
      `${shape} ${type} (${(size / 1e6).toFixed(0)} MB): moec ${text("moec")}; first run of all ${(first / 1000).toFixed(1)} s`,
    );
    if (peer) {
      one.llama = { wall: wall("llama"), resident: resident("llama") };
      const [faster, smaller] = [one.llama.wall / one.moec.wall, one.moec.resident / one.llama.resident];
      console.log(
        `  llama.cpp ${text("llama")}: ${faster.toFixed(2)} times the time, moec holds ${smaller.toFixed(2)} of its memory`,
      );
    }
    results.push(one);
  }
}
if (values.json) writeResults(values.json, results);
