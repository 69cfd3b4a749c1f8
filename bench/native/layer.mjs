/**
 * One mixture-of-experts layer (d 2048, width 1024, 64 experts, 8 chosen) on native code beside ONNX Runtime's graphs
 * for it, by turns in one run; medians of milliseconds and the quotient with the best graph. Each engine makes its calls
 * in a row, in a process of its own, as a program that uses it does, behind one of 512 tokens that reads all weights and
 * is not counted; every call has other tokens, so that its experts do not lie in the core's caches. Of up to 16 tokens the
 * bytes of the chosen experts a second are shown as a share of what as many threads read at most between the engines'
 * turns: no engine can do better than read each weight once.
 *
 * Usage: [UV_THREADPOOL_SIZE=8] node bench/native/layer.mjs [--storage f32,q8_0,q4_0] [--threads 1,2] [--tokens 1,16,128,512] [--rounds 3]
 *   [--dims 2048,1024,64] [--json file]
 *
 * More than four threads need UV_THREADPOOL_SIZE, as many at least: what the machine reads is measured with it.
 */
import { parseArgs } from "node:util";
import { chosen } from "../choice.mjs";
import { engine, hasOnnxRuntime, median } from "../engines.mjs";
import { sources } from "./files.mjs";
import { writeResults } from "./results.mjs";

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
const hasRuntime = hasOnnxRuntime();
if (!hasRuntime) console.log("without ONNX Runtime: npm ci --prefix bench/onnxruntime --ignore-scripts");

const { target } = await sources("./product.ts");
if (!target) process.exit(0);
const { prepareMachine } = await sources("./machine.ts");

/** Most tokens of a call whose time is that of reading the weights. */
const FEW_TOKENS = 16;

const experts = Number(values.dims.split(",")[2]);
const percent = (share) => `${(100 * share).toFixed(0)}%`;
const results = [];
for (const storage of chosen("--storage", values.storage.split(","), Object.keys(GRAPHS))) {
  for (const threads of values.threads.split(",")) {
    const runs = { moec: () => engine("layer/moec.mjs", storage, threads, values.tokens, values.dims, "native") };
    for (const graph of hasRuntime ? GRAPHS[storage] : []) {
      const dims = `${values.dims},${Math.min(8, experts)}`;
      runs[graph] = () => engine("layer/onnxruntime.mjs", "node", graph, threads, values.tokens, dims);
    }
    const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
    const machine = prepareMachine(Number(threads));
    const reads = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, run] of Object.entries(runs)) {
        await machine.warm();
        reads.push(await machine.rate("read"));
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
      const { bytes } = times.moec[0][tokens];
      const [rate, read] = [bytes / own / 1e6, median(reads)];
      const one = { storage, threads: Number(threads), tokens: Number(tokens), moec: own, others, ratio, rate, read };
      results.push(one);
      const share =
        one.tokens > FEW_TOKENS ? "" : `, ${rate.toFixed(1)} of ${read.toFixed(1)} GB/s (${percent(rate / read)})`;
      const beside = Object.entries(others).map(([name, one]) => `${name} ${one.toFixed(2)} ms`);
      const verdict = beside.length > 0 ? `; ONNX Runtime ${beside.join(", ")}: ${ratio.toFixed(2)} times` : "";
      console.log(
        `${storage}, ${threads} thread${threads === "1" ? "" : "s"}, ${tokens} tokens: ${own.toFixed(2)} ms${share}${verdict}`,
      );
    }
  }
}
if (values.json) writeResults(values.json, results);
