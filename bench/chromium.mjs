/**
 * A page of headless Chromium for engines that are measured in a browser: cross-origin isolated, so that threads may share
 * memory, and with V8's optimizing compiler from the first call on, as in `engines.mjs`.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { chromium as browserPath, OPTIMIZED } from "./engines.mjs";

const TYPES = { js: "text/javascript", mjs: "text/javascript", json: "application/json", wasm: "application/wasm" };

/** What a path of the server stands for: bytes, or a file of a folder. */
function answer(routes, path) {
  if (routes[path] !== undefined) return routes[path];
  const prefix = Object.keys(routes).find((one) => one.endsWith("/") && path.startsWith(one));
  const rest = prefix && path.slice(prefix.length);
  return rest && /^[\w./-]+$/.test(rest) && !rest.includes("..") ? routes[prefix] + rest : undefined;
}

function serve(routes) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (path === "/") {
      response.setHeader("Content-Type", "text/html");
      return response.end("<!doctype html><title>bench</title>");
    }
    const found = answer(routes, path);
    if (found === undefined) return response.writeHead(404).end();
    response.setHeader("Content-Type", TYPES[path.split(".").pop()] ?? "application/octet-stream");
    if (found instanceof Uint8Array) return response.end(found);
    const bytes = statSync(found, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) return response.writeHead(404).end();
    response.setHeader("Content-Length", bytes);
    return createReadStream(found).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/**
 * What `work(argument)` gives in a page.
 *
 * @param routes Paths to files or bytes, and prefixes that end with `/` to folders.
 * @param work Is sent to the page as text: it sees its argument alone.
 */
export async function inPage(routes, work, argument) {
  const require = createRequire(new URL("peers/package.json", import.meta.url));
  const loaded = await import(pathToFileURL(require.resolve("playwright-core")).href);
  const { chromium } = loaded.chromium ? loaded : loaded.default;
  const server = await serve(routes);
  const browser = await chromium.launch({
    executablePath: browserPath(),
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--js-flags=${OPTIMIZED.join(" ")}`,
    ],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    page.on("console", (message) => process.env.DEBUG && console.error(message.text()));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await page.evaluate(work, argument);
  } finally {
    await browser.close();
    server.close();
  }
}
