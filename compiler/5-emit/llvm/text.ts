/** Types and constants of LLVM IR. */
import type { MemoryType, RegisterType } from "../../4-schedule/kernel-ir.js";

const elements: Readonly<Record<RegisterType["element"], string>> = {
  f32: "float",
  i32: "i32",
  i16: "i16",
  i8: "i8",
  bool: "i1",
};

export const vectorOf = (element: string, lanes: number): string => (lanes === 1 ? element : `<${lanes} x ${element}>`);

export const llvmType = ({ element, lanes }: RegisterType): string => vectorOf(elements[element], lanes);

/** What lies in memory. bf16 is kept as its bits. */
export const llvmMemory: Readonly<Record<MemoryType, string>> = {
  f32: "float",
  f16: "half",
  bf16: "i16",
  i32: "i32",
  i16: "i16",
  i8: "i8",
  u8: "i8",
};

/** A scalar constant. An f32 is written as the bits of the f64 with its value, which is exact. */
export function scalarConstant(element: RegisterType["element"], value: number): string {
  if (element === "bool") return value ? "true" : "false";
  if (element !== "f32") return String(value);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return `0x${view.getBigUint64(0).toString(16).toUpperCase().padStart(16, "0")}`;
}

export function constantText(type: RegisterType, value: number): string {
  const scalar = scalarConstant(type.element, value);
  return type.lanes === 1 ? scalar : lanesText(type, Array<string>(type.lanes).fill(scalar));
}

/** A vector constant from the texts of its lanes. */
export const lanesText = ({ element }: RegisterType, lanes: readonly string[]): string =>
  `<${lanes.map((lane) => `${elements[element]} ${lane}`).join(", ")}>`;

/** Which lanes a shufflevector takes. */
export const lanesMask = (lanes: readonly number[]): string =>
  `<${lanes.length} x i32> <${lanes.map((lane) => `i32 ${lane}`).join(", ")}>`;

/** Suffix of an intrinsic for f32 lanes: `f32`, `v8f32`. */
export const overload = (element: string, lanes: number): string => (lanes === 1 ? element : `v${lanes}${element}`);

/**
 * The same module with opaque pointers, which LLVM 17 and later demand: every type with stars becomes `ptr`. No other
 * token of what is printed here ends in a star; comments are left out.
 */
export function withOpaquePointers(text: string): string {
  const line = (code: string): string =>
    code.startsWith(";")
      ? code
      : code
          .replace(/(?:\[\d+ x \w+\]|<\d+ x \w+>|\b\w+(?: \([\w, *.]*\))?)\*+/g, "ptr")
          // Intrinsics have the types of their pointers in their names.
          .replace(/\.p0i8\(/g, ".p0(");
  return text.split("\n").map(line).join("\n");
}
