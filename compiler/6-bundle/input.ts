/** What a bundle is made of: plan, kernels of each target, parameters, tokenizer. */
import type { Program } from "../2-graph/ir.js";
import type { Plan } from "../4-schedule/plan.js";
import type { CudaLaunch } from "../5-emit/cuda/index.js";
import type { ManifestCudaModule, ManifestGeneration, NativePlatform } from "./manifest.js";
import type { ParameterSource } from "./parameters.js";

/** WebAssembly kernels of one variant. */
export interface KernelModule {
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly bytes: Uint8Array;
}

/** Kernels for engines whose sums of four products of bytes are exact (`wasmQuads`), with the plan that they belong to. */
export interface QuadKernels {
  readonly plan: Plan;
  readonly modules: readonly Pick<KernelModule, "threads" | "bytes">[];
  readonly scratchBytes: number;
}

/** Native kernels for one level, compiled. */
export interface NativeLevel {
  readonly level: string;
  readonly platform: NativePlatform;
  readonly needs: readonly string[];
  readonly plan: Plan;
  readonly object: Uint8Array;
  readonly scratchBytes: number;
}

/** Kernels of a plan as WGSL. */
export interface WebGpuKernels {
  readonly plan: Plan;
  /** What `emitWgslPrograms` gives: plain JSON. */
  readonly programs: readonly object[];
}

/** Compiled kernels. */
export interface CudaModule extends Omit<ManifestCudaModule, "file"> {
  readonly bytes: Uint8Array;
}

/** Kernels of a plan as CUDA C++. */
export interface CudaKernels {
  readonly plan: Plan;
  readonly source: string;
  readonly launches: readonly CudaLaunch[];
  /** Empty where no compiler was at hand. */
  readonly modules: readonly CudaModule[];
}

/** A file of the runtime, as it was built ahead. */
export interface RuntimeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The runtime that lies in the bundle, so that it needs nothing beside it. */
export interface BundleRuntime {
  /** A program imports `runtime-node.js`; the types of the whole runtime are `runtime.d.ts`. */
  readonly node: readonly RuntimeFile[];
  /** A page imports `runtime.js`. Absent where the bundle has no kernels for browsers. */
  readonly browser?: readonly RuntimeFile[];
}

export interface BundleInput {
  readonly program: Program;
  readonly plan: Plan;
  /** None for a bundle that has native kernels only; `plan` is then that of the first level. */
  readonly modules: readonly KernelModule[];
  /** What engines with exact products of bytes run instead of `modules`. */
  readonly quads?: QuadKernels;
  readonly native?: readonly NativeLevel[];
  readonly webgpu?: WebGpuKernels;
  readonly cuda?: CudaKernels;
  readonly scratchBytes: number;
  readonly parameters: ParameterSource;
  /** JSON text of what `loadTokenizer` takes. */
  readonly tokenizer?: string;
  readonly generation: ManifestGeneration;
  /** Without it the shim imports the package `moec`, its types too. */
  readonly runtime?: BundleRuntime;
  /** Version of moec. */
  readonly compiler: string;
  /** Told how many bytes of weights were packed, of how many. */
  readonly onProgress?: (packed: number, total: number) => void;
}
