/** Blocks of a kernel on a target with threads: whether they fit, and which of them go side by side into one. */
import { someStatement } from "../../4-schedule/kernel-fragments.js";
import type { FoldOp, Kernel, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";

/** Bytes of the `shared` buffers of one block, and of what its threads fold. */
export function sharedBytes(kernel: Kernel): number {
  const folds = foldsOf(kernel).size * (kernel.threads + foldParts(kernel.threads) + 4) * 4;
  return kernel.blockBuffers
    .filter(({ space }) => space === "shared")
    .reduce((sum, { element, length }) => sum + Math.ceil((length * memoryBytes[element]) / 16) * 16, folds);
}

/** What the threads of a block fold: the types, and the operations on each. */
export function foldsOf(kernel: Kernel): ReadonlyMap<"f32" | "i32", ReadonlySet<FoldOp>> {
  const found = new Map<"f32" | "i32", Set<FoldOp>>();
  const visit = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if (statement.kind === "for") visit(statement.body);
      if (statement.kind === "if") [statement.then, statement.else].forEach(visit);
      // Threads that hand each other registers need no memory.
      if (statement.kind !== "block-fold" || statement.across !== undefined) continue;
      const type = statement.value.type.element as "f32" | "i32";
      found.set(type, (found.get(type) ?? new Set<FoldOp>()).add(statement.op));
    }
  };
  visit(kernel.body);
  return found;
}

/** How many parts the values of a block are folded into before those are: equal ones, about as many as values in each. */
export function foldParts(threads: number): number {
  let parts = Math.floor(Math.sqrt(threads));
  while (threads % parts !== 0) parts--;
  return parts;
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

/** True when the threads of a block meet somewhere. */
const meets = (statements: readonly Statement[]): boolean =>
  someStatement(statements, ({ kind }) => kind === "barrier" || kind === "block-fold");

/** True when all that a block does, its one thread does alone: such blocks are laid side by side. */
export function isAlone({ threads, body, blockBuffers }: Kernel): boolean {
  return threads === 1 && !meets(body) && blockBuffers.every(({ space }) => space === "local");
}
