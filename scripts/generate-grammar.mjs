/**
 * Writes grammar/moe.tmLanguage.json from the token table. TypeScript is compiled on the fly by vite, a dependency already.
 */
import { writeFile } from "node:fs/promises";
import { format } from "prettier";
import { runnerImport } from "vite";

const root = new URL("..", import.meta.url);
const source = new URL("grammar/textmate.ts", root);
const { module } = await runnerImport(source.pathname, { configFile: false, logLevel: "silent" });
await writeFile(
  new URL("grammar/moe.tmLanguage.json", root),
  await format(JSON.stringify(module.textMateGrammar()), { parser: "json", printWidth: 120 }),
);
console.log("wrote grammar/moe.tmLanguage.json");
