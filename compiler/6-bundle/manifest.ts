/**
 * `manifest.json`: what is in a bundle, said once, so that a page can decide before it downloads anything. The runtime
 * checks every field of it before use.
 */
import type { DType } from "../ops/types.js";
import type { StorageType } from "../2-graph/ir.js";

/**
 * How plan, kernels, weights and runtime fit together. It grows when an old runtime would read a new bundle wrongly;
 * both sides state it as this type, so they can't drift apart.
 */
export type BundleAbi = 2;

/** An input or output of an entry point; sizes are texts of `Size` over the run-time sizes. */
export interface ManifestPort {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly { readonly name: string; readonly size: string }[];
}

export interface ManifestEntry {
  readonly name: string;
  readonly inputs: readonly ManifestPort[];
  readonly outputs: readonly ManifestPort[];
}

export interface ManifestKnob extends ManifestPort {
  readonly init: number;
  readonly range?: readonly [number, number];
}

/** One build of the kernels; a host takes the first that it can run. */
export interface ManifestKernels {
  readonly file: string;
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
}

/** What the wasm target of the bundle needs. */
export interface ManifestWasmTarget {
  readonly name: "wasm";
  readonly kernels: readonly ManifestKernels[];
  /** Bytes of block memory that each thread needs. */
  readonly scratchBytes: number;
  /** What engines with exact sums of four products of bytes run instead; the weights are the same. */
  readonly quads?: ManifestQuads;
}

/** Kernels that only some engines run: their activations lie differently, so they have a plan of their own. */
export interface ManifestQuads {
  readonly kernels: readonly ManifestKernels[];
  readonly scratchBytes: number;
  readonly plan: string;
  readonly memory: ManifestMemory;
}

/** Native kernels for one level of a processor. Levels may lay weights out differently, so each has a plan of its own. */
export interface ManifestLevel {
  /** Such as `x86-64-v3`. */
  readonly level: string;
  /** Features that the processor must have, as Linux names them. */
  readonly needs: readonly string[];
  /** A relocatable ELF object with the kernels and the threads that run them. */
  readonly object: string;
  /** Bytes of block memory that each thread needs. */
  readonly scratchBytes: number;
  readonly plan: string;
  readonly memory: ManifestMemory;
  readonly shards: readonly ManifestShard[];
}

/** Operating system and processor, as Node names them. */
export type NativePlatform = "linux-x64" | "linux-arm64";

/** Kernels for one platform; a bundle may have several such targets. */
export interface ManifestNativeTarget {
  readonly name: "native";
  readonly platform: NativePlatform;
  /** Best first. */
  readonly levels: readonly ManifestLevel[];
}

/** WGSL for every kernel, with a plan of its own: GPUs want other kernels, but the same layouts of weights. */
export interface ManifestWebGpuTarget {
  readonly name: "webgpu";
  /** JSON: a list of programs. */
  readonly programs: string;
  readonly plan: string;
  readonly memory: ManifestMemory;
  readonly shards: readonly ManifestShard[];
}

/** Compiled CUDA kernels: machine code for one generation of GPUs, or PTX, which newer drivers compile. */
export interface ManifestCudaModule {
  readonly file: string;
  readonly kind: "cubin" | "ptx";
  /** Compute capability as `major * 10 + minor`. */
  readonly capability: number;
}

/** CUDA C++ for every kernel, and what was compiled of it, with a plan of its own. */
export interface ManifestCudaTarget {
  readonly name: "cuda";
  /** For GPUs that none of the modules is for, where NVRTC is installed. */
  readonly source: string;
  readonly modules: readonly ManifestCudaModule[];
  /** JSON: how each kernel is launched. */
  readonly launches: string;
  readonly plan: string;
  readonly memory: ManifestMemory;
  readonly shards: readonly ManifestShard[];
}

export type ManifestTarget = ManifestWasmTarget | ManifestNativeTarget | ManifestWebGpuTarget | ManifestCudaTarget;

/** Bytes of each space, and their sum: what a device needs besides its own code. */
export interface ManifestMemory {
  readonly weights: number;
  readonly state: number;
  readonly arena: number;
  readonly io: number;
  readonly peak: number;
}

/** A piece of the weights space: `bytes` bytes that begin at `offset`. */
export interface ManifestShard {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface ManifestFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Defaults of `generate`, from the spec or `moec.yaml`. */
export interface ManifestGeneration {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
}

export interface Manifest {
  readonly format: "moec-bundle";
  readonly abi: BundleAbi;
  /** The model's name in its spec. */
  readonly name: string;
  /** Version of moec that wrote it. */
  readonly compiler: string;
  readonly entries: readonly ManifestEntry[];
  /** The entry of the plan that `generate` calls: token ids in, logits of the last one out. Absent for other models. */
  readonly language?: string;
  readonly knobs: readonly ManifestKnob[];
  /** Most new tokens per call under the token axis' name, and `context`: most positions. */
  readonly limits: Readonly<Record<string, number>>;
  readonly memory: ManifestMemory;
  readonly targets: readonly ManifestTarget[];
  /** Plan, memory and shards of all targets that have none of their own. */
  readonly plan: string;
  readonly shards: readonly ManifestShard[];
  /** Parameters by storage: how many numbers are kept as what. */
  readonly parameters: Readonly<Partial<Record<StorageType, number>>>;
  readonly tokenizer?: string;
  readonly generation: ManifestGeneration;
  /** Every file but the manifest itself. */
  readonly files: readonly ManifestFile[];
}
