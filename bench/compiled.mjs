/**
 * For benches of kernels: a model of a `.moe` file as scheduled WebAssembly on one thread, without bundle and runtime,
 * and processor time of its calls. Works on the sources: no build is needed.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import { runnerImport } from "vite";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
// Only the optimizing compiler, at once.
v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

const root = fileURLToPath(new URL("..", import.meta.url));
const imported = await runnerImport(join(root, "bench/compiler.ts"));
/** Compiler, machine and measuring kernels. */
export const compiler = imported.module;

export const host = {
  read: (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : undefined),
  resolve: (from, specifier) => (specifier === "std" ? "stdlib/std.moe" : join(dirname(from), specifier)),
};

/** The optimized program of a model in a file. */
export function program(file, options) {
  const { check, buildProgram, optimize } = compiler;
  const project = check(relative(root, file), host);
  const error = project.diagnostics.find(({ severity }) => severity === "error");
  if (error) throw new Error(`${error.code}: ${error.message}`);
  return optimize(buildProgram(project, options));
}

/** Processor time of this process in microseconds. */
export const processor = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/**
 * Least processor time of each case in microseconds. Slices of at least `slice` microseconds of all cases take turns, so
 * that what else the machine does meets all of them.
 */
export function least(rounds, slice, cases) {
  const best = cases.map((run) => (run(), Infinity));
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of cases.entries()) {
      const from = processor();
      let runs = 0;
      let now = from;
      do {
        run();
        runs++;
        now = processor();
      } while (now - from < slice);
      best[index] = Math.min(best[index], (now - from) / runs);
    }
  }
  return best;
}
