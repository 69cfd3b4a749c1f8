/** Loads and stores: every memory type to and from scalar and vector registers. */
import { conversionBody } from "../../4-schedule/kernel-conversions.js";
import type { Expression, MemoryType, RegisterType, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes, typeText } from "../../4-schedule/kernel-types.js";
import { moecError } from "../../errors/raise.js";
import type { EmitExpression, WasmFunction } from "./function.js";
import { inline } from "./inline.js";
import * as wasm from "./instructions.js";
import type { Ref } from "./instructions.js";
import { splitOffset } from "./pointers.js";

/** Base address and the constant offset of the instruction. */
export interface Address {
  readonly base: Ref;
  readonly offset: number;
}

export function addressOf(f: WasmFunction, buffer: string, index: Expression, emit: EmitExpression): Address {
  const { local, element } = f.buffer(buffer);
  const unit = memoryBytes[element];
  const pointer = f.pointers?.find(buffer, unit, index);
  if (pointer) return { base: wasm.local.get(pointer.local), offset: pointer.offset };
  const start = wasm.local.get(local);
  if (index.kind === "constant" && splitOffset(index.value, unit).rest === 0) {
    return { base: start, offset: index.value * unit };
  }
  if (index.kind === "binary" && index.op === "add" && index.right.kind === "constant") {
    const { offset, rest } = splitOffset(index.right.value, unit);
    if (rest === 0) return { base: wasm.i32.add(start, bytes(emit(f, index.left), unit)), offset };
  }
  return { base: wasm.i32.add(start, bytes(emit(f, index), unit)), offset: 0 };
}

function bytes(index: Ref, unit: number): Ref {
  return unit === 1 ? index : wasm.i32.shl(index, wasm.i32.const(Math.log2(unit)));
}

const halves = { f16: "f16-to-f32", bf16: "bf16-to-f32" } as const;

export function emitLoad(f: WasmFunction, load: Expression & { kind: "load" }, emit: EmitExpression): Ref {
  const memory = load.as ?? f.buffer(load.buffer).element;
  const { base, offset } = addressOf(f, load.buffer, load.index, emit);
  if (load.finite && memory === "f16") return finiteHalf(f, load.type, base, offset);
  if (load.type.lanes === 1) return scalarLoad(f, memory, base, offset);
  return vectorLoad(f, memory, load.type, base, offset);
}

/** f16 without infinities and NaN: three instructions instead of seven. */
function finiteHalf(f: WasmFunction, type: RegisterType, base: Ref, offset: number): Ref {
  const body = conversionBody("finite-f16-to-f32", type.lanes);
  if (type.lanes === 1) return inline(f, body, wasm.i32.load16_s(offset, 2, base), wasm.types.i32);
  return inline(f, body, wasm.v128.load16x4_s(offset, 2, base), wasm.types.v128);
}

function scalarLoad(f: WasmFunction, memory: MemoryType, base: Ref, offset: number): Ref {
  switch (memory) {
    case "f32":
      return wasm.f32.load(offset, 4, base);
    case "i32":
      return wasm.i32.load(offset, 4, base);
    case "i16":
      return wasm.i32.load16_s(offset, 2, base);
    case "i8":
      return wasm.i32.load8_s(offset, 1, base);
    case "u8":
      return wasm.i32.load8_u(offset, 1, base);
    case "f16":
    case "bf16":
      return inline(f, conversionBody(halves[memory], 1), wasm.i32.load16_u(offset, 2, base), wasm.types.i32);
  }
}

function vectorLoad(f: WasmFunction, memory: MemoryType, type: RegisterType, base: Ref, offset: number): Ref {
  const { v128, i16x8, i32x4 } = wasm;
  if (memory === "f16" || memory === "bf16") {
    return inline(f, conversionBody(halves[memory], 4), v128.load16x4_u(offset, 2, base), wasm.types.v128);
  }
  const signed = memory !== "u8";
  switch (type.element) {
    case "f32":
    case "i8":
      return v128.load(offset, memoryBytes[memory], base);
    case "i16":
      if (memory === "i16") return v128.load(offset, 2, base);
      return signed ? v128.load8x8_s(offset, 1, base) : v128.load8x8_u(offset, 1, base);
    case "i32": {
      if (memory === "i32") return v128.load(offset, 4, base);
      if (memory === "i16") return v128.load16x4_s(offset, 2, base);
      const four = v128.load32_zero(offset, 1, base);
      return signed
        ? i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(four))
        : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(four));
    }
    case "bool":
      throw moecError("MOE4501", { kernel: f.name, type: typeText(type) });
  }
}

/** A scalar load that fills all lanes in one instruction, or undefined when the memory type has none. */
export function emitSplatLoad(
  f: WasmFunction,
  load: Expression & { kind: "load" },
  emit: EmitExpression,
): Ref | undefined {
  const memory = load.as ?? f.buffer(load.buffer).element;
  if (memory !== "f32" && memory !== "i32") return undefined;
  const { base, offset } = addressOf(f, load.buffer, load.index, emit);
  return wasm.v128.load32_splat(offset, 4, base);
}

/** The low byte of each i16 or i32 lane, or the low half of each i32 lane, packed to the front. */
const packing = {
  "i32 to 1": [0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  "i32 to 2": [0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0],
  "i16 to 1": [0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0],
} as const;

export function emitStore(f: WasmFunction, store: Statement & { kind: "store" }, emit: EmitExpression): Ref {
  const memory = store.as ?? f.buffer(store.buffer).element;
  const { type } = store.value;
  const { base, offset } = addressOf(f, store.buffer, store.index, emit);
  const value = emit(f, store.value);
  const half = memory === "f16" || memory === "bf16";
  const bits = half ? toHalf(f, memory, value, type.lanes) : value;
  if (type.lanes === 1) return scalarStore(memory, base, offset, bits);
  const element = half ? "i32" : type.element;
  const packed = (lanes: keyof typeof packing): Ref => {
    const { tee, again } = f.shared(bits, wasm.types.v128);
    return wasm.i8x16.shuffle(tee, again(), packing[lanes]);
  };
  if (element === "i32" && memory !== "i32") {
    return memoryBytes[memory] === 1
      ? wasm.v128.store32_lane(offset, 1, 0, base, packed("i32 to 1"))
      : wasm.v128.store64_lane(offset, 2, 0, base, packed("i32 to 2"));
  }
  if (element === "i16" && memoryBytes[memory] === 1)
    return wasm.v128.store64_lane(offset, 1, 0, base, packed("i16 to 1"));
  return wasm.v128.store(offset, memoryBytes[memory], base, bits);
}

function toHalf(f: WasmFunction, memory: "f16" | "bf16", value: Ref, lanes: number): Ref {
  const conversion = memory === "f16" ? "f32-to-f16" : "f32-to-bf16";
  return f.call(`${conversion}.${lanes}`, () => conversionBody(conversion, lanes), value);
}

function scalarStore(memory: MemoryType, base: Ref, offset: number, value: Ref): Ref {
  switch (memory) {
    case "f32":
      return wasm.f32.store(offset, 4, base, value);
    case "i32":
      return wasm.i32.store(offset, 4, base, value);
    case "i16":
    case "f16":
    case "bf16":
      return wasm.i32.store16(offset, 2, base, value);
    case "i8":
    case "u8":
      return wasm.i32.store8(offset, 1, base, value);
  }
}
