/** What NVIDIA's assembler says of kernels (`-Xptxas -v`), and what follows for a GPU. */
import type { StorageType } from "../compiler/2-graph/ir.js";
import { partsOf } from "../compiler/4-schedule/lower/cuda-activations.js";

export interface KernelReport {
  readonly kernel: string;
  /** Of one thread, 32 bits each. */
  readonly registers: number;
  /** Bytes that a thread puts into memory for want of registers, stored and loaded. */
  readonly spills: number;
  /** Bytes of local memory of a thread: arrays that are no registers, and spills. */
  readonly stack: number;
  /** Bytes of shared memory of a block. */
  readonly shared: number;
}

/** One report for each kernel that the text speaks of. */
export function readPtxas(text: string): readonly KernelReport[] {
  const parts = text.split(/Compiling entry function '/).slice(1);
  return parts.map((part) => {
    const number = (pattern: RegExp): number => Number(pattern.exec(part)?.[1] ?? 0);
    const kernel = part.slice(0, part.indexOf("'"));
    const registers = number(/Used (\d+) registers/);
    if (registers === 0) throw new Error(`the assembler says nothing about ${kernel}`);
    return {
      kernel,
      registers,
      spills: number(/(\d+) bytes spill stores/) + number(/(\d+) bytes spill loads/),
      stack: number(/(\d+) bytes stack frame/),
      shared: number(/(\d+) bytes smem/),
    };
  });
}

/** What a GPU has, from NVIDIA's architecture papers (A100 2020, H100 2022; SXM versions). */
export interface GpuLimits {
  readonly name: string;
  readonly capability: number;
  /** Of one multiprocessor. */
  readonly threads: number;
  readonly blocks: number;
  readonly registers: number;
  readonly shared: number;
  /** Of the whole GPU: bytes and operations of f32 per second. */
  readonly bandwidth: number;
  readonly operations: number;
  /** The same of tensor cores: on f16 and bf16, and on bytes. */
  readonly halfOperations: number;
  readonly byteOperations: number;
}

const multiprocessor = { threads: 2048, blocks: 32, registers: 65536 } as const;

export const a100: GpuLimits = {
  ...multiprocessor,
  name: "A100",
  capability: 80,
  shared: 164 * 1024,
  bandwidth: 2.039e12,
  operations: 19.5e12,
  halfOperations: 312e12,
  byteOperations: 624e12,
};

export const h100: GpuLimits = {
  ...multiprocessor,
  name: "H100",
  capability: 90,
  shared: 228 * 1024,
  bandwidth: 3.35e12,
  operations: 66.9e12,
  halfOperations: 989e12,
  byteOperations: 1979e12,
};

const WARP = 32;
/** Registers are given to a warp in pieces of 256, and a block loses 1 KiB of shared memory to the system. */
const REGISTER_PIECE = 256;
const SHARED_OVERHEAD = 1024;

/** Share of a multiprocessor's threads that can be there at the same time. */
export function occupancy({ registers, shared }: KernelReport, threads: number, gpu: GpuLimits): number {
  const warps = Math.ceil(threads / WARP);
  const perWarp = Math.ceil((registers * WARP) / REGISTER_PIECE) * REGISTER_PIECE;
  const blocks = Math.min(
    gpu.blocks,
    Math.floor(gpu.threads / (warps * WARP)),
    Math.floor(gpu.registers / (perWarp * warps)),
    Math.floor(gpu.shared / (shared + SHARED_OVERHEAD)),
  );
  return (blocks * warps * WARP) / gpu.threads;
}

/** Operations per second of products of many rows with weights of a format: activations of f16 and bf16 come in parts. */
export function productRate(storage: StorageType, gpu: GpuLimits): number {
  if (storage === "f16" || storage === "bf16") return gpu.halfOperations / partsOf[storage];
  return storage === "q8_0" || storage === "q4_0" ? gpu.byteOperations : gpu.operations;
}

/** Seconds that a GPU needs at least for so many operations (at `rate`) and bytes: the larger of the two. */
export function roofline(operations: number, bytes: number, gpu: GpuLimits, rate = gpu.operations): number {
  return Math.max(operations / rate, bytes / gpu.bandwidth);
}
