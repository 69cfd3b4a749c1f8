/** WebGPU programs of a bundle, with their plan, and weights of their own where the bundle's lie differently. */
import { memoryOf } from "./describe.js";
import type { WebGpuKernels } from "./input.js";
import type { ManifestWebGpuTarget } from "./manifest.js";
import { planText } from "./plan-text.js";
import type { TargetWriter } from "./writer.js";

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
