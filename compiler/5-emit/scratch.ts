/** Where block buffers lie on CPU targets: one behind the other in memory that each thread has for itself. */
import type { BlockBuffer, Kernel } from "../4-schedule/kernel-ir.js";
import { memoryBytes } from "../4-schedule/kernel-types.js";

/** Bytes that one block buffer takes, rounded up so that the next one begins on a cache line. */
export function blockBufferBytes({ element, length }: BlockBuffer): number {
  return Math.ceil((length * memoryBytes[element]) / 64) * 64;
}

/** Bytes of scratch memory that a thread needs: those of the kernel with the largest block buffers. */
export function scratchBytes(kernels: readonly Kernel[]): number {
  const ofKernel = ({ blockBuffers }: Kernel): number =>
    blockBuffers.reduce((sum, buffer) => sum + blockBufferBytes(buffer), 0);
  return Math.max(0, ...kernels.map(ofKernel));
}
