/** Instructions of unary and binary operations by element, for scalars and for 128-bit vectors. */
import type { BinaryOp, RegisterType, UnaryOp } from "../../4-schedule/kernel-ir.js";
import * as wasm from "./instructions.js";
import type { One, Two } from "./instructions.js";

type Table = Readonly<Partial<Record<BinaryOp, Two>>>;

/** Integers whose comparisons and shifts to the right have a suffix for their sign. */
type Integers = Readonly<Record<"lt_s" | "le_s" | "gt_s" | "ge_s" | "shr_s" | "shr_u", Two>>;

const signed = ({ lt_s, le_s, gt_s, ge_s, shr_s, shr_u }: Integers): Table => {
  return { lt: lt_s, le: le_s, gt: gt_s, ge: ge_s, shr: shr_s, shru: shr_u };
};

const smallerAndLarger = ({ min_s, max_s }: Readonly<Record<"min_s" | "max_s", Two>>): Table => {
  return { min: min_s, max: max_s };
};

const { i32, i8x16, i16x8, i32x4 } = wasm;
const scalars: Readonly<Record<"f32" | "i32", Table>> = {
  f32: wasm.f32,
  i32: { ...i32, ...signed(i32), div: i32.div_s, rem: i32.rem_s },
};

export type VectorShape = "f32x4" | "i32x4" | "i16x8" | "i8x16";

const vectors: Readonly<Record<VectorShape, Table>> = {
  f32x4: wasm.f32x4,
  i32x4: { ...i32x4, ...signed(i32x4), ...smallerAndLarger(i32x4) },
  i16x8: { ...i16x8, ...signed(i16x8), ...smallerAndLarger(i16x8) },
  i8x16: { ...i8x16, ...signed(i8x16), ...smallerAndLarger(i8x16) },
};

type Unary = Readonly<Partial<Record<UnaryOp, One>>>;

const unaries: Readonly<Record<VectorShape | "f32", Unary>> = {
  f32: { ...wasm.f32, round: wasm.f32.nearest },
  f32x4: { ...wasm.f32x4, round: wasm.f32x4.nearest },
  ...{ i32x4, i16x8, i8x16 },
};

/** A scalar instruction, or undefined where WebAssembly has none (min and max of integers). */
export function scalarBinary(op: BinaryOp, element: "f32" | "i32"): Two | undefined {
  return scalars[element][op];
}

/** The instruction family of a vector type; the masks of bool lanes are integers of the same width. */
export function shapeOf(type: RegisterType): VectorShape {
  if (type.element === "f32") return "f32x4";
  return type.lanes === 4 ? "i32x4" : type.lanes === 8 ? "i16x8" : "i8x16";
}

/** A vector instruction, or undefined where WebAssembly has none (division and remainder of integers). */
export function vectorBinary(op: BinaryOp, type: RegisterType): Two | undefined {
  if (op === "and" || op === "or" || op === "xor") return wasm.v128[op];
  return vectors[shapeOf(type)][op];
}

/** The instruction of a unary operation on f32 or on vectors, or undefined where WebAssembly has none. */
export function unary(op: UnaryOp, type: RegisterType): One | undefined {
  return unaries[type.lanes === 1 ? "f32" : shapeOf(type)][op];
}
