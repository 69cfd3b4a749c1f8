/** Native kernels of a project: for each level a schedule of its own, compiled by LLVM or taken from the cache. */
import { emitLlvm, scratchBytes } from "../compiler/5-emit/llvm/index.js";
import type { NativeLevel } from "../compiler/6-bundle/input.js";
import { platformOf } from "../compiler/6-bundle/native.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { moecError } from "../compiler/errors/raise.js";
import { compileCached } from "../runtime/native/llvm/cached.js";
import { scheduleFor } from "./compile.js";
import { levelsOf } from "./native-levels.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";

/** A level, with how many kernels it has. */
export interface CompiledLevel extends NativeLevel {
  readonly kernels: number;
}

/**
 * @throws MoecError MOE4201 without LLVM, MOE4202 when it refuses a module, MOE4203 without koffi.
 */
export function compileLevels(shell: Shell, program: Program, project: Project): readonly CompiledLevel[] {
  return levelsOf(project).map((target) => {
    shell.progress.update(`compiling for ${target.name}…`);
    const { codegen } = target;
    if (!codegen) throw moecError("MOE4503", { target: target.name, wanted: "llvm" });
    const { kernels, plan } = scheduleFor(program, project, target);
    const object = compileCached(
      {
        name: target.name,
        ...codegen,
        text: (pointers) => emitLlvm(kernels, target, { pointers, pool: true }),
      },
      (message) => shell.note(`${shell.notePalette.warning("warning")}: ${message}`),
    );
    return {
      kernels: kernels.length,
      level: target.name,
      platform: platformOf[codegen.architecture],
      needs: codegen.needs,
      plan,
      object,
      scratchBytes: scratchBytes(kernels),
    };
  });
}
