/**
 * Writes grammar/moe.tmLanguage.json from the token table. TypeScript is compiled on the fly by vite, a dependency already.
 */
import { writeFile } from "node:fs/promises";
import { runnerImport } from "vite";

const root = new URL("..", import.meta.url);
const source = new URL("grammar/textmate.ts", root);
const { module } = await runnerImport(source.pathname, { configFile: false, logLevel: "silent" });
await writeFile(new URL("grammar/moe.tmLanguage.json", root), module.textMateJson());
console.log("wrote grammar/moe.tmLanguage.json");
