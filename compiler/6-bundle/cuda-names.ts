/** Names of NVIDIA's GPU generations, of which each is numbered `major * 10 + minor`. */
import type { ManifestCudaModule } from "./manifest.js";

/** What compiled code is for, as NVIDIA's compilers call it: `sm_90` for machine code, `compute_90` for PTX. */
export function cudaArchitecture({ kind, capability }: Pick<ManifestCudaModule, "kind" | "capability">): string {
  return `${kind === "cubin" ? "sm" : "compute"}_${capability}`;
}

/** Compute capability as NVIDIA writes it: `9.0`. */
export function capabilityName(capability: number): string {
  return `${Math.floor(capability / 10)}.${capability % 10}`;
}
