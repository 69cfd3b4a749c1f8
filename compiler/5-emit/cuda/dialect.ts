/** How CUDA C++ spells the lanes of kernel IR. */
import type { BinaryOp, MemoryType, UnaryOp } from "../../4-schedule/kernel-ir.js";
import { memoryBytes } from "../../4-schedule/kernel-types.js";
import type { Dialect, PrintedPlace, Scalar } from "../lanes/dialect.js";
import { cudaFragment } from "./fragments.js";

export const cudaScalar: Readonly<Record<Scalar, string>> = { f32: "float", i32: "int", bool: "bool" };

/** Types of memory. f16 and bf16 are kept as their bits. */
export const cudaMemory: Readonly<Record<MemoryType, string>> = {
  f32: "float",
  f16: "unsigned short",
  bf16: "unsigned short",
  i32: "int",
  i16: "short",
  i8: "signed char",
  u8: "unsigned char",
};

const signs: Readonly<Partial<Record<BinaryOp, string>>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  rem: "%",
  and: "&",
  or: "|",
  xor: "^",
  shl: "<<",
  shr: ">>",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

function constant(type: Scalar, value: number): string {
  if (type === "bool") return value ? "true" : "false";
  if (type === "i32") return value === -(2 ** 31) ? "(-2147483647 - 1)" : value < 0 ? `(${value})` : String(value);
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "moec_float(0x7fc00000)" : `moec_float(${value > 0 ? "0x7f800000" : "0xff800000"})`;
  }
  const digits = Object.is(value, -0) ? "-0.0" : String(value);
  const text = /[.e]/.test(digits) ? `${digits}f` : `${digits}.0f`;
  return text.startsWith("-") ? `(${text})` : text;
}

function binary(op: BinaryOp, type: Scalar, a: string, b: string, index: boolean): string {
  if (op === "min" || op === "max") return `moec_${op}(${a}, ${b})`;
  if (op === "shru") return `(int)((unsigned)${a} >> ${b})`;
  if (op === "shl") return `(int)((unsigned)${a} << ${b})`;
  if (type === "bool" && op === "and") return `(${a} && ${b})`;
  if (type === "bool" && op === "or") return `(${a} || ${b})`;
  if (type === "bool" && op === "xor") return `(${a} != ${b})`;
  // Signed overflow has no meaning in C++; kernel IR wraps. An index never overflows and stays in sight of the optimizer.
  const wraps = type === "i32" && !index && (op === "add" || op === "sub" || op === "mul");
  return wraps ? `moec_${op}(${a}, ${b})` : `(${a} ${signs[op]!} ${b})`;
}

function unary(op: Parameters<Dialect["unary"]>[0], type: Scalar, a: string): string {
  const functions: Readonly<Partial<Record<UnaryOp, string>>> = {
    abs: "fabsf",
    floor: "floorf",
    ceil: "ceilf",
    round: "rintf",
    sqrt: "sqrtf",
  };
  if (op === "not") return type === "bool" ? `!${a}` : `~${a}`;
  if (type === "i32") return op === "abs" ? `moec_abs(${a})` : `moec_sub(0, ${a})`;
  return op === "neg" ? `(-${a})` : `${functions[op]!}(${a})`;
}

/** The element as an lvalue. */
function element({ buffer, memory, index, lane }: PrintedPlace): string {
  const plus = (first: string): string => (lane === 0 ? first : `${first} + ${lane}`);
  if (memory === buffer.element) return `${buffer.name}[${plus(index)}]`;
  const constness = buffer.access === "read" ? "const " : "";
  const [size, unit] = [memoryBytes[memory], memoryBytes[buffer.element]];
  const pointer = `reinterpret_cast<${constness}${cudaMemory[memory]}*>(${buffer.name})`;
  if (size === unit) return `${pointer}[${plus(index)}]`;
  if (unit > size) return `${pointer}[${plus(`(long long)${index} * ${unit / size}`)}]`;
  // Never below zero, and divided as such: so the compiler still sees which places are aligned.
  return `${pointer}[${plus(`(unsigned)${index} / ${size / unit}`)}]`;
}

/** Four words at once, or two, from where their place is a multiple of their size. */
const wideWords: Readonly<Record<"f32" | "i32", readonly [string, string]>> = {
  f32: ["float2", "float4"],
  i32: ["int2", "int4"],
};

export const cudaDialect: Dialect = {
  declare: (mutable, type, name, value) => `${mutable ? "" : "const "}${cudaScalar[type]} ${name} = ${value};`,
  keep: (name, value) => `const auto ${name} = ${value};`,
  constant,
  binary,
  unary,
  select: (_, condition, yes, no) => `(${condition} ? ${yes} : ${no})`,
  fma: (a, b, c) => `fmaf(${a}, ${b}, ${c})`,
  convert(from, to, a) {
    if (from === "bool") return `(${cudaScalar[to]})(${a})`;
    return to === "f32" ? `__int2float_rn(${a})` : `__float2int_rz(${a})`;
  },
  bits: (to, a) => (to === "f32" ? `__int_as_float(${a})` : `__float_as_int(${a})`),
  signed: (width, a) => `(int)(${width === 8 ? "signed char" : "short"})(${a})`,
  dotBytes: (a, b, c) => `__dp4a(${a}, ${b}, ${c})`,
  load(place) {
    const value = element(place);
    if (place.memory === "f16") return `moec_from_f16(${value})`;
    if (place.memory === "bf16") return `__int_as_float((int)((unsigned)${value} << 16))`;
    return place.memory === "f32" || place.memory === "i32" ? value : `(int)${value}`;
  },
  loadVector({ buffer, memory, index }, lanes, keep) {
    const bytes = lanes * memoryBytes[memory];
    if ((memory !== "f32" && memory !== "i32" && memory !== "f16") || (bytes !== 8 && bytes !== 16)) return undefined;
    const type = wideWords[memory === "f32" ? "f32" : "i32"][bytes / 8 - 1]!;
    const constness = buffer.access === "read" ? "const " : "";
    const per = bytes / memoryBytes[buffer.element];
    const whole = keep(`reinterpret_cast<${constness}${type}*>(${buffer.name})[(unsigned)${index} / ${per}]`);
    const words = ["x", "y", "z", "w"].slice(0, bytes / 4).map((field) => `${whole}.${field}`);
    if (memory !== "f16") return words;
    return words.flatMap((word) => [0, 16].map((up) => `moec_from_f16((unsigned short)((unsigned)${word} >> ${up}))`));
  },
  store(place, value, half) {
    const target = element(place);
    if (place.memory === "f16") return [`${target} = moec_to_f16(${value});`];
    if (place.memory === "bf16") return [`${target} = (unsigned short)${half("f32-to-bf16", value)};`];
    if (place.memory === "f32" || place.memory === "i32") return [`${target} = ${value};`];
    return [`${target} = (${cudaMemory[place.memory]})(${value});`];
  },
  atomicAdd: (place, value) => `atomicAdd(&${element(place)}, ${value})`,
  blockFold: (op, type, value, across) =>
    across === undefined
      ? `moec_fold_${op}<moec_threads>(moec_folded_${type}, ${value}, moec_thread)`
      : `moec_fold_${op}_across<${across}>(${value})`,
  fragment: cudaFragment,
  ignore: (value) => `${value};`,
  loop: (name, from, to, step) => `for (int ${name} = ${from}; ${name} < ${to}; ${name} += ${step}) {`,
  barrier: ["__syncthreads();"],
  block: "moec_block",
  thread: "moec_thread",
  functionHead: (name, parameter, from, to) =>
    `__device__ static __forceinline__ ${cudaScalar[to]} ${name}(const ${cudaScalar[from]} ${parameter}) {`,
};
