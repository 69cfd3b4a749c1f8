/** A plain static server over a folder, as simple as servers come, and the browser that visits it. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { chromium, type Browser } from "playwright-core";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What a page needs to share memory between its threads. */
export const ISOLATION = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export interface Site {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Serves `folder`; `/` is a page that imports `/tiny/index.js`. */
export async function serveFolder(folder: string, headers: Readonly<Record<string, string>> = {}): Promise<Site> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, "http://x").pathname);
    asked.push(path);
    const file = join(folder, path);
    if (path === "/") {
      response.writeHead(200, { "Content-Type": "text/html", ...headers });
      response.end('<!doctype html><script type="module">globalThis.bundle = import("/tiny/index.js");</script>');
    } else if (existsSync(file)) {
      response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", ...headers });
      response.end(readFileSync(file));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/`,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The installed browser, or undefined (and one line that says so). */
export async function openBrowser(args: readonly string[] = []): Promise<Browser | undefined> {
  const executablePath = process.env["MOEC_CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    console.warn(`skipped: no browser at ${executablePath}; MOEC_CHROMIUM says where one is`);
    return undefined;
  }
  return chromium.launch({ executablePath, args: ["--no-sandbox", ...args] });
}
