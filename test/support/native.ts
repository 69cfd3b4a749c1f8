/** Native devices for tests, compiled in this process; and whether this machine can. */
import { describe, it } from "vitest";
import { reasonOf } from "../../compiler/errors/reason.js";
import { scratchBytes, emitLlvm } from "../../compiler/5-emit/llvm/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { arm64Dot, x86v3, x86v4, x86v4Amx, type Target } from "../../compiler/targets/index.js";
import type { Device } from "../../runtime/device.js";
import { loadCode } from "../../runtime/native/code.js";
import { ownArchitecture } from "../../runtime/native/elf.js";
import { koffi } from "../../runtime/native/koffi.js";
import { makeNativeDevice } from "../../runtime/native/device.js";
import { llvmCompiler } from "../../runtime/native/llvm/compiler.js";
import { missingFeatures } from "../../runtime/native/processor.js";
import { compileArm } from "./arm.js";

const reason = ((): string | undefined => {
  try {
    llvmCompiler();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
})();

/** Levels that can be compiled and run here, best first. Where there is none the reason is printed once per file. */
export const levels: readonly Target[] =
  reason === undefined
    ? [x86v4, x86v3, arm64Dot].filter(({ codegen }) => missingFeatures(codegen?.needs ?? []).length === 0)
    : [];
if (levels.length === 0) console.warn(`skipped: no native code here: ${reason ?? "the processor has no level"}`);

export const hasNative = levels.length > 0;

/** The level with matrices in registers, which no bundle has unless it is named, where it can be run. */
export const namedLevels = (): readonly Target[] => {
  if (!hasNative) return [];
  const missing = missingFeatures(x86v4Amx.codegen!.needs);
  if (missing.length === 0) return [x86v4Amx];
  console.warn(`skipped: ${x86v4Amx.name}: the processor has no ${missing.join(", ")}`);
  return [];
};

export const levelsWithNamed = (): readonly Target[] => [...namedLevels(), ...levels];

/** Tests for each level; one test that is shown as skipped where there is none. */
export function describeLevels(name: string, body: (target: Target) => void, on: readonly Target[] = levels): void {
  if (on.length === 0) {
    describe.skip(`${name}: ${hasNative ? "the processor has no such level" : "no native code here"}`, () => {
      it("is skipped", () => undefined);
    });
  }
  for (const target of on) {
    describe(`${name} on ${target.name}`, () => {
      body(target);
    });
  }
}

const compiled = new Map<string, Uint8Array>();

/** Compiled once for each text: tests of threads ask for the same kernels again and again. */
export function compileNative(kernels: readonly Kernel[], target: Target): Uint8Array {
  const compiler = llvmCompiler();
  const text = emitLlvm(kernels, target, { pointers: compiler.pointers, pool: true });
  const object = compiled.get(text) ?? compiler.compile({ name: target.name, ...target.codegen!, text: () => text });
  compiled.set(text, object);
  return object;
}

export function nativeDevice(kernels: readonly Kernel[], plan: Plan, target: Target, threads = 1, texts = 1): Device {
  return makeNativeDevice({
    plan,
    object: compileNative(kernels, target),
    file: "test.o",
    level: target.name,
    scratchBytes: scratchBytes(kernels),
    threads,
    texts,
  });
}

/** Runs kernels over one memory in which buffers and block memory have addresses, as tests of schedules do. */
export function nativeLaunch(kernels: readonly Kernel[], target: Target, memory: ArrayBuffer, scratch: number) {
  if (target.codegen?.architecture !== ownArchitecture) return compileArm(kernels, target).launchIn(memory);
  const code = loadCode(compileNative(kernels, target), "test.o");
  const type = koffi().proto("void (void** buffers, int* scalars, void* scratch, int from, int to)");
  const floats = new Map(kernels.map(({ name, scalars }) => [name, scalars.map((scalar) => scalar.type === "f32")]));
  return (kernel: string, addresses: readonly number[], scalars: readonly number[], from: number, to: number): void => {
    const bits = new Int32Array(Math.max(1, scalars.length));
    const values = new Float32Array(bits.buffer);
    scalars.forEach((value, i) => {
      if (floats.get(kernel)![i]) values[i] = value;
      else bits[i] = value;
    });
    const views = addresses.map((address) => new Uint8Array(memory, address));
    koffi().call(BigInt(code.address(kernel)), type, views, bits, new Uint8Array(memory, scratch), from, to);
  };
}
