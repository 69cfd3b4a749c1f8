/** How WGSL spells the lanes of kernel IR. */
import type { BinaryOp } from "../../4-schedule/kernel-ir.js";
import { moecError } from "../../errors/raise.js";
import type { Dialect, Scalar } from "../lanes/dialect.js";

const signs: Readonly<Partial<Record<BinaryOp, string>>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

function constant(type: Scalar, value: number): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "i32") return value < 0 ? `(${value})` : String(value);
  // No constant expression of WGSL may be infinite or NaN: the bits come from variables.
  if (Number.isNaN(value)) return "bitcast<f32>(moec_nan)";
  if (!Number.isFinite(value)) return value > 0 ? "bitcast<f32>(moec_infinity)" : "(-bitcast<f32>(moec_infinity))";
  const text = `${Object.is(value, -0) ? "-0.0" : value}f`;
  return text.startsWith("-") ? `(${text})` : text;
}

const isConstant = (text: string): boolean => /^\(?-?[\d.e+-]+f?\)?$|^true$|^false$/.test(text);

/**
 * An operand that is no constant expression when all operands are: the compiler of WGSL evaluates constants and refuses
 * a module for an overflow or an infinity that a value at run time may well have.
 */
function operand(type: Scalar, a: string, ...others: readonly string[]): string {
  return [a, ...others].every(isConstant) ? `moec_value_${type}(${a})` : a;
}

function binary(op: BinaryOp, type: Scalar, left: string, b: string): string {
  const a = operand(type, left, b);
  switch (op) {
    case "min":
    case "max":
      return type === "f32" ? `moec_${op}(${a}, ${b})` : `${op}(${a}, ${b})`;
    case "shl":
      return `(${a} << u32(${b}))`;
    case "shr":
      return `(${a} >> u32(${b}))`;
    case "shru":
      return `bitcast<i32>(bitcast<u32>(${a}) >> u32(${b}))`;
    case "xor":
      return type === "bool" ? `(${a} != ${b})` : `(${a} ^ ${b})`;
    default:
      return `(${a} ${signs[op]!} ${b})`;
  }
}

/** All but memory, which depends on how the buffers are declared. */
export const wgslDialect: Omit<Dialect, "load" | "store" | "atomicAdd"> = {
  declare: (mutable, type, name, value) =>
    mutable ? `var ${name}: ${type} = ${value};` : `let ${name}: ${type} = ${value};`,
  keep: (name, value) => `let ${name} = ${value};`,
  constant,
  binary,
  unary(op, type, value) {
    const a = operand(type, value);
    if (op === "not") return type === "bool" ? `!${a}` : `~${a}`;
    return op === "neg" ? `(-${a})` : `${op}(${a})`;
  },
  select: (_, condition, yes, no) => `select(${no}, ${yes}, ${condition})`,
  // A driver may make one operation of it; software drivers call a library function for `fma`.
  fma: (a, b, c) => `((${operand("f32", a, b, c)}) * (${b}) + (${c}))`,
  convert: (from, to, a) => (from === "f32" ? `moec_i32(${a})` : `${to}(${a})`),
  bits: (to, a) => `bitcast<${to}>(${operand(to === "f32" ? "i32" : "f32", a)})`,
  signed: (width, a) => `extractBits(${a}, 0u, ${width}u)`,
  dotBytes: (a, b, c) => `(dot4I8Packed(bitcast<u32>(${a}), bitcast<u32>(${b})) + ${c})`,
  blockFold(op, type, value, across) {
    if (across !== undefined) {
      throw moecError("MOE4240", { target: "WebGPU", lacks: "registers that threads hand each other" });
    }
    return `moec_fold_${op}_${type}(${value}, moec_thread)`;
  },
  ignore: (value) => `_ = ${value};`,
  loop: (name, from, to, step) => `for (var ${name}: i32 = ${from}; ${name} < ${to}; ${name} += ${step}) {`,
  barrier: ["workgroupBarrier();", "storageBarrier();"],
  block: "moec_block",
  thread: "moec_thread",
  functionHead: (name, parameter, from, to) => `fn ${name}(${parameter}: ${from}) -> ${to} {`,
};

/** Functions and variables that the dialect names. */
export const wgslPrelude = `var<private> moec_infinity: u32 = 0x7f800000u;
var<private> moec_nan: u32 = 0x7fc00000u;

fn moec_value_f32(a: f32) -> f32 { return a; }
fn moec_value_i32(a: i32) -> i32 { return a; }
fn moec_value_bool(a: bool) -> bool { return a; }
fn moec_is_nan(a: f32) -> bool {
  return (bitcast<u32>(a) & 0x7fffffffu) > 0x7f800000u;
}
// NaN when either is NaN, and -0 before 0. Without branches: drivers put functions in place of their calls.
fn moec_min(a: f32, b: f32) -> f32 {
  let least = select(min(a, b), bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b)), a == b);
  return select(least, bitcast<f32>(moec_nan), moec_is_nan(a) | moec_is_nan(b));
}
fn moec_max(a: f32, b: f32) -> f32 {
  let greatest = select(max(a, b), bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b)), a == b);
  return select(greatest, bitcast<f32>(moec_nan), moec_is_nan(a) | moec_is_nan(b));
}
// Toward zero, saturating, NaN to 0.
fn moec_i32(a: f32) -> i32 {
  let whole = i32(clamp(a, -2147483648.0f, 2147483520.0f));
  return select(select(whole, 2147483647, a >= 2147483648.0f), 0, moec_is_nan(a));
}
`;
