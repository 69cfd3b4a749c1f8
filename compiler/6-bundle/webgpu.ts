/** WebGPU programs of a bundle, with their plan, and weights of their own where the bundle's lie differently. */
import type { Plan } from "../4-schedule/plan.js";
import type { TargetWriter } from "./bundle.js";
import { memoryOf } from "./describe.js";
import type { ManifestWebGpuTarget } from "./manifest.js";
import { planText } from "./plan-text.js";

/** Kernels of a plan as WGSL. */
export interface WebGpuKernels {
  readonly plan: Plan;
  /** What `emitWgslPrograms` gives: plain JSON. */
  readonly programs: readonly object[];
}

export function writeWebGpu({ plan, programs }: WebGpuKernels, { put, weights }: TargetWriter): ManifestWebGpuTarget {
  put("kernels-webgpu.json", JSON.stringify(programs));
  put("plan-webgpu.json", planText(plan));
  return {
    name: "webgpu",
    programs: "kernels-webgpu.json",
    plan: "plan-webgpu.json",
    memory: memoryOf(plan),
    shards: weights(plan, "weights-webgpu"),
  };
}
