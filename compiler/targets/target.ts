/**
 * What a target can do, as far as schedules choose by it. A printer reads the same record, so that a schedule never asks
 * for what the printer has not got.
 */

import type { WideShapes } from "./tile-shapes.js";

/** How fast a product of i8 lanes is, and under which condition it is exact. */
export type DotSupport =
  /** Built from wider multiplications: exact for all values, several times slower. */
  | "emulated"
  /** One instruction when the second operand lies in 0..127. */
  | "i7"
  /** One instruction for all values. */
  | "exact"
  /** One instruction for all values, which reads the second operand as signed or as unsigned, as the machine likes. */
  | "either";

export interface Target {
  readonly name: string;
  readonly family: "wasm" | "llvm" | "wgsl" | "cuda";
  /** One sentence for people. */
  readonly doc: string;
  /** Bits of the vectors that the schedule uses; 32 means that threads replace vectors. */
  readonly vectorBits: number;
  /** Vector registers that the code generator keeps without spilling. */
  readonly vectorRegisters: number;
  /** a * b + c in one instruction. */
  readonly fma: boolean;
  readonly dotPairsI8: DotSupport;
  readonly dotQuads: DotSupport;
  /** Tiles of products; absent where products have the narrow tiles of WebAssembly or those of GPUs. */
  readonly tiles?: WideShapes;
  /** Threads of one block that a kernel may ask for. */
  readonly blockThreads: number;
  /** Bytes of `shared` block buffers in one block. */
  readonly sharedBytes: number;
  /** Bytes that one memory can have. */
  readonly memoryBytes: number;
  /** What LLVM calls the processor and the features beyond it, and what Linux calls the features that must be there. */
  readonly codegen?: {
    readonly architecture: "x86-64" | "aarch64";
    readonly cpu: string;
    readonly features: string;
    readonly needs: readonly string[];
  };
}

/** Blocks run side by side by the thousands, so that the smallest pieces of work are the best. */
export function isGpu(target: Target): boolean {
  return target.family === "wgsl" || target.family === "cuda";
}

/** Lanes of a vector whose lanes have that many bits; 1 where threads replace vectors. */
export function lanesOf(target: Target, bits: 8 | 16 | 32): number {
  return target.vectorBits <= 32 ? 1 : target.vectorBits / bits;
}
