/** CUDA kernels of a bundle: their source, what was compiled of it, and their plan. */
import { cudaArchitecture } from "../5-emit/cuda/flags.js";
import { memoryOf } from "./describe.js";
import type { CudaKernels } from "./input.js";
import type { ManifestCudaTarget } from "./manifest.js";
import { planText } from "./plan-text.js";
import type { TargetWriter } from "./writer.js";

export function writeCuda(
  { plan, source, launches, modules }: CudaKernels,
  { put, weights }: TargetWriter,
): ManifestCudaTarget {
  const files = { source: "kernels-cuda.cu", launches: "kernels-cuda.json", plan: "plan-cuda.json" };
  put(files.source, source);
  put(files.launches, JSON.stringify(launches));
  put(files.plan, planText(plan));
  const written = modules.map(({ kind, capability, bytes }) => {
    const file = `kernels-cuda-${cudaArchitecture({ kind, capability })}.${kind}`;
    put(file, bytes);
    return { file, kind, capability };
  });
  return { name: "cuda", ...files, modules: written, memory: memoryOf(plan), shards: weights(plan, "weights-cuda") };
}
