/** Compiles and calls emitted WebAssembly in tests. */
import v8 from "node:v8";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitWasm } from "../../compiler/5-emit/wasm/index.js";
import type { Target } from "../../compiler/targets/index.js";

// Node 20 hides relaxed SIMD behind a flag that may be set until the first module is compiled.
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

export type KernelFunction = (...args: readonly number[]) => void;

/** The kernels as functions over `memory`. */
export function instantiate(
  kernels: readonly Kernel[],
  target: Target,
  memory: WebAssembly.Memory,
  scratch = 0,
): Readonly<Record<string, KernelFunction>> {
  const threads = memory.buffer instanceof SharedArrayBuffer;
  const bytes = emitWasm(kernels, target, { threads });
  const module = new WebAssembly.Module(bytes as BufferSource);
  const global = new WebAssembly.Global({ value: "i32", mutable: false }, scratch);
  return new WebAssembly.Instance(module, { env: { memory, scratch: global } }).exports as unknown as Record<
    string,
    KernelFunction
  >;
}
