/**
 * The runtime that bundles carry, built ahead into `dist/bundle/`. For browsers: what a page imports, the worker that holds
 * the model, the threads that share its memory, and what the three have in common. For Node: what a program imports, its
 * threads, and native devices, which are loaded when a bundle has kernels for them. Types are those of both.
 * `moec build` copies these files into every bundle.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundler } from "./bundler.mjs";
import { runtimeTypes } from "./runtime-types.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The messages of all codes of moec, one to a line. */
const MESSAGES = "compiler/errors/errors.generated.ts";

/** Messages of these codes alone: a runtime has no use for those of the compiler. */
function onlyMessagesOf(named) {
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

/** Where a runtime begins, and how its files are called. */
const RUNTIMES = {
  browser: {
    entryPoints: [
      { in: "runtime/index.ts", out: "runtime" },
      { in: "runtime/web/runtime-worker.ts", out: "runtime-worker" },
      { in: "runtime/web/runtime-thread.ts", out: "runtime-thread" },
    ],
    chunkNames: "runtime-[name]-[hash]",
    platform: "browser",
    target: "es2022",
  },
  node: {
    entryPoints: [
      { in: "runtime/node/index.ts", out: "runtime-node" },
      { in: "runtime/node/runtime-node-thread.ts", out: "runtime-node-thread" },
    ],
    chunkNames: "runtime-node-[name]-[hash]",
    platform: "node",
    target: "node20",
  },
};

const placeOf = (name) => join(root, "dist", "bundle", name);

/**
 * Compiles and writes the files of one; the same sources give the same bytes.
 *
 * @param {keyof typeof RUNTIMES} name
 */
export async function buildRuntime(name, outdir = placeOf(name)) {
  const { build } = await bundler();
  rmSync(outdir, { recursive: true, force: true });
  const options = {
    ...RUNTIMES[name],
    absWorkingDir: root,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
  };
  // Codes that are left where nothing but what runs is left: modules of the compiler name many more.
  const { outputFiles } = await build({ ...options, write: false, plugins: [onlyMessagesOf(new Set())] });
  const named = new Set(outputFiles.flatMap(({ text }) => text.match(/\bMOE\d{4}\b/g) ?? []));
  await build({ ...options, plugins: [onlyMessagesOf(named)] });
}

/** Writes the types, of the declarations that `tsc` has made. */
export function buildTypes(outdir = placeOf("types")) {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  writeFileSync(join(outdir, "runtime.d.ts"), runtimeTypes(join(root, "dist", "runtime", "index.d.ts")));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await Promise.all([buildRuntime("browser"), buildRuntime("node")]);
  buildTypes();
}
