/**
 * Times one graph on ONNX Runtime, in WebAssembly (`web`) or on native code (`node`):
 * `node onnxruntime.mjs <web|node> <kind> <threads> <tokens,…> [D,F,E,k]` prints one JSON line.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { noise } from "./noise.mjs";
import { loopGraph, matmulGraph, moeGraph, qmoeGraph, quantizedLoopGraph } from "./onnx-graphs.mjs";
import { sample, WARM_TOKENS } from "./sample.mjs";

const [place, kind, threads, list, dims = "2048,1024,64,8"] = process.argv.slice(2);
const name = `onnxruntime-${place}`;
const folder = place === "node" ? "../onnxruntime/" : "../peers/";
const require = createRequire(new URL(`${folder}package.json`, import.meta.url));
const loaded = await import(pathToFileURL(require.resolve(name)).href);
const ort = loaded.InferenceSession ? loaded : loaded.default;

const [D, F, E, k] = dims.split(",").map(Number);
if (place === "web") ort.env.wasm.numThreads = Number(threads);
ort.env.logLevel = "error";
const shape = { D, F, E, k, router: noise(D * E, 0.03, 7) };
const scale = 1 / Math.sqrt(D);
function graph() {
  switch (kind) {
    case "moe":
      return moeGraph(shape, { interleaved: noise(E * 2 * F * D, scale, 1), down: noise(E * D * F, scale, 3) });
    case "loop":
      return loopGraph(shape, {
        gate: noise(E * D * F, scale, 1),
        up: noise(E * D * F, scale, 2),
        downT: noise(E * D * F, scale, 3),
      });
    case "loop4":
      return quantizedLoopGraph(shape, 4);
    case "loop8":
      return quantizedLoopGraph(shape, 8);
    case "qmoe4":
      return qmoeGraph(shape, 4);
    case "qmoe8":
      return qmoeGraph(shape, 8);
    case "matmul":
      return matmulGraph(512, 2048, 2048, noise(2048 * 2048, scale, 1));
    default:
      throw new Error(`no graph named ${kind}`);
  }
}
const { model, external } = graph();
const session = await ort.InferenceSession.create(model, {
  executionProviders: [place === "web" ? "wasm" : "cpu"],
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  externalData: Object.entries(external).map(([path, data]) => ({
    path,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })),
});
const input = (tokens, seed) => {
  const rows = kind === "matmul" ? 512 : tokens;
  return new ort.Tensor("float32", noise(rows * D, 1, seed), [rows, D]);
};
if (kind !== "matmul") await session.run({ x: input(WARM_TOKENS, 99) });
const result = {};
for (const tokens of list.split(",").map(Number)) {
  result[tokens] = await sample((run) => {
    const x = input(tokens, 100 + run);
    return async () => {
      const { y } = await session.run({ x });
      if (!Number.isFinite(y.data[0])) throw new Error("not finite");
    };
  });
}
console.log(JSON.stringify({ engine: name, kind, threads: Number(threads), result }));
process.exit(0);
