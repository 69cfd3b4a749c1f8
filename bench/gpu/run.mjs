/**
 * moec's WGSL, onnxruntime-web and jax-js on one WebGPU adapter: an MoE layer (decode and prefill), a matrix product,
 * attention. All engines run in one browser, each in a page of its own; their calls take turns, so that what else the
 * machine does meets all of them. Prints medians of a call with upload and result, and what went to the GPU.
 *
 *     npm run peers:install
 *     node bench/gpu/run.mjs [--dims 256,128,16,4] [--tokens 1,64] [--matmul 256] [--attention 128] [--rounds 7] [--only matmul] [--json]
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { bundler } from "../../scripts/bundler.mjs";
import { chosen } from "../choice.mjs";
import { chromium as browserPath, median } from "../engines.mjs";
import { casesOf } from "./cases.mjs";

const { values } = parseArgs({
  options: {
    /** Width, hidden width, experts, experts per token. */
    dims: { type: "string", default: "256,128,16,4" },
    tokens: { type: "string", default: "1,64" },
    matmul: { type: "string", default: "256" },
    attention: { type: "string", default: "128" },
    rounds: { type: "string", default: "7" },
    /** How the names of cases begin. */
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
  },
});
const [D, F, E, k] = values.dims.split(",").map(Number);
const tokens = values.tokens.split(",").map(Number);
const root = fileURLToPath(new URL("../../", import.meta.url));
const all = casesOf({ D, F, E, k, tokens, matmul: Number(values.matmul), attention: Number(values.attention) });
const cases = chosen("--only", [values.only], Object.keys(all), (name, word) => name.startsWith(word)).map((name) => [
  name,
  all[name],
]);

const { build } = await bundler();
const script = async (contents) => {
  const options = { bundle: true, format: "esm", target: "es2022", write: false, logLevel: "error" };
  const { outputFiles } = await build({ stdin: { contents, resolveDir: root, loader: "ts" }, ...options });
  return outputFiles[0].text;
};
const files = new Map([
  ["/", '<!doctype html><script type="module" src="/page.mjs"></script>'],
  ["/page.mjs", readFileSync(new URL("page.mjs", import.meta.url))],
  [
    "/runtime.js",
    await script('export * from "./runtime/webgpu/device.js"; export * from "./runtime/webgpu/open.js";'),
  ],
  ["/jax.js", await script('export * from "./bench/peers/node_modules/@jax-js/jax/dist/index.js";')],
]);
const types = { html: "text/html", mjs: "text/javascript", js: "text/javascript", wasm: "application/wasm" };
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  const peer = `${root}bench/peers/node_modules/${pathname.slice("/peers/".length)}`;
  const known =
    files.get(pathname) ?? (/^\/peers\/[\w./-]+$/.test(pathname) && existsSync(peer) ? readFileSync(peer) : undefined);
  const type = types[pathname === "/" ? "html" : pathname.split(".").at(-1)] ?? "application/octet-stream";
  response.writeHead(known === undefined ? 404 : 200, { "Content-Type": type }).end(known);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://localhost:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: browserPath(),
  args: ["--no-sandbox", "--enable-unsafe-webgpu"],
});

async function page(engine, test, folder) {
  const tab = await browser.newPage();
  await tab.goto(url);
  await tab.waitForFunction("globalThis.ready");
  const prepared = await tab.evaluate(([e, t, f]) => globalThis.prepare(e, t, f), [engine, test, folder]);
  return { engine, tab, ...prepared };
}

const rows = [];
for (const [number, [name, test]] of cases.entries()) {
  const folder = `/case${number}`;
  const { plan, programs, weights } = test.moec();
  files.set(`${folder}/moec.json`, JSON.stringify({ plan, programs }));
  files.set(`${folder}/moec.bin`, Buffer.from(weights.buffer));
  const graph = test.onnx?.();
  if (graph) {
    files.set(`${folder}/onnx.onnx`, Buffer.from(graph.model));
    for (const [path, data] of Object.entries(graph.external)) {
      files.set(`${folder}/onnx.${path}.bin`, Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  const plain = {
    inputs: test.inputs,
    flat: test.flat ?? false,
    jax: test.jax,
    external: Object.keys(graph?.external ?? {}),
  };
  const engines = ["moec", ...(graph ? ["onnx"] : []), ...(test.jax ? ["jax"] : [])];
  const pages = [];
  for (const engine of engines) pages.push(await page(engine, plain, folder));
  for (const count of test.tokens) {
    const found = new Map(pages.map((one) => [one, { times: [], reason: one.reason }]));
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const one of pages) {
        const own = found.get(one);
        if (own.reason) continue;
        const result = await one.tab.evaluate((t) => globalThis.once(t), count);
        own.reason = result.reason;
        own.last = result;
        if (round > 0 && !own.reason) own.times.push(result.milliseconds);
      }
    }
    for (const [{ engine, allocated }, { times, reason, last }] of found) {
      const row = { case: name, tokens: count, engine };
      rows.push(
        reason
          ? { ...row, reason }
          : {
              ...row,
              milliseconds: median(times),
              least: Math.min(...times),
              dispatches: last.dispatches,
              uploaded: last.uploaded,
              downloads: last.downloads,
              allocated,
              first: last.first,
            },
      );
      if (!values.json) console.error(JSON.stringify(rows.at(-1)));
    }
  }
  for (const { tab } of pages) await tab.close();
}
const tab = await browser.newPage();
await tab.goto(url);
await tab.waitForFunction("globalThis.ready");
const adapter = await tab.evaluate(() => globalThis.adapter());
await browser.close();
server.close();
if (values.json) console.log(JSON.stringify({ adapter, dims: { D, F, E, k }, rows }, undefined, 1));
else {
  console.log(`${adapter.name}; width ${D}, hidden ${F}, ${k} of ${E} experts`);
  const names = { moec: "moec", onnx: "onnxruntime-web", jax: "jax-js" };
  console.table(
    rows.map(({ case: test, tokens, engine, reason, milliseconds, dispatches, uploaded, allocated }) => ({
      case: test,
      tokens,
      engine: names[engine],
      "ms a call": reason ?? Number(milliseconds.toFixed(1)),
      ...(reason ? {} : { dispatches, "bytes up": uploaded, "GPU bytes": allocated }),
    })),
  );
}
