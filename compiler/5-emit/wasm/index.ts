/**
 * Kernel IR as one WebAssembly module. Each kernel is an exported function: byte addresses of its buffers (i32), its
 * scalars (i32 or f32), then `from` and `to` (i32): it runs the blocks from..to.
 *
 * Imports: `env.memory`, shared when `threads` is set, and `env.scratch` (i32) when some kernel has block buffers: the
 * byte address of `scratchBytes(kernels)` bytes for this instance alone. Buffers lie at byte 1024 or above.
 */
import { isFunctionOp } from "../../4-schedule/kernel-functions.js";
import type { FunctionBody } from "../../4-schedule/kernel-functions.js";
import type { Kernel } from "../../4-schedule/kernel-ir.js";
import { registerType } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { Target } from "../../targets/index.js";
import { blockBufferBytes, scratchBytes } from "../scratch.js";
import { emitExpression } from "./expressions.js";
import { wasmType, WasmFunction, type FunctionTable, type WasmFeatures } from "./function.js";
import * as wasm from "./instructions.js";
import type { Ref, WasmType } from "./instructions.js";
import { WasmModule, type Code } from "./module.js";
import { emitStatements } from "./statements.js";

export { scratchBytes };

export interface WasmOptions {
  /** Shared memory and atomic instructions. */
  readonly threads?: boolean;
}

/** The functions of a module that kernels call. */
class Functions implements FunctionTable {
  private readonly made = new Set<string>();

  constructor(
    private readonly module: WasmModule,
    private readonly features: WasmFeatures,
  ) {}

  function(name: string, make: () => FunctionBody): string {
    const full = `$${name}`;
    if (this.made.has(full)) return full;
    this.made.add(full);
    const { parameter, body, result } = make();
    const [op, lanes] = name.split(".");
    const type = registerType(isFunctionOp(op as never) || op!.startsWith("f32") ? "f32" : "i32", Number(lanes));
    const f = new WasmFunction(this.features, this, full, [wasmType(type, full)]);
    f.bind(parameter, 0);
    emitStatements(f, body);
    f.emit(emitExpression(f, result));
    this.module.addFunction(full, f.parameters, wasmType(result.type, full), f.finished());
    return full;
  }
}

function parametersOf(kernel: Kernel): readonly WasmType[] {
  return [
    ...kernel.buffers.map(() => wasm.types.i32),
    ...kernel.scalars.map(({ type }) => (type === "f32" ? wasm.types.f32 : wasm.types.i32)),
    wasm.types.i32,
    wasm.types.i32,
  ];
}

/** The function of a kernel, and whether it has other code where threads share the memory. */
function emitKernel(
  features: WasmFeatures,
  functions: FunctionTable,
  kernel: Kernel,
): { readonly code: Code; readonly isAtomic: boolean } {
  if (kernel.threads !== 1) throw moecError("MOE4502", { kernel: kernel.name, threads: String(kernel.threads) });
  const types = parametersOf(kernel);
  const f = new WasmFunction(features, functions, kernel.name, types);
  kernel.buffers.forEach(({ name, element }, local) => f.buffers.set(name, { element, local }));
  kernel.scalars.forEach(({ name }, i) => f.bind(name, kernel.buffers.length + i));
  let offset = 0;
  for (const buffer of kernel.blockBuffers) {
    const { name, element } = buffer;
    const local = f.local(wasm.types.i32);
    f.emit(wasm.local.set(local, wasm.i32.add(wasm.global("scratch"), wasm.i32.const(offset))));
    f.buffers.set(name, { element, local });
    offset += blockBufferBytes(buffer);
  }
  const from = types.length - 2;
  f.bind("@block", from);
  const get = (local: number): Ref => wasm.local.get(local);
  const body = f.nested(() => {
    emitStatements(f, kernel.body);
    f.emit(wasm.local.set(from, wasm.i32.add(get(from), wasm.i32.const(1))));
    f.emit(wasm.br_if("blocks", wasm.i32.lt_s(get(from), get(from + 1))));
  });
  f.emit(wasm.ifThen(wasm.i32.lt_s(get(from), get(from + 1)), wasm.loop("blocks", body)));
  return { code: f.finished(), isAtomic: f.isAtomic };
}

/**
 * The module of these kernels, whose bytes are for memory that threads share or for memory of one. Kernels must pass
 * `verifyKernels`.
 */
export function wasmModule(kernels: readonly Kernel[], target: Target): WasmModule {
  if (target.family !== "wasm") throw moecError("MOE4503", { target: target.name, wanted: "wasm" });
  const features: WasmFeatures = { relaxed: target.fma, quads: target.dotQuads === "either", threads: false };
  const module = new WasmModule();
  if (scratchBytes(kernels) > 0) module.importGlobal("scratch");
  const functions = new Functions(module, features);
  for (const kernel of kernels) {
    const { code, isAtomic } = emitKernel(features, functions, kernel);
    const shared = isAtomic ? emitKernel({ ...features, threads: true }, functions, kernel).code : code;
    module.addFunction(kernel.name, parametersOf(kernel), wasm.types.none, code, shared);
    module.exportFunction(kernel.name);
  }
  return module;
}

/** One module as bytes. */
export function emitWasm(kernels: readonly Kernel[], target: Target, options: WasmOptions = {}): Uint8Array {
  return wasmModule(kernels, target).bytes(options.threads ?? false);
}
