/** The way of a spec to kernels, with the stages' times: check, build, optimize, schedule, emit. */
import { relative } from "node:path";
import { check } from "../compiler/1-check/index.js";
import { buildProgram } from "../compiler/2-graph/index.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../compiler/3-optimize/index.js";
import { schedule } from "../compiler/4-schedule/index.js";
import type { Schedule } from "../compiler/4-schedule/options.js";
import type { ParamDecl, StorageType } from "../compiler/2-graph/ir.js";
import { wasmRelaxed } from "../compiler/targets/index.js";
import { DiagnosticsError, showDiagnostics } from "./failures.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";
import { diskHost, type DiskHost } from "./source-host.js";

/** What `check` gives for a project, and the host that read its files. */
export interface Checked {
  readonly project: ReturnType<typeof check>;
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

export function buildOptimized(checked: Checked, project: Project): BuiltProgram {
  const model = project.modelName === undefined ? {} : { model: project.modelName };
  const built = deriveLastToken(buildProgram(checked.project, { ...model, sizes: project.sizes }));
  return { built, optimized: optimize(built) };
}

/** What a parameter is stored as: what the spec demands, else the format of the build where it fits. */
export function storageOf(quantization: StorageType): (param: ParamDecl) => StorageType {
  return (param) => {
    if (param.storage !== undefined) return param.storage;
    if (param.dtype !== "f32") return "i32";
    // Vectors (norm gains, biases) are small and sensitive.
    const own = param.axes.slice(param.layerAxes);
    if (own.length < 2) return "f32";
    if (quantization !== "q8_0" && quantization !== "q4_0") return quantization;
    const along = param.axes.find(({ name }) => name === param.contracted) ?? param.axes.at(-1);
    const size = along?.size.constant ?? 1;
    // The router decides by small differences; its matrix is small.
    const isRouter = param.contracted !== undefined && own.some(({ size: count }) => (count.constant ?? 0) < 32);
    return size % 32 === 0 && !isRouter ? quantization : "f16";
  };
}

/** Kernels and plan for the WebAssembly target. */
export function scheduleProject(program: Program, project: Project): Schedule {
  const target = { ...wasmRelaxed, lanes: 4, memoryLimit: wasmRelaxed.memoryBytes };
  const limits = { T: project.prefill, context: project.context };
  return schedule(program, target, { limits, storage: storageOf(project.quantization) });
}
