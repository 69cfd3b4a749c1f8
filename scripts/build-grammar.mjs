/** Puts the parser library into `dist/grammar/chevrotain.js`, the one file through which the grammar uses it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundler } from "./bundler.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { build } = await bundler();
await build({
  absWorkingDir: root,
  entryPoints: ["grammar/chevrotain.ts"],
  outfile: join(root, "dist", "grammar", "chevrotain.js"),
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  minify: true,
  legalComments: "eof",
  logLevel: "warning",
});
