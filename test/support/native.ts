/** Native devices for tests, compiled in this process; and whether this machine can. */
import { scratchBytes, emitLlvm } from "../../compiler/5-emit/llvm/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import type { Device } from "../../runtime/device.js";
import { makeNativeDevice } from "../../runtime/native/device.js";
import { llvmCompiler } from "../../runtime/native/llvm/compiler.js";
import { missingFeatures } from "../../runtime/native/processor.js";

const reason = ((): string | undefined => {
  try {
    llvmCompiler();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
})();

/** Levels that can be compiled and run here, best first. Where there is none the reason is printed once per file. */
export const levels: readonly Target[] =
  reason === undefined
    ? [x86v4, x86v3].filter(({ codegen }) => missingFeatures(codegen?.needs ?? []).length === 0)
    : [];
if (levels.length === 0) console.warn(`skipped: no native code here: ${reason ?? "the processor has no level"}`);

export const hasNative = levels.length > 0;

export function compileNative(kernels: readonly Kernel[], target: Target): Uint8Array {
  const { cpu, features } = target.codegen!;
  return llvmCompiler().compile({
    name: target.name,
    cpu,
    features,
    text: (pointers) => emitLlvm(kernels, target, { pointers, pool: true }),
  });
}

export function nativeDevice(kernels: readonly Kernel[], plan: Plan, target: Target, threads = 1): Device {
  return makeNativeDevice({
    plan,
    object: compileNative(kernels, target),
    file: "test.o",
    level: target.name,
    scratchBytes: scratchBytes(kernels),
    threads,
  });
}
