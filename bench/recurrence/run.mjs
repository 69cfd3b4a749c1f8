/**
 * Does a recurrence cost what its tokens cost? Two of them, each as a `scan` and as a `fold` whose turns add their row to all
 * rows, one thread, processor time, least of the rounds; and the memory of a call. Needs `npm run build`.
 *
 *     node bench/recurrence/run.mjs [--tokens 256,1024,4096] [--device wasm|native] [--spec scanned,added] [--rounds 9]
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isFresh } from "../fresh.mjs";
import { noise } from "../layer/noise.mjs";
import { processor } from "../thread-time.mjs";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "256,1024,4096" },
    device: { type: "string", default: "wasm" },
    spec: { type: "string", default: "scanned,added" },
    rounds: { type: "string", default: "9" },
  },
});
const root = fileURLToPath(new URL("../../", import.meta.url));
const tokens = values.tokens.split(",").map(Number);
const widths = {
  Retention: { q: 4 * 32, k: 4 * 32, v: 4 * 32 },
  Selective: { u: 256, step: 256, write: 16, read: 16 },
};

/** A bundle for calls of up to `most` tokens. */
function bundle(spec, model, most) {
  const folder = `${root}.cache/bench/recurrence-${spec}-${model}-${values.device}-${most}`;
  if (!isFresh(folder)) {
    const file = `bench/recurrence/${spec}.moe`;
    const limits = ["--prefill", `${most}`, "--context", `${most}`];
    const options = ["--model", model, "--random", "1", ...limits, "--target", values.device];
    execFileSync(process.execPath, [`${root}dist/cli/main.js`, "build", file, ...options, "--out", folder], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return folder;
}

const { loadModel, Model } = await import(`${root}dist/runtime/node/index.js`);
const rows = [];
for (const model of Object.keys(widths)) {
  const cases = [];
  for (const spec of values.spec.split(",")) {
    for (const count of tokens) {
      const folder = bundle(spec, model, count);
      const { memory } = JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8"));
      const loaded = await loadModel(Model, folder, { threads: 1, device: values.device });
      const inputs = Object.fromEntries(
        Object.entries(widths[model]).map(([name, width], at) => [name, noise(count * width, 1, at)]),
      );
      cases.push({ spec, count, loaded, inputs, best: Infinity, arena: memory.arena });
    }
  }
  // Cases take turns, so that what else the machine does meets all of them.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const one of cases) {
      const from = processor();
      await one.loaded.call("forward", one.inputs);
      if (round > 0) one.best = Math.min(one.best, (processor() - from) / 1000);
    }
  }
  for (const { spec, count, best, arena, loaded } of cases) {
    rows.push({ model, spec, tokens: count, best, arena });
    loaded.dispose();
  }
}
console.log(`${values.device}, one thread, least of ${values.rounds} rounds`);
console.log("model       spec       tokens         ms   us/token   arena, MiB");
for (const { model, spec, tokens: count, best, arena } of rows) {
  const cells = [
    model.padEnd(11),
    spec.padEnd(8),
    String(count).padStart(8),
    best.toFixed(2).padStart(10),
    ((best * 1000) / count).toFixed(2).padStart(10),
    (arena / 2 ** 20).toFixed(2).padStart(12),
  ];
  console.log(cells.join(" "));
}
process.exit(0);
