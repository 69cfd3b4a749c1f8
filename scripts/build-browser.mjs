/**
 * The runtime for browsers, built ahead into `dist/browser/`: what a page imports, the worker that holds the model, the
 * threads that share its memory, and what the three have in common. `moec build` copies these files into every bundle.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundler } from "./bundler.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The messages of all codes of moec, one to a line. */
const MESSAGES = "compiler/errors/errors.generated.ts";

/** Messages of the codes that these sources name: a page has no use for those of the compiler. */
function onlyMessagesOf(sources) {
  const named = new Set(sources.flatMap((path) => readFileSync(join(root, path), "utf8").match(/\bMOE\d{4}\b/g) ?? []));
  const text = readFileSync(join(root, MESSAGES), "utf8");
  const lines = [...text.matchAll(/^ {2}(MOE\d{4}): \{ severity: .*, message: (".*") \},$/gm)];
  const known = new Set(lines.map(([, code]) => code));
  const lost = [...named].filter((code) => !known.has(code));
  if (lost.length > 0) throw new Error(`${MESSAGES} has no line for ${lost.join(", ")}`);
  const kept = lines
    .filter(([, code]) => named.has(code))
    .map(([, code, message]) => `${code}: { message: ${message} }`);
  return {
    name: "messages",
    setup: ({ onLoad }) =>
      onLoad({ filter: /[\\/]errors\.generated\.ts$/ }, () => ({
        contents: `export const messages = { ${kept.join(", ")} };`,
        loader: "ts",
      })),
  };
}

/** Compiles and writes the files; the same sources give the same bytes. */
export async function buildBrowserRuntime(outdir = join(root, "dist", "browser")) {
  const { build } = await bundler();
  rmSync(outdir, { recursive: true, force: true });
  const options = {
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
  };
  const { metafile } = await build({ ...options, write: false, metafile: true });
  const sources = Object.keys(metafile.inputs).filter((path) => /(?<!\.generated)\.ts$/.test(path));
  await build({ ...options, plugins: [onlyMessagesOf(sources)] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildBrowserRuntime();
