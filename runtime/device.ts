/**
 * What the model asks of a machine: memory in four spaces, a way to fill it, one call of an entry point, a way to read.
 * A device is made for one bundle and holds its plan. Everything may be asynchronous (a GPU is); the WebAssembly device
 * answers at once.
 */
import type { MemorySpace } from "../compiler/4-schedule/plan.js";
import type { SizeValues } from "./plan/sizes.js";

/** What runs and what does not, in words for people: `moec doctor` and the model's `report` show it. */
export interface DeviceReport {
  /** `wasm`, `interpreter`… */
  readonly device: string;
  readonly threads: number;
  /** Set when there is one thread: why. */
  readonly whyOneThread?: string;
  /** Why they are several, but not all that run at the same time, though no number was asked for. */
  readonly whyFewerThreads?: string;
  readonly relaxedSimd: boolean;
  /** Of WebAssembly kernels: sums of four products of bytes are one instruction. */
  readonly quads?: boolean;
  /** Of native kernels: the processors that they were compiled for. */
  readonly level?: string;
  /** Set when the bundle has native kernels for better processors: why those do not run. */
  readonly whyNotBetter?: string;
  /** Set when the bundle has native kernels that can't run here: why. */
  readonly whyNotNative?: string;
  /** Bytes of memory that the device took. */
  readonly memoryBytes: number;
  /** Of these, bytes of files that are mapped: they are shared with the system's cache of files. */
  readonly mappedBytes?: number;
  /** Set when the bundle has kernels for WebGPU that do not run: why. */
  readonly whyNotWebgpu?: string;
  /** Set when the bundle has kernels for CUDA that do not run: why. */
  readonly whyNotCuda?: string;
  /** On a GPU: which one. */
  readonly gpu?: string;
  /** On a GPU: programs that one call starts, by entry point. */
  readonly dispatches?: Readonly<Record<string, number>>;
  /** In browsers: where the weights came from and whether they are kept for the next visit. */
  readonly storage?: string;
}

export interface Device {
  readonly report: DeviceReport;
  /** How many texts have states of their own; 1 when absent. */
  readonly texts?: number;
  /** From now on the state space is that of this text, for `write`, `read`, `window` and `run`. The first is 0. */
  selectText?(text: number): void;
  /** The memory itself, where the host can address it: weights are then read from the file to where they belong. */
  window?(space: MemorySpace, offset: number, length: number): Uint8Array;
  /** Weights are written once, at load. */
  write(space: MemorySpace, offset: number, bytes: Uint8Array): void | Promise<void>;
  /** The bytes of a range, as a copy or as a view that is good until the next call. */
  read(space: MemorySpace, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  /** Runs one entry point; inputs were written before, outputs can be read after. */
  run(entry: string, sizes: SizeValues): void | Promise<void>;
  /** Gives everything back. Nothing else may be called afterwards. */
  dispose(): void;
}
