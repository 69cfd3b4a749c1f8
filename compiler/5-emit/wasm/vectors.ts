/** Instruction names of unary and binary operations by element, for scalars and for 128-bit vectors. */
import type { BinaryOp, RegisterType } from "../../4-schedule/kernel-ir.js";
import type { Ref, WasmModule } from "./binary.js";

type Two = (left: Ref, right: Ref) => Ref;

/** Signed comparisons of integers have a suffix in WebAssembly, those of floats have none. */
const compared: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["lt", "le", "gt", "ge"]);

/** A scalar instruction, or undefined where WebAssembly has none (min and max of integers). */
export function scalarBinary(m: WasmModule, op: BinaryOp, element: "f32" | "i32"): Two | undefined {
  if (element === "f32") {
    const table = m.f32 as unknown as Readonly<Record<string, Two | undefined>>;
    return table[op];
  }
  const names: Readonly<Partial<Record<BinaryOp, string>>> = {
    div: "div_s",
    rem: "rem_s",
    shr: "shr_s",
    shru: "shr_u",
  };
  const name = names[op] ?? (compared.has(op) ? `${op}_s` : op);
  return op === "min" || op === "max"
    ? undefined
    : (m.i32 as unknown as Readonly<Record<string, Two | undefined>>)[name];
}

export type VectorShape = "f32x4" | "i32x4" | "i16x8" | "i8x16";

/** The instruction family of a vector type; the masks of bool lanes are integers of the same width. */
export function shapeOf(type: RegisterType): VectorShape {
  if (type.element === "f32") return "f32x4";
  return type.lanes === 4 ? "i32x4" : type.lanes === 8 ? "i16x8" : "i8x16";
}

/** A vector instruction, or undefined where WebAssembly has none (division and remainder of integers). */
export function vectorBinary(m: WasmModule, op: BinaryOp, type: RegisterType): Two | undefined {
  if (op === "and" || op === "or" || op === "xor") return (left, right) => m.v128[op](left, right);
  const shape = shapeOf(type);
  const table = m[shape] as unknown as Readonly<Record<string, Two | undefined>>;
  if (shape === "f32x4") return table[op];
  if (op === "shr" || op === "shru") return table[op === "shr" ? "shr_s" : "shr_u"];
  return table[compared.has(op) || op === "min" || op === "max" ? `${op}_s` : op];
}
