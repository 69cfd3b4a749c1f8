/** All kernels of a plan as WGSL, one program for each way in which the plan launches them. */
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import type { Plan, PlanStep } from "../../4-schedule/plan.js";
import type { Target } from "../../targets/index.js";
import { emitPlannedWgsl, type PlannedWgsl } from "./planned.js";

/** @throws MoecError MOE4310 when a kernel needs more bindings than WebGPU grants. */
export function emitWgslPrograms(kernels: readonly Kernel[], plan: Plan, target: Target): readonly PlannedWgsl[] {
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  const spaceOf = new Map(plan.buffers.map(({ id, space }) => [id, space]));
  const programs = new Map<string, PlannedWgsl>();
  const visit = (steps: readonly PlanStep[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") {
        visit(step.steps);
        continue;
      }
      const spaces = step.buffers.map(({ buffer }) => spaceOf.get(buffer)!);
      const key = `${step.kernel} ${spaces.join()}`;
      if (!programs.has(key)) programs.set(key, emitPlannedWgsl(byName.get(step.kernel)!, spaces, target));
    }
  };
  for (const { steps } of plan.entries) visit(steps);
  return [...programs.values()];
}
