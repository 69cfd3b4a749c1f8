/**
 * Times jax-js (wasm backend) on a plain f32 product with as many operations as the experts of one layer: it has no
 * mixture operator, so this leaves out routing and gathering. `node jax.mjs <threads> <tokens,…> [D,F,E,k]` prints one
 * JSON line. It computes on one thread whatever is asked.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { noise } from "./noise.mjs";
import { sample } from "./sample.mjs";

// It asks the browser for its features; Node 20 has no navigator.
globalThis.navigator ??= { userAgent: "node", hardwareConcurrency: 1 };
const require = createRequire(new URL("../peers/package.json", import.meta.url));
const { defaultDevice, init, jit, numpy } = await import(pathToFileURL(require.resolve("@jax-js/jax")).href);
const [, list, dims = "2048,1024,64,8"] = process.argv.slice(2);
const [D, F, , k] = dims.split(",").map(Number);
await init("wasm");
defaultDevice("wasm");
const w = numpy.array(noise(D * 3 * F * k, 1 / Math.sqrt(D), 1)).reshape([D, 3 * F * k]);
const product = jit((x, weights) => numpy.matmul(x, weights));
const result = {};
for (const tokens of list.split(",").map(Number)) {
  result[tokens] = await sample((run) => {
    const x = numpy.array(noise(tokens * D, 1, 100 + run));
    return async () => {
      const y = product(x.reshape([tokens, D]), w.ref);
      const data = await y.data();
      if (!Number.isFinite(data[0])) throw new Error("not finite");
    };
  });
}
console.log(JSON.stringify({ engine: "jax-js", kind: "product", threads: 1, result }));
process.exit(0);
