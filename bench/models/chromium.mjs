/**
 * As `moec.mjs`, in headless Chromium, where wllama runs too: `node chromium.mjs <bundle> <threads> <prompt tokens,…> <decode
 * tokens>`. Limits of the machine are not measured in the page.
 */
import { median } from "../engines.mjs";
import { inPage } from "../chromium.mjs";

const [folder, threads, prompts, decode] = process.argv.slice(2);
const found = await inPage(
  { "/bundle/": `${folder}/` },
  async ({ threads, prompts, decode }) => {
    const exports = await import("/bundle/index.js");
    const made = Object.values(exports).find((one) => typeof one.load === "function");
    const model = await made.load({ threads, device: "wasm", storage: "none" });
    const entry = model.manifest.language;
    const ids = (count, seed) => Int32Array.from({ length: count }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
    const timed = async (call) => {
      const from = performance.now();
      await call();
      return performance.now() - from;
    };
    const rows = [];
    // The longest prompt first, uncounted: it reads all weights.
    await model.call(entry, { tokens: ids(Math.max(...prompts), 9) });
    for (const tokens of prompts) {
      const times = [];
      // The first call is not counted.
      for (let run = 0; run < 4; run++) times.push(await timed(() => model.call(entry, { tokens: ids(tokens, run) })));
      rows.push({ tokens, times: times.slice(1) });
    }
    const steps = [];
    for (let i = 0; i < decode; i++) steps.push(await timed(() => model.extend(entry, { tokens: ids(1, i) })));
    return { report: model.report, rows, steps };
  },
  { threads: Number(threads), prompts: prompts.split(",").map(Number), decode: Number(decode) },
);
const rows = found.rows.map(({ tokens, times }) => ({ tokens, prompt: median(times) }));
const { report, steps } = found;
console.log(
  JSON.stringify({
    engine: "moec (Chromium)",
    threads: report.threads,
    quads: report.quads,
    rows,
    token: median(steps),
  }),
);
