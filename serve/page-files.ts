/** The page at `/`: three files beside this folder's sources, read once. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const FILES = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
] as const;

/** Nothing from elsewhere, no code in the page itself, no frame around it. */
export const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** Files by path. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const folder = pageFolder();
  return new Map(FILES.map(([path, file, type]) => [path, { type, body: readFileSync(join(folder, file)) }]));
}

/** Sources run from `serve/`, compiled code from `dist/serve/`; the page's files lie in `serve/page/` for both. */
function pageFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const own = join(here, "page", "index.html");
  return existsSync(own) ? join(here, "page") : join(here, "..", "..", "serve", "page");
}
