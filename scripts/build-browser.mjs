/**
 * The runtime for browsers, built ahead into `dist/browser/`: what a page imports, the worker that holds the model, the
 * threads that share its memory, and what the three have in common. `moec build` copies these files into every bundle.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundler } from "./bundler.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Compiles and writes the files; the same sources give the same bytes. */
export async function buildBrowserRuntime(outdir = join(root, "dist", "browser")) {
  const { build } = await bundler();
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "runtime/index.ts", out: "runtime" },
      { in: "runtime/web/runtime-worker.ts", out: "runtime-worker" },
      { in: "runtime/web/runtime-thread.ts", out: "runtime-thread" },
    ],
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "runtime-[name]-[hash]",
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildBrowserRuntime();
