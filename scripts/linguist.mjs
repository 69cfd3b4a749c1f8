/**
 * What GitHub's linguist asks of a new language, in a folder: its entry for `languages.yml`, the grammar, and samples that
 * together hold every construct of the language.
 *
 *   node scripts/linguist.mjs [folder]
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runnerImport } from "vite";
import { root } from "./setup.mjs";

const out = process.argv[2] ?? join(root, ".cache/linguist");
const SAMPLES = [
  "examples/tiny-moe/tiny-moe.moe",
  "examples/deepseek-v3/deepseek-v3.moe",
  "examples/switch-dit/switch-dit.moe",
  "examples/mmoe/mmoe.moe",
  "stdlib/norms.moe",
  "stdlib/masks.moe",
  "stdlib/routers/transport.moe",
];

const { CONTRACTS } = (await runnerImport(join(root, "grammar/tree.ts"))).module;
/** Words that begin a declaration; all of them stand in the samples. Recipes are parsed, and refused so far. */
const DECLARATIONS = [...CONTRACTS.filter((word) => word !== "recipe"), "test"];

const ENTRY = `moe:
  type: programming
  color: "#0f766e"
  extensions:
  - ".moe"
  tm_scope: source.moe
  ace_mode: text
`;

/** Files of the library that hold what the chosen ones do not. */
function completed() {
  const text = (path) => readFileSync(join(root, path), "utf8");
  const chosen = [...SAMPLES];
  const library = readdirSync(join(root, "stdlib"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".moe"))
    .sort()
    .map((path) => join("stdlib", path));
  for (const word of DECLARATIONS) {
    const begins = new RegExp(`^${word} `, "m");
    if (chosen.some((path) => begins.test(text(path)))) continue;
    const found = library.find((path) => begins.test(text(path)));
    if (found !== undefined) chosen.push(found);
    else console.warn(`no sample begins a declaration with ${word}`);
  }
  return chosen;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "samples/moe"), { recursive: true });
mkdirSync(join(out, "grammars"));
writeFileSync(join(out, "languages.yml"), ENTRY);
cpSync(join(root, "grammar/moe.tmLanguage.json"), join(out, "grammars/source.moe.json"));
const samples = completed();
for (const path of samples) cpSync(join(root, path), join(out, "samples/moe", basename(path)));
console.log(`${out}: ${samples.length} samples`);
