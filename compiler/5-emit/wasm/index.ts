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
import { emptyModule, tuple, wasmTypes, type Ref, type WasmModule, type WasmType } from "./binary.js";
import { emitExpression } from "./expressions.js";
import { wasmType, WasmFunction, type FunctionTable, type WasmFeatures } from "./function.js";
import { emitStatements } from "./statements.js";

export { scratchBytes };

export interface WasmOptions {
  /** Shared memory and atomic instructions. */
  readonly threads?: boolean;
  /** Let binaryen check the module, for tests. */
  readonly validate?: boolean;
}

/** The functions of a module that kernels call. */
class Functions implements FunctionTable {
  private readonly made = new Set<string>();

  constructor(
    private readonly m: WasmModule,
    private readonly features: WasmFeatures,
  ) {}

  function(name: string, make: () => FunctionBody): string {
    const full = `$${name}`;
    if (this.made.has(full)) return full;
    this.made.add(full);
    const { parameter, body, result } = make();
    const [op, lanes] = name.split(".");
    const type = registerType(isFunctionOp(op as never) || op!.startsWith("f32") ? "f32" : "i32", Number(lanes));
    const f = new WasmFunction(this.m, this.features, this, full, [wasmType(type, full)]);
    f.bind(parameter, 0);
    emitStatements(f, body);
    f.emit(emitExpression(f, result));
    const resultType = wasmType(result.type, full);
    this.m.addFunction(full, tuple(f.parameters), resultType, f.locals, f.finished(resultType));
    return full;
  }
}

function emitKernel(m: WasmModule, features: WasmFeatures, functions: FunctionTable, kernel: Kernel): void {
  if (kernel.threads !== 1) throw moecError("MOE4502", { kernel: kernel.name, threads: String(kernel.threads) });
  const types: WasmType[] = [
    ...kernel.buffers.map(() => wasmTypes.i32),
    ...kernel.scalars.map(({ type }) => (type === "f32" ? wasmTypes.f32 : wasmTypes.i32)),
    wasmTypes.i32,
    wasmTypes.i32,
  ];
  const f = new WasmFunction(m, features, functions, kernel.name, types);
  kernel.buffers.forEach(({ name, element }, local) => f.buffers.set(name, { element, local }));
  kernel.scalars.forEach(({ name }, i) => f.bind(name, kernel.buffers.length + i));
  let offset = 0;
  for (const buffer of kernel.blockBuffers) {
    const { name, element } = buffer;
    const local = f.local(wasmTypes.i32);
    f.emit(m.local.set(local, m.i32.add(m.global.get("scratch", wasmTypes.i32), m.i32.const(offset))));
    f.buffers.set(name, { element, local });
    offset += blockBufferBytes(buffer);
  }
  const from = types.length - 2;
  f.bind("@block", from);
  const get = (local: number): Ref => m.local.get(local, wasmTypes.i32);
  const body = f.nested(() => {
    emitStatements(f, kernel.body);
    f.emit(m.local.set(from, m.i32.add(get(from), m.i32.const(1))));
    f.emit(m.br("blocks", m.i32.lt_s(get(from), get(from + 1))));
  });
  f.emit(m.if(m.i32.lt_s(get(from), get(from + 1)), m.loop("blocks", body)));
  m.addFunction(kernel.name, tuple(types), wasmTypes.none, f.locals, f.finished(wasmTypes.none));
  m.addFunctionExport(kernel.name, kernel.name);
}

/** The module as bytes. Kernels must pass `verifyKernels`. */
export function emitWasm(kernels: readonly Kernel[], target: Target, options: WasmOptions = {}): Uint8Array {
  if (target.family !== "wasm") throw moecError("MOE4503", { target: target.name, wanted: "wasm" });
  const features: WasmFeatures = {
    relaxed: target.fma,
    quads: target.dotQuads === "either",
    threads: options.threads ?? false,
  };
  const m = emptyModule(features);
  try {
    if (scratchBytes(kernels) > 0) m.addGlobalImport("scratch", "env", "scratch", wasmTypes.i32, false);
    const functions = new Functions(m, features);
    for (const kernel of kernels) emitKernel(m, features, functions, kernel);
    if (options.validate && !m.validate()) throw new TypeError("the WebAssembly module is not valid");
    return m.emitBinary();
  } finally {
    m.dispose();
  }
}
