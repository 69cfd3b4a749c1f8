/**
 * The compiler's public API: each stage by itself, from text to the files of a bundle. Pure: texts come from a
 * `SourceHost`, bytes go to a `BundleWriter`, so that it runs in Node, in a browser and in an editor.
 *
 * @example
 * const project = check("model.moe", host);
 * const program = optimize(deriveLastToken(buildProgram(project)));
 * const { kernels, plan } = schedule(program, wasmRelaxed, { limits: { T: 256, context: 512 } });
 */
export { check, type CheckedProject, type SourceHost } from "./1-check/index.js";
export {
  buildProgram,
  evaluate,
  parseProgram,
  printProgram,
  ProgramRefused,
  runTests,
  verify,
  type BuildOptions,
  type TestResult,
} from "./2-graph/index.js";
export type { Program } from "./2-graph/ir.js";
export { deriveLastToken, dumpPasses, optimize, passes } from "./3-optimize/index.js";
export { schedule, type Schedule, type ScheduleOptions } from "./4-schedule/index.js";
export type { Plan } from "./4-schedule/plan.js";
export { emitWasm, scratchBytes } from "./5-emit/wasm/index.js";
export {
  checkpointSource,
  randomSource,
  writeBundle,
  type BundleInput,
  type BundleWriter,
  type Manifest,
  type ParameterSource,
} from "./6-bundle/index.js";
export { openCheckpoint, readSafetensorsSharded, type ByteSource, type Checkpoint } from "./checkpoints/index.js";
export { explain, type Diagnostic } from "./errors/index.js";
export { MoecError } from "./errors/moec-error.js";
export { renderDiagnostics } from "./errors/render.js";
export { targets, wasmRelaxed, wasmSimd, type Target } from "./targets/index.js";
