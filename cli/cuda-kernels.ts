/** CUDA kernels of a project: a schedule of its own, printed as CUDA C++ and compiled where there is a compiler. */
import { cudaLaunch, emitCuda } from "../compiler/5-emit/cuda/index.js";
import { capabilityName } from "../compiler/5-emit/cuda/flags.js";
import type { CudaKernels, CudaModule } from "../compiler/6-bundle/index.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { MoecError } from "../compiler/errors/moec-error.js";
import { cuda } from "../compiler/targets/index.js";
import { scheduleFor } from "./compile.js";
import { compileCudaCached, nvccVersion } from "./nvcc.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";

/** Machine code for A100 and H100 and their kin, and PTX for all that are newer than the first. */
const WANTED: readonly Pick<CudaModule, "kind" | "capability">[] = [
  { kind: "cubin", capability: 80 },
  { kind: "cubin", capability: 90 },
  { kind: "ptx", capability: 80 },
];

/** @throws MoecError MOE4236 when the compiler refuses the source. */
export function cudaKernels(shell: Shell, program: Program, project: Project): CudaKernels {
  const { kernels, plan } = scheduleFor(program, project, cuda);
  const source = emitCuda(kernels, cuda);
  const launches = kernels.map(cudaLaunch);
  return { plan, source, launches, modules: compiled(shell, source) };
}

function compiled(shell: Shell, source: string): readonly CudaModule[] {
  const warn = (message: string): void => shell.note(`${shell.notePalette.warning("warning")}: ${message}`);
  let version: string;
  try {
    version = nvccVersion();
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    warn(`${error.code}: ${error.message}`);
    return [];
  }
  return WANTED.map((module) => {
    shell.progress.update(`compiling for CUDA ${capabilityName(module.capability)}…`);
    return { ...module, bytes: compileCudaCached(source, module, version, warn) };
  });
}
