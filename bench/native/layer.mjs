/**
 * One mixture-of-experts layer (d 2048, width 1024, 64 experts, 8 chosen) on native code beside ONNX Runtime's graphs
 * for it, by turns in one run; medians of milliseconds and the quotient with the best graph.
 *
 * Usage: node bench/native/layer.mjs [--storage f32,q8_0,q4_0] [--threads 1,2] [--tokens 1,16,128,512] [--rounds 3]
 *   [--dims 2048,1024,64] [--json file]
 */
import { existsSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { engine, median } from "../engines.mjs";

const { values } = parseArgs({
  options: {
    storage: { type: "string", default: "f32,q8_0,q4_0" },
    threads: { type: "string", default: "1,2" },
    tokens: { type: "string", default: "1,16,128,512" },
    rounds: { type: "string", default: "3" },
    dims: { type: "string", default: "2048,1024,64" },
    json: { type: "string" },
  },
});
/** Graphs of ONNX Runtime for a storage: the fused operator, and a loop over experts. */
const GRAPHS = { f32: ["moe", "loop"], q8_0: ["qmoe8", "loop8"], q4_0: ["qmoe4", "loop4"] };
const hasRuntime = existsSync(new URL("../onnxruntime/node_modules/onnxruntime-node", import.meta.url));
if (!hasRuntime) console.log("without ONNX Runtime: npm ci --prefix bench/onnxruntime --ignore-scripts");

const experts = Number(values.dims.split(",")[2]);
const results = [];
for (const storage of values.storage.split(",")) {
  for (const threads of values.threads.split(",")) {
    const runs = { moec: () => engine("layer/moec.mjs", storage, threads, values.tokens, values.dims, "native") };
    for (const graph of hasRuntime ? GRAPHS[storage] : []) {
      const dims = `${values.dims},${Math.min(8, experts)}`;
      runs[graph] = () => engine("layer/onnxruntime.mjs", "node", graph, threads, values.tokens, dims);
    }
    const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, run] of Object.entries(runs)) {
        const { result, absent } = run();
        if (result) times[name].push(result);
        else if (round === 0) console.log(`${name}: absent (${absent})`);
      }
    }
    for (const tokens of values.tokens.split(",")) {
      const time = (name) => median(times[name].map((result) => result[tokens].median));
      const own = time("moec");
      if (own === undefined) continue;
      const others = Object.fromEntries(
        Object.keys(runs)
          .filter((name) => name !== "moec" && times[name].length > 0)
          .map((name) => [name, time(name)]),
      );
      const ratio = Math.min(...Object.values(others)) / own;
      results.push({ storage, threads: Number(threads), tokens: Number(tokens), moec: own, others, ratio });
      const beside = Object.entries(others).map(([name, one]) => `${name} ${one.toFixed(2)} ms`);
      const verdict = beside.length > 0 ? `; ONNX Runtime ${beside.join(", ")}: ${ratio.toFixed(2)} times` : "";
      console.log(
        `${storage}, ${threads} thread${threads === "1" ? "" : "s"}, ${tokens} tokens: ${own.toFixed(2)} ms${verdict}`,
      );
    }
  }
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
