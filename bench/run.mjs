/**
 * `npm run bench`: one MoE layer (d 2048, width 1024, 64 experts, top-8) on moec's WebAssembly kernels and on the
 * engines that run in the same places, alternating in one run, with this machine's read rate and multiply-add peak
 * measured between them. Prints medians and ratios; absolute figures on a shared machine mean little.
 *
 * `node bench/run.mjs [--threads 1,2] [--tokens 1,16,128] [--rounds 3] [--dims 2048,1024,64] [--json file]`
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL("./", import.meta.url));
const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1,2" },
    tokens: { type: "string", default: "1,16,128" },
    rounds: { type: "string", default: "3" },
    dims: { type: "string", default: "2048,1024,64" },
    json: { type: "string" },
  },
});
const list = (text) => text.split(",").map(Number);
const [D, F, E] = list(values.dims);
const k = Math.min(8, E);

/** Runs one engine in a process of its own and reads its JSON line. */
function engine(script, ...args) {
  const out = execFileSync(process.execPath, [`${here}layer/${script}`, ...args.map(String)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  return JSON.parse(out.trim().split("\n").at(-1)).result;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const peers = existsSync(`${here}peers/node_modules/onnxruntime-web`);
if (!peers)
  console.log("onnxruntime-web is not installed: `npm run peers:install` installs the engines to compare with\n");

/** What is compared with what: ours by storage, theirs by graph. */
const ROWS = [
  { storage: "f32", graphs: ["moe", "loop"] },
  { storage: "q8_0", graphs: ["qmoe8"] },
  { storage: "q4_0", graphs: ["qmoe4"] },
];
const BYTES = { f32: 4, q8_0: 34 / 32, q4_0: 18 / 32 };

const report = [];
for (const threads of list(values.threads)) {
  for (const { storage, graphs } of ROWS) {
    const ours = [];
    const theirs = Object.fromEntries(graphs.map((graph) => [graph, []]));
    const limits = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      limits.push(engine("limits.mjs", threads));
      ours.push(engine("moec.mjs", storage, threads, values.tokens, values.dims));
      if (peers) {
        for (const graph of graphs)
          theirs[graph].push(engine("ort-web.mjs", graph, threads, values.tokens, `${values.dims},${k}`));
      }
    }
    const read = median(limits.map((limit) => limit.read));
    const peak = median(limits.map((limit) => limit.multiplyAdd));
    for (const tokens of list(values.tokens)) {
      const own = median(ours.map((result) => result[tokens].median));
      const experts = Math.round(E * (1 - (1 - k / E) ** tokens));
      const bytes = experts * 3 * D * F * BYTES[storage];
      const flops = tokens * k * 3 * D * F * 2;
      const row = {
        threads,
        storage,
        tokens,
        moec: own,
        read: bytes / own / 1e6 / read,
        peak: flops / own / 1e6 / peak,
        ...Object.fromEntries(
          graphs
            .filter(() => peers)
            .map((graph) => [graph, median(theirs[graph].map((result) => result[tokens].median))]),
        ),
      };
      report.push(row);
      const versus = graphs
        .filter(() => peers)
        .map((graph) => `onnxruntime-web ${graph} ${row[graph].toFixed(2)} ms = ${(row[graph] / own).toFixed(2)} x`)
        .join(", ");
      const share = `${(row.read * 100).toFixed(0)}% of the read rate, ${(row.peak * 100).toFixed(0)}% of the f32 multiply-add peak`;
      console.log(
        `${threads} thread${threads > 1 ? "s" : ""}  ${storage.padEnd(5)} ${String(tokens).padStart(4)} tokens  moec ${own.toFixed(2)} ms (${share})  ${versus}`,
      );
    }
  }
}
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1));
