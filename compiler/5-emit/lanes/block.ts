/** Whether a block of a kernel fits on a target with threads. */
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";

/** Bytes of the `shared` buffers of one block. */
export function sharedBytes(kernel: Kernel): number {
  return kernel.blockBuffers
    .filter(({ space }) => space === "shared")
    .reduce((sum, { element, length }) => sum + Math.ceil((length * memoryBytes[element]) / 16) * 16, 0);
}

/** Throws MOE4504 when the block has more threads or shared memory than the target gives. */
export function checkBlock(kernel: Kernel, target: Target): void {
  const refuse = (what: string, wanted: number, limit: number): never => {
    throw moecError("MOE4504", {
      kernel: kernel.name,
      what,
      wanted: String(wanted),
      limit: String(limit),
      target: target.name,
    });
  };
  if (kernel.threads > target.blockThreads) refuse("threads", kernel.threads, target.blockThreads);
  const bytes = sharedBytes(kernel);
  if (bytes > target.sharedBytes) refuse("bytes of shared memory", bytes, target.sharedBytes);
}
