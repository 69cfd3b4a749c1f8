/**
 * A native bundle whose weights are larger than 4 GiB: built, mapped and run; the last parameter, which lies beyond
 * 2^32 bytes, must decide the result. Needs 5 GB of disk for a minute.
 *
 *     npm run build && node bench/loading/large.mjs
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [D, L] = [8192, 16];
const folder = mkdtempSync(join(tmpdir(), "moec-large-"));
try {
  writeFileSync(
    join(folder, "large.moe"),
    `block Empty[D] {
  param w: [D, N = D] = zeros
  (x: [T, D]) => x + (x @ w)[N -> D]
}
block Last[D] {
  param w: [D, N = D] = normal(0.01)
  (x: [T, D]) => x + (x @ w)[N -> D]
}
model Large[L = ${L}, D = ${D}] {
  stack layers = L of Empty[D]
  use last = Last[D]
  forward(x: [T, D]) => last(layers(x))
}
`,
  );
  const bundle = join(folder, "bundle");
  const moec = (...args) =>
    execFileSync(process.execPath, [join(root, "dist/cli/main.js"), ...args], { stdio: "inherit" });
  const from = performance.now();
  const args = [
    "--random",
    "7",
    "--quantization",
    "f32",
    "--target",
    "native",
    "--level",
    "x86-64-v3",
    "--prefill",
    "4",
    "--context",
    "16",
  ];
  moec("build", join(folder, "large.moe"), ...args, "--out", bundle);
  const { memory } = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
  console.log(
    `built in ${((performance.now() - from) / 1000).toFixed(0)} s, weights ${memory.weights ?? JSON.stringify(memory)} bytes`,
  );
  const { loadModel, Model } = await import(join(root, "dist/runtime/node/index.js"));
  const started = performance.now();
  const model = await loadModel(Model, bundle, { device: "native" });
  const x = Float32Array.from({ length: D }, (_, i) => Math.sin(i));
  const result = (await model.call("forward", { x: { data: x, shape: [1, D] } })).outputs.result.data;
  console.log(
    `loaded and run in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    JSON.stringify(model.report ?? {}),
  );
  const { normalValues } = (await runnerImport(join(root, "compiler/6-bundle/random-values.ts"))).module;
  const w = normalValues("7/last.w/", D * D, 0.01);
  let worst = 0;
  for (let n = 0; n < D; n += 97) {
    let sum = x[n];
    for (let d = 0; d < D; d++) sum += x[d] * w[d * D + n];
    worst = Math.max(worst, Math.abs(sum - result[n]));
  }
  // Sums of D products below 0.04 in f32.
  const bound = D * 0.04 * 2 ** -23;
  console.log(`largest difference ${worst}, allowed ${bound}`);
  if (!(worst <= bound)) process.exitCode = 1;
  await model.dispose();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
