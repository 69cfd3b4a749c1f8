/** The compiler from its sources, for benches: no build is needed. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

export const root = fileURLToPath(new URL("..", import.meta.url));
const imported = await runnerImport(join(root, "bench/compiler.ts"));
/** Compiler, machine and measuring kernels. */
export const compiler = imported.module;

export const host = {
  read: (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : undefined),
  resolve: (from, specifier) => (specifier === "std" ? "stdlib/std.moe" : join(dirname(from), specifier)),
};

export { processor } from "./thread-time.mjs";
