/**
 * One WebAssembly function under construction: locals by the names of registers, the statements so far, and the calls
 * it needs.
 */
import type { Expression, MemoryType, RegisterType } from "../../4-schedule/kernel-ir.js";
import { elementBits, typeText } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { FunctionBody } from "../../4-schedule/kernel-functions.js";
import * as wasm from "./instructions.js";
import type { Ref, WasmType } from "./instructions.js";
import type { Code } from "./module.js";
import type { Pointers } from "./pointers.js";

/** Instructions that the module may contain. */
export interface WasmFeatures {
  readonly relaxed: boolean;
  /** Sums of four products of bytes are one instruction, exact for all bytes. */
  readonly quads: boolean;
  readonly threads: boolean;
}

/** Where a buffer lies: a local with its byte address. */
export interface BufferLocal {
  readonly element: MemoryType;
  readonly local: number;
}

/** Functions that bodies call, made once a module. */
export interface FunctionTable {
  /** Name of the function with this body. */
  function(name: string, make: () => FunctionBody): string;
}

export function wasmType(type: RegisterType, owner: string): WasmType {
  if (type.lanes === 1) return type.element === "f32" ? wasm.types.f32 : wasm.types.i32;
  const bits = elementBits[type.element] * type.lanes;
  const fits = type.element === "bool" ? type.lanes === 4 || type.lanes === 8 || type.lanes === 16 : bits === 128;
  if (!fits) throw moecError("MOE4501", { kernel: owner, type: typeText(type) });
  return wasm.types.v128;
}

export class WasmFunction {
  readonly locals: WasmType[] = [];
  readonly buffers = new Map<string, BufferLocal>();
  /** Pointers of the innermost loop, when addresses in it advance by constants. */
  pointers: Pointers | undefined;
  body: Ref[] = [];
  /** Something in it is other code where threads share the memory. */
  isAtomic = false;
  /** Registers that an expression reads, since somebody asked last (`isRead`). */
  private readonly read = new Set<string>();
  private readonly registers = new Map<string, number>();
  private readonly constants = new Map<string, number>();
  private readonly preamble: Ref[] = [];
  private labels = 0;

  constructor(
    readonly features: WasmFeatures,
    readonly functions: FunctionTable,
    readonly name: string,
    readonly parameters: readonly WasmType[],
  ) {}

  /** A local of its own. */
  local(type: WasmType): number {
    this.locals.push(type);
    return this.parameters.length + this.locals.length - 1;
  }

  bind(name: string, local: number): void {
    this.registers.set(name, local);
  }

  /** A local for the register `name`. */
  define(name: string, type: RegisterType): number {
    const local = this.local(wasmType(type, this.name));
    this.registers.set(name, local);
    return local;
  }

  register(name: string): number {
    const local = this.registers.get(name);
    if (local === undefined) throw new TypeError(`kernel ${this.name}: register ${name} is not defined`);
    return local;
  }

  /** The local of a register whose value an expression takes. */
  value(name: string): number {
    this.read.add(name);
    return this.register(name);
  }

  /** Whether what `write` emits reads the register. */
  isRead(name: string, write: () => void): boolean {
    this.read.delete(name);
    write();
    return this.read.has(name);
  }

  buffer(name: string): BufferLocal {
    const buffer = this.buffers.get(name);
    if (!buffer) throw new TypeError(`kernel ${this.name}: ${name} is no buffer`);
    return buffer;
  }

  emit(ref: Ref): void {
    this.body.push(ref);
  }

  label(): string {
    return `l${this.labels++}`;
  }

  /**
   * A vector constant. It lies in a local that the function sets at its start, because the engine does not take
   * constants out of loops.
   */
  vectorConstant(bytes: Uint8Array): Ref {
    const key = String(bytes);
    let local = this.constants.get(key);
    if (local === undefined) {
      local = this.local(wasm.types.v128);
      this.constants.set(key, local);
      this.preamble.push(wasm.local.set(local, wasm.v128.const(bytes)));
    }
    return wasm.local.get(local);
  }

  /** Evaluate once, use several times: `set` goes where the value is first needed. */
  shared(value: Ref, type: WasmType): { readonly tee: Ref; readonly again: () => Ref } {
    const local = this.local(type);
    return { tee: wasm.local.tee(local, value), again: () => wasm.local.get(local) };
  }

  call(name: string, make: () => FunctionBody, operand: Ref): Ref {
    return wasm.call(this.functions.function(name, make), [operand]);
  }

  /** The statements that `write` emits, as one block. */
  nested(write: () => void): Ref {
    const outer = this.body;
    this.body = [];
    write();
    const block = this.body.length === 1 ? this.body[0]! : wasm.block(this.body);
    this.body = outer;
    return block;
  }

  /** Everything, with the vector constants first. */
  finished(): Code {
    return { locals: this.locals, body: wasm.block([...this.preamble, ...this.body]) };
  }
}

/** How expressions become instructions; passed along to keep the files apart. */
export type EmitExpression = (f: WasmFunction, expression: Expression) => Ref;
