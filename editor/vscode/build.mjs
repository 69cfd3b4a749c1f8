/**
 * Builds the extension: the client and the server as one file each, and beside them what belongs to the language: its
 * grammar, its standard library, the explanations of its errors, and snippets.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
for (const folder of ["dist", "syntaxes", "snippets", "stdlib", "docs"]) {
  rmSync(join(here, folder), { recursive: true, force: true });
}

await build({
  absWorkingDir: here,
  entryPoints: { extension: "src/extension.ts", server: "src/server.ts" },
  bundle: true,
  minify: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  external: ["vscode"],
  // The protocol library's CommonJS files load parts of themselves by name; its module entries do not.
  mainFields: ["module", "main"],
  logLevel: "warning",
});

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
