/**
 * For benches of kernels: a model of a `.moe` file as scheduled WebAssembly on one thread, without bundle and runtime,
 * and processor time of its calls. Works on the sources: no build is needed.
 */
import { relative } from "node:path";
import v8 from "node:v8";
import { compiler, host, processor, root } from "./sources.mjs";

export { compiler, host, processor };

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
// Only the optimizing compiler, at once.
v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

/** The optimized program of a model in a file. */
export function program(file, options) {
  const { check, buildProgram, optimize } = compiler;
  const project = check(relative(root, file), host);
  const error = project.diagnostics.find(({ severity }) => severity === "error");
  if (error) throw new Error(`${error.code}: ${error.message}`);
  return optimize(buildProgram(project, options));
}

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
