/**
 * Times one MoE layer in headless Chromium, on moec's kernels (`moec <bundle>`) or as a graph of onnxruntime-web:
 * `node chromium.mjs <moec|qmoe4|qmoe8> <bundle or -> <threads> <tokens,…> [D,F,E,k]` prints one JSON line.
 */
import { fileURLToPath } from "node:url";
import { inPage } from "../chromium.mjs";
import { median } from "../engines.mjs";
import { noise } from "./noise.mjs";
import { qmoeGraph } from "./onnx-graphs.mjs";
import { CALLS, WARM_TOKENS } from "./sample.mjs";

const [kind, folder, threads, list, dims = "2048,1024,64,8"] = process.argv.slice(2);
const [D, F, E, k] = dims.split(",").map(Number);
const isOurs = kind === "moec";
const routes = { "/noise.mjs": fileURLToPath(new URL("./noise.mjs", import.meta.url)) };
let external = [];
if (isOurs) routes["/bundle/"] = `${folder}/`;
else {
  const graph = qmoeGraph({ D, F, E, k, router: noise(D * E, 0.03, 7) }, kind === "qmoe8" ? 8 : 4);
  routes["/ort/"] = fileURLToPath(new URL("../peers/node_modules/onnxruntime-web/dist/", import.meta.url));
  routes["/model"] = graph.model;
  external = Object.keys(graph.external);
  for (const [path, data] of Object.entries(graph.external)) {
    routes[`/data/${path}`] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}
const result = await inPage(
  routes,
  async ({ isOurs, threads, tokens, D, external, calls, warm }) => {
    const { noise } = await import("/noise.mjs");
    const fetched = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());
    const ours = async () => {
      const exports = await import("/bundle/index.js");
      const made = Object.values(exports).find((one) => typeof one.load === "function");
      const model = await made.load({ threads, device: "wasm", storage: "none" });
      return { quads: model.report.quads, call: (x) => model.call("forward", { x }) };
    };
    const theirs = async () => {
      const ort = await import("/ort/ort.wasm.min.mjs");
      ort.env.wasm.numThreads = threads;
      ort.env.wasm.wasmPaths = "/ort/";
      const session = await ort.InferenceSession.create(await fetched("/model"), {
        executionProviders: ["wasm"],
        externalData: await Promise.all(external.map(async (path) => ({ path, data: await fetched(`/data/${path}`) }))),
      });
      return { call: (x) => session.run({ x: new ort.Tensor("float32", x, [x.length / D, D]) }) };
    };
    const { quads, call } = await (isOurs ? ours() : theirs());
    await call(noise(warm * D, 1, 99));
    const result = {};
    for (const count of tokens) {
      const times = [];
      // The first call is not counted.
      for (let run = 0, spent = 0; run <= calls.least || (run <= calls.most && spent < calls.milliseconds); run++) {
        const x = noise(count * D, 1, 100 + run);
        const from = performance.now();
        await call(x);
        const milliseconds = performance.now() - from;
        if (run === 0) continue;
        spent += milliseconds;
        times.push(milliseconds);
      }
      result[count] = times;
    }
    return { quads, result };
  },
  {
    ...{ isOurs, threads: Number(threads), tokens: list.split(",").map(Number) },
    ...{ D, external, calls: CALLS, warm: WARM_TOKENS },
  },
);
const shown = Object.fromEntries(
  Object.entries(result.result).map(([count, times]) => [count, { median: median(times), min: Math.min(...times) }]),
);
console.log(
  JSON.stringify({ engine: `${kind} (Chromium)`, threads: Number(threads), quads: result.quads, result: shown }),
);
