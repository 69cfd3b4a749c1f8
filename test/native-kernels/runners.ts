/** Runs the same kernels on the interpreter and as compiled code, over byte arrays. */
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { scratchBytes } from "../../compiler/5-emit/scratch.js";
import type { Target } from "../../compiler/targets/index.js";
import { missingFeatures } from "../../runtime/native/processor.js";
import { compileArm, hasArm } from "../support/arm.js";
import { compileLlvm, haveTools, koffi } from "../support/compiled.js";
import { guard } from "./guard.js";

export type RunKernel = (
  name: string,
  buffers: readonly Uint8Array[],
  scalars: readonly number[],
  grid: number,
) => void;

export const llvm = haveTools("llc-14", "ld") && koffi() !== undefined;

/** Whether this processor runs code for the target, or an emulator does; says so when it does not. */
export function runs(target: Target): boolean {
  if (target.codegen!.architecture === "aarch64") return hasArm();
  const missing = missingFeatures(target.codegen!.needs);
  if (missing.length > 0) console.warn(`skipped: the processor has no ${missing.join(", ")}`);
  return llvm && missing.length === 0;
}

export async function compiled(
  kernels: readonly Kernel[],
  target: Target,
): Promise<{ readonly run: RunKernel; readonly assembly: () => Promise<string> }> {
  if (target.codegen!.architecture === "aarch64") {
    const { launch, assembly } = compileArm(kernels, target);
    return {
      run: (name, buffers, scalars, grid) => launch(name, buffers, scalars, 0, grid),
      assembly: () => Promise.resolve(assembly()),
    };
  }
  const { launch, assembly } = await compileLlvm(kernels, target);
  const run: RunKernel = (name, buffers, scalars, grid) => {
    const guarded = buffers.map(guard);
    launch(
      name,
      guarded.map(({ bytes }) => bytes),
      scalars,
      0,
      grid,
    );
    guarded.forEach(({ bytes, free }, i) => {
      buffers[i]!.set(bytes);
      free();
    });
  };
  return { run, assembly };
}

/** Copies the buffers into one memory and back. Every access is checked. */
export function interpreted(kernels: readonly Kernel[]): RunKernel {
  const interpreter = makeInterpreter(kernels, { checked: true });
  const scratch = Math.ceil(scratchBytes(kernels) / 64) * 64 + 64;
  return (name, buffers, scalars, grid) => {
    let next = scratch;
    const places = buffers.map((bytes) => {
      const at = next;
      next += Math.ceil(bytes.length / 64) * 64 + 64;
      return at;
    });
    const memory = new ArrayBuffer(next);
    buffers.forEach((bytes, i) => new Uint8Array(memory).set(bytes, places[i]));
    interpreter.launch(name, memory, places, scalars, 0, grid);
    buffers.forEach((bytes, i) => bytes.set(new Uint8Array(memory, places[i], bytes.length)));
  };
}

export const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
