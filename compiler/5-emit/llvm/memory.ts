/** Loads and stores of every memory type, with the alignment of one element. */
import { conversionBody } from "../../4-schedule/kernel-conversions.js";
import type { Expression, MemoryType, Statement } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import type { LlvmFunction, Value } from "./function.js";
import { inline } from "./inline.js";
import { llvmMemory, llvmType, vectorOf } from "./text.js";

export type EmitExpression = (f: LlvmFunction, expression: Expression) => Value;

/** Index without its constant part, which becomes part of the addressing mode. */
function split(index: Expression): { readonly rest: Expression | undefined; readonly constant: number } {
  if (index.kind === "constant") return { rest: undefined, constant: index.value };
  if (index.kind === "binary" && index.op === "add" && index.right.kind === "constant") {
    return { rest: index.left, constant: index.right.value };
  }
  return { rest: index, constant: 0 };
}

/**
 * How an address is used. Repeated words of integers are operands in memory of the instructions that use them, and x86-64
 * makes two operations of one whose address has two registers, so such addresses are held in one register. Repeated
 * floats are shared by several vectors and so loaded once: for them a register is only moved in vain.
 */
type AddressUse = "access" | "word";

/** The address of the element that a register counts. */
function indexed(f: LlvmFunction, buffer: string, register: Value, use: AddressUse): string {
  const { element, pointer } = f.buffer(buffer);
  const isHeld = use === "word" && f.target.codegen?.architecture === "x86-64";
  const name = `${buffer}[${register.text}]`;
  const known = isHeld ? f.find(name) : undefined;
  if (known) return known.text;
  const unit = memoryBytes[element];
  const wide = f.value("i64", `sext i32 ${register.text} to i64`, "index");
  const bytes = unit === 1 ? wide : f.value("i64", `shl i64 ${wide.text}, ${Math.log2(unit)}`, "bytes");
  const sum = f.value("i8*", `getelementptr i8, i8* ${pointer}, i64 ${bytes.text}`, "at");
  if (!isHeld) return sum.text;
  // Code generation cannot look through the empty text and take the sum apart again.
  const held = f.value("i8*", `call i8* asm "", "=r,0"(i8* ${sum.text})`, "held");
  f.bind(name, held);
  return held.text;
}

/** A pointer to `type` at an index that counts the buffer's own elements. */
export function elementPointer(
  f: LlvmFunction,
  buffer: string,
  type: string,
  index: Expression,
  emit: EmitExpression,
  use: AddressUse = "access",
): string {
  const { element, pointer } = f.buffer(buffer);
  const { rest, constant } = split(index);
  let address = rest ? indexed(f, buffer, emit(f, rest), use) : pointer;
  if (constant !== 0) {
    const bytes = constant * memoryBytes[element];
    address = f.value("i8*", `getelementptr i8, i8* ${address}, i64 ${bytes}`, "at").text;
  }
  return type === "i8" ? address : f.value(`${type}*`, `bitcast i8* ${address} to ${type}*`, "p").text;
}

export function emitLoad(
  f: LlvmFunction,
  load: Expression & { kind: "load" },
  emit: EmitExpression,
  use: AddressUse = "access",
): Value {
  const memory = load.as ?? f.buffer(load.buffer).element;
  const { type } = load;
  const raw = vectorOf(llvmMemory[memory], type.lanes);
  const pointer = elementPointer(f, load.buffer, raw, load.index, emit, use);
  const loaded = f.value(raw, `load ${raw}, ${raw}* ${pointer}, align ${memoryBytes[memory]}`, load.buffer);
  const result = llvmType(type);
  switch (memory) {
    case "f32":
    case "i32":
      return loaded;
    case "f16":
      return f.value(result, `fpext ${raw} ${loaded.text} to ${result}`);
    case "bf16": {
      const bits = vectorOf("i32", type.lanes);
      const wide = f.value(bits, `zext ${raw} ${loaded.text} to ${bits}`);
      const sixteen = type.lanes === 1 ? "16" : `<${Array<string>(type.lanes).fill("i32 16").join(", ")}>`;
      const shifted = f.value(bits, `shl ${bits} ${wide.text}, ${sixteen}`);
      return f.value(result, `bitcast ${bits} ${shifted.text} to ${result}`);
    }
    case "i16":
    case "i8":
    case "u8":
      if (raw === result) return loaded;
      return f.value(result, `${memory === "u8" ? "zext" : "sext"} ${raw} ${loaded.text} to ${result}`);
  }
}

export function emitStore(f: LlvmFunction, store: Statement & { kind: "store" }, emit: EmitExpression): void {
  const memory = store.as ?? f.buffer(store.buffer).element;
  const { lanes } = store.value.type;
  const value = stored(f, memory, emit(f, store.value), lanes);
  const pointer = elementPointer(f, store.buffer, value.type, store.index, emit);
  f.line(`store ${value.type} ${value.text}, ${value.type}* ${pointer}, align ${memoryBytes[memory]}`);
}

/** Into the second cache: the first one is full of what is being multiplied. */
export function emitPrefetch(f: LlvmFunction, statement: Statement & { kind: "prefetch" }, emit: EmitExpression): void {
  const pointer = elementPointer(f, statement.buffer, "i8", statement.index, emit);
  const i32 = (value: number): Value => ({ type: "i32", text: String(value) });
  // For reading, with locality 2 of 3, as data.
  f.effect("llvm.prefetch.p0i8", [{ type: "i8*", text: pointer }, i32(0), i32(2), i32(1)]);
}

/** What goes to memory for a register. Half types are rounded by arithmetic on bits, the same on every target. */
function stored(f: LlvmFunction, memory: MemoryType, value: Value, lanes: number): Value {
  let bits = value;
  if (memory === "f16" || memory === "bf16") {
    bits = inline(f, conversionBody(memory === "f16" ? "f32-to-f16" : "f32-to-bf16", lanes), value);
  }
  const narrow = vectorOf(memory === "f16" ? "i16" : llvmMemory[memory], lanes);
  return bits.type === narrow ? bits : f.value(narrow, `trunc ${bits.type} ${bits.text} to ${narrow}`);
}
