/**
 * Builds the extension: the client and the server as one file each, and beside them what belongs to the language: its
 * grammar, its standard library, the explanations of its errors, and snippets.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
for (const folder of ["dist", "syntaxes", "snippets", "stdlib", "docs"]) {
  rmSync(join(here, folder), { recursive: true, force: true });
}

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  format: "cjs",
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  external: ["vscode"],
  logLevel: "warning",
};

/** @type {import("esbuild").Plugin} Every file of the standard library as one module, for a server that has no files. */
const library = {
  name: "library",
  setup(setup) {
    setup.onResolve({ filter: /^moec:library$/ }, () => ({ path: "library", namespace: "moec" }));
    setup.onLoad({ filter: /.*/, namespace: "moec" }, () => {
      const folder = join(root, "stdlib");
      const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".moe"));
      const texts = paths.map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path), "utf8")]);
      return { contents: JSON.stringify(Object.fromEntries(texts)), loader: "json" };
    });
  },
};

// One text for the process and for the worker; both find it as `moecServer`.
await build({
  ...common,
  entryPoints: { core: "src/core.ts" },
  platform: "browser",
  format: "iife",
  globalName: "moecServer",
  footer: { js: 'if (typeof module === "object") module.exports = moecServer;' },
});
/** @type {import("esbuild").Plugin} */
const sharedCore = {
  name: "core",
  setup(setup) {
    setup.onResolve({ filter: /\/core\.js$/ }, () => ({ path: "./core.cjs", external: true }));
  },
};
/** @type {import("esbuild").Plugin} */
const coreInFront = {
  name: "core in front",
  setup(setup) {
    setup.onResolve({ filter: /\/core\.js$/ }, () => ({ path: "core", namespace: "core" }));
    setup.onLoad({ filter: /.*/, namespace: "core" }, () => ({ contents: "module.exports = moecServer;" }));
  },
};
await build({
  ...common,
  entryPoints: { extension: "src/extension.ts", server: "src/server.ts" },
  platform: "node",
  plugins: [sharedCore],
  // The protocol library's CommonJS files load parts of themselves by name; its module entries do not.
  mainFields: ["module", "main"],
});
// Editors in browsers look for this name's ending.
await build({ ...common, entryPoints: { browser: "src/browser.ts" }, platform: "browser", outExtension: {} });
await build({
  ...common,
  entryPoints: { "web-server": "src/web-server.ts" },
  platform: "browser",
  format: "iife",
  outExtension: {},
  plugins: [library, coreInFront],
});
await build({
  ...common,
  entryPoints: { "wasm-text": "../server/kernels/wasm-text.ts" },
  platform: "node",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  // Its library asks for Node's modules only in Node.
  external: ["node:*", "module", "fs", "path", "url"],
});
const printer = join(here, "dist/wasm-text.mjs");
const quality = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
writeFileSync(`${printer}.br`, brotliCompressSync(readFileSync(printer), { params: quality }));
rmSync(printer);

cpSync(join(root, "editor/server/graph/graph.css"), join(here, "media/graph.css"));
mkdirSync(join(here, "syntaxes"));
mkdirSync(join(here, "snippets"));
cpSync(join(root, "grammar/moe.tmLanguage.json"), join(here, "syntaxes/moe.tmLanguage.json"));
cpSync(join(root, "stdlib"), join(here, "stdlib"), { recursive: true });
cpSync(join(root, "docs/reference/errors.md"), join(here, "docs/errors.md"));
cpSync(join(root, "LICENSE"), join(here, "LICENSE"));

// The server's own completion has starts of whole declarations; these are for what stands inside of them.
const snippets = {
  "residual with a norm": {
    prefix: "residual",
    body: ["let ${1:h} = ${2:x} + ${3:attn}(${4:norm}($2))"],
    description: "A residual around a module behind a norm.",
  },
  "bank of experts": {
    prefix: "bank",
    body: ["use experts = ${1:E} of ${2:SwiGLU}[${3:D}, ${4:F}]"],
    description: "Experts of one kind with parameters of their own.",
  },
  "stack of layers": {
    prefix: "layers",
    body: ["stack layers = ${1:L} of ${2:Decoder}[${3:D}]"],
    description: "Layers of one kind.",
  },
  "names in a checkpoint": {
    prefix: "weights",
    body: ["weights safetensors {", '  ${1:tok}: "${2:model.embed_tokens.weight}"', "}"],
    description: "What a checkpoint format calls the parameters.",
  },
};
writeFileSync(join(here, "snippets/moe.json"), `${JSON.stringify(snippets, null, 2)}\n`);
