/** What the runtime asks of the place it runs in. Node and browsers each have one; tests may pass their own. */
import type { Plan } from "../compiler/4-schedule/plan.js";
import type { CudaLaunch } from "../compiler/5-emit/cuda/index.js";
import type { ManifestCudaTarget, ManifestLevel, ManifestNativeTarget } from "../compiler/6-bundle/manifest.js";
import type { Device } from "./device.js";
import type { Gpu } from "./webgpu/gpu.js";
import type { WorkerStart } from "./wasm/work.js";

/** A file that holds a piece of the weights space. */
export interface WeightFile {
  readonly path: string;
  /** Where its first byte belongs in the space: a multiple of a page. */
  readonly offset: number;
  readonly bytes: number;
  /** What the manifest says that it hashes to. */
  readonly sha256: string;
}

export interface NativeParts {
  readonly plan: Plan;
  readonly object: Uint8Array;
  /** Threads that can run at the same time. */
  readonly parallelism: number;
  /** How many are wanted; as many as can run when it is not given. */
  readonly threads?: number;
  readonly texts?: number;
  /** Files of the weights, to be mapped; without them the weights are written. */
  readonly weights?: readonly WeightFile[];
  /** Whether the files are hashed: now, never, or once when it is not given. */
  readonly verify?: boolean;
}

/** The best level that the processor has, and how its kernels are put to work. */
export interface NativeChoice {
  readonly level: ManifestLevel;
  open(parts: NativeParts): Promise<Device>;
}

export interface CudaParts {
  readonly plan: Plan;
  /** Bytes of the file that was chosen. */
  readonly code: Uint8Array;
  readonly launches: readonly CudaLaunch[];
  readonly texts?: number;
}

/** The GPU of this machine, and the file of a bundle that it runs best: compiled code, else the source. */
export interface CudaChoice {
  readonly file: string;
  open(parts: CudaParts): Device;
}

export interface Host {
  readonly name: string;
  /** Threads that can run at the same time. */
  readonly parallelism: number;
  /** Whether this thread may block; the main thread of a browser may not. */
  readonly canBlock: boolean;
  /** Why threads can't share memory here, in words; undefined when they can. */
  readonly whyNoThreads: string | undefined;
  /** Turns relaxed SIMD on where that is a switch. Called before any module is compiled. */
  enableRelaxedSimd(): void;
  /**
   * Starts a worker thread with `startWorker` of `wasm/work.ts` and gives a function that ends it.
   *
   * @param onFailure Told why the thread does not run, some time later.
   */
  startThread(start: WorkerStart, onFailure: (reason: string) => void): () => void;
  /** Operating system and processor, as bundles name them for native kernels. */
  readonly platform?: string;
  /**
   * Chooses among native kernels. Absent where there are none at all.
   *
   * @throws MoecError MOE4203, MOE4204, MOE4280 when none of them runs here.
   */
  native?(target: ManifestNativeTarget): Promise<NativeChoice>;
  /**
   * Chooses among CUDA kernels. Absent where there are none at all.
   *
   * @throws MoecError MOE4230 when none of them runs here.
   */
  cuda?(target: ManifestCudaTarget): Promise<CudaChoice>;
  /** WebGPU, where there is any. */
  gpu?(): Promise<Gpu | undefined>;
  /** Lets timers, input and abort signals have their turn. */
  breathe(): Promise<void>;
}

/** The files of one bundle, by paths relative to its folder. */
export interface BundleFiles {
  /** Where the bundle lies, for messages. */
  readonly location: string;
  /**
   * A whole file.
   *
   * @param most Bytes that it may have.
   * @throws MoecError MOE5304 when it is not there, MOE5305 when it has more bytes, before more are held.
   */
  read(path: string, most?: number): Promise<Uint8Array>;
  /**
   * Reads a file of exactly `target.length` bytes to where it belongs and gives the SHA-256 of what was read.
   *
   * @param onBytes Told how many bytes have come since it was last called.
   * @param sha256 The hash that is expected; files that were kept from an earlier visit are found by it.
   * @throws MoecError MOE5304 when it is not there, MOE5305 when it has another size.
   */
  readInto(path: string, target: Uint8Array, onBytes?: (count: number) => void, sha256?: string): Promise<string>;
  /** Absolute path of a file on this machine, which may be mapped. Absent where files come from elsewhere. */
  localPath?(path: string): string;
  /** SHA-256 in hexadecimal digits. */
  sha256(bytes: Uint8Array): Promise<string>;
}
