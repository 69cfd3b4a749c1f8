/** What compilers of the printed text are called with, here and when a bundle is loaded, and how they name GPUs. */

/** Flags without which the printed file does not mean what its kernels say: no sum of products rounds once by itself. */
export const nvccFlags: readonly string[] = ["-std=c++17", "-fmad=false"];

/** Code for a generation of GPUs; a capability is `major * 10 + minor`. */
export interface CompiledCode {
  readonly kind: "cubin" | "ptx";
  readonly capability: number;
}

/** What compiled code is for, as NVIDIA's compilers call it: `sm_90` for machine code, `compute_90` for PTX. */
export function cudaArchitecture({ kind, capability }: CompiledCode): string {
  return `${kind === "cubin" ? "sm" : "compute"}_${capability}`;
}

/** Compute capability as NVIDIA writes it: `9.0`. */
export function capabilityName(capability: number): string {
  return `${Math.floor(capability / 10)}.${capability % 10}`;
}
