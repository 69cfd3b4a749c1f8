/**
 * What the machine does at most with 1 and 2 threads at once: reads and the triad of STREAM (GB/s), products of bytes
 * (GOP/s) and multiply-adds (GFLOP/s). Medians of some rounds by wall time.
 *
 * Usage: node bench/native/machine.mjs [--threads 1,2] [--rounds 9] [--json file]
 */
import { parseArgs } from "node:util";
import { median } from "../engines.mjs";
import { sources } from "./files.mjs";
import { writeResults } from "./results.mjs";

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "9" },
    json: { type: "string" },
  },
});
const { target } = await sources("./product.ts");
if (!target) process.exit(0);
const { prepareMachine } = await sources("./machine.ts");

const UNITS = { read: "GB/s", triad: "GB/s", bytes: "GOP/s", floats: "GFLOP/s" };
const results = [];
for (const threads of values.threads.split(",").map(Number)) {
  const machine = prepareMachine(threads);
  const rates = Object.fromEntries(Object.keys(UNITS).map((limit) => [limit, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const limit of Object.keys(UNITS)) rates[limit].push(await machine.rate(limit));
  }
  const one = Object.fromEntries(Object.entries(rates).map(([limit, list]) => [limit, median(list)]));
  results.push({ threads, ...one });
  const texts = Object.entries(UNITS).map(([limit, unit]) => `${limit} ${one[limit].toFixed(1)} ${unit}`);
  console.log(`${threads} thread${threads > 1 ? "s" : ""}: ${texts.join(", ")}`);
}
if (values.json) writeResults(values.json, results);
process.exit(0);
