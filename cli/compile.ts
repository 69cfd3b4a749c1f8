/** The way of a spec to kernels, with the stages' times: check, build, optimize, schedule, emit. */
import { relative } from "node:path";
import { check, type CheckedProject } from "../compiler/1-check/index.js";
import { buildProgram } from "../compiler/2-graph/index.js";
import { deriveBatch, deriveLastToken, optimize } from "../compiler/3-optimize/index.js";
import { schedule } from "../compiler/4-schedule/index.js";
import { usesWideTiles } from "../compiler/4-schedule/layout/wide.js";
import type { Schedule } from "../compiler/4-schedule/options.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { wasmRelaxed, type Target } from "../compiler/targets/index.js";
import { openCheckpointFiles } from "./checkpoint-files.js";
import { DiagnosticsError, showDiagnostics } from "./failures.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";
import { matricesWithoutBlocks, storageInFile, storageOf, type MatrixStorage } from "./storage-choice.js";
import { diskHost, type DiskHost } from "./source-host.js";

/** What `check` gives for a project, and the host that read its files. */
export interface Checked {
  readonly project: CheckedProject;
  readonly host: DiskHost;
}

/**
 * Checks a spec. Warnings are shown.
 *
 * @throws DiagnosticsError when there are errors.
 */
export function checkSpec(shell: Shell, spec: string): Checked {
  const host = diskHost(shell.io.cwd);
  const project = check(relative(shell.io.cwd, spec), host);
  const isWrong = project.diagnostics.some(({ severity }) => severity === "error");
  if (isWrong) throw new DiagnosticsError(project.diagnostics, host.read);
  showDiagnostics(shell, project.diagnostics, host.read);
  return { project, host };
}

/** The program of a project's model, as built and after the passes. */
export interface BuiltProgram {
  readonly built: Program;
  readonly optimized: Program;
}

/** The program of a project's model, as its parameters are named. */
export function buildModel(checked: Checked, project: Project): Program {
  const model = project.modelName === undefined ? {} : { model: project.modelName };
  return deriveLastToken(buildProgram(checked.project, { ...model, sizes: project.sizes }));
}

export function buildOptimized(checked: Checked, project: Project): BuiltProgram {
  const built = buildModel(checked, project);
  return { built, optimized: optimize(built) };
}

/** Kernels and plan for the WebAssembly target. */
export function scheduleProject(program: Program, project: Project): Schedule {
  return scheduleFor(program, project, wasmRelaxed);
}

/** Kernels and plan for a target. */
export function scheduleFor(program: Program, project: Project, target: Target): Schedule {
  const limits = { T: project.prefill, context: project.context };
  const storage = storageOf(program, matrixStorage(program, project, target));
  return schedule(deriveBatch(program), target, { limits, storage, cache: project.cache });
}

/** Paths of the matrices that are f16 in all kernels of a project because their rows are no whole blocks. */
export function keptInF16(program: Program, project: Project): readonly string[] {
  return matricesWithoutBlocks(program, matrixStorage(program, project, wasmRelaxed));
}

/** What matrices of a program are stored as under `quantization: file`, with and without the finer formats. */
const inFile = new WeakMap<Program, Map<boolean, MatrixStorage>>();

/** `file` asks the header of the checkpoint; without one, as for random parameters, matrices are f16. */
function matrixStorage(program: Program, { quantization, weights }: Project, target: Target): MatrixStorage {
  if (quantization !== "file") return quantization;
  if (weights.length === 0) return "f16";
  const fine = usesWideTiles(target);
  const known = inFile.get(program) ?? new Map<boolean, MatrixStorage>();
  inFile.set(program, known);
  let storage = known.get(fine);
  if (!storage) known.set(fine, (storage = storageIn(weights, program, fine)));
  return storage;
}

function storageIn(weights: readonly string[], program: Program, fine: boolean): MatrixStorage {
  const opened = openCheckpointFiles(weights);
  try {
    return storageInFile(program, opened.checkpoint, fine);
  } finally {
    opened.close();
  }
}
