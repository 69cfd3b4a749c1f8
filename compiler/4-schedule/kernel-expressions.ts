/**
 * Constructors of kernel IR expressions: they find the type, splat scalars to the lanes of the other operand, take
 * numbers for constants and fold the index arithmetic that schedules produce (`x + 0`, `(x + 4) + 8`). Types that do not
 * fit are a mistake in the schedule and throw TypeError.
 *
 * @example add(mul(row, 64), lane)         // i32 scalar
 * @example mul(loadedVector, 0.5)          // f32x4
 */
import type { BinaryOp, Expression, RegisterType, UnaryOp } from "./kernel-ir.js";
import { bool, elementBits, registerType, sameType, typeText } from "./kernel-types.js";

/** An expression, or a number that takes the type of the other operand. */
export type Operand = Expression | number;

function fail(what: string, ...types: readonly RegisterType[]): never {
  throw new TypeError(`kernel expression: ${what} does not take ${types.map(typeText).join(", ")}`);
}

/** A constant: every lane has the same value. f32 constants are rounded to f32. */
export function constant(value: number, type: RegisterType = registerType("i32")): Expression {
  const exact = type.element === "f32" ? Math.fround(value) : type.element === "bool" ? Number(value !== 0) : value | 0;
  if (type.element !== "f32" && exact !== value)
    throw new TypeError(`kernel constant: ${value} is no ${typeText(type)}`);
  return { kind: "constant", value: exact, type };
}

export const get = (name: string, type: RegisterType): Expression => ({ kind: "get", name, type });
export const block: Expression = { kind: "block", type: registerType("i32") };
export const thread: Expression = { kind: "thread", type: registerType("i32") };

/** Both operands with one type: numbers become constants, scalars are splatted to the lanes of the other. */
function pair(op: string, a: Operand, b: Operand): readonly [Expression, Expression] {
  if (typeof a === "number") {
    if (typeof b === "number") return [constant(a), constant(b)];
    return [constant(a, b.type), b];
  }
  if (typeof b === "number") return [a, constant(b, a.type)];
  if (a.type.element !== b.type.element) fail(op, a.type, b.type);
  if (a.type.lanes === b.type.lanes) return [a, b];
  if (a.type.lanes === 1) return [splat(a, b.type.lanes), b];
  if (b.type.lanes === 1) return [a, splat(b, a.type.lanes)];
  return fail(op, a.type, b.type);
}

const comparisons: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["eq", "ne", "lt", "le", "gt", "ge"]);
const shifts: ReadonlySet<BinaryOp> = new Set<BinaryOp>(["shl", "shr", "shru"]);

/** Whether `op` exists on lanes of this element. i8 has no mul; only f32 and i32 divide. */
export function binaryExists(op: BinaryOp, element: RegisterType["element"]): boolean {
  switch (op) {
    case "add":
    case "sub":
      return element !== "bool";
    case "mul":
      return element === "f32" || element === "i32" || element === "i16";
    case "min":
    case "max":
      return element !== "bool";
    case "div":
      return element === "f32" || element === "i32";
    case "rem":
      return element === "i32";
    case "and":
    case "or":
    case "xor":
      return element !== "f32";
    case "shl":
    case "shr":
    case "shru":
      return element === "i32" || element === "i16" || element === "i8";
    case "eq":
    case "ne":
      return true;
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return element !== "bool";
  }
}

/** Whether `op` exists on lanes of this element. */
export function unaryExists(op: UnaryOp, element: RegisterType["element"]): boolean {
  switch (op) {
    case "neg":
    case "abs":
      return element !== "bool";
    case "not":
      return element !== "f32";
    default:
      return element === "f32";
  }
}

/** The type of a binary expression whose operands have these types, or undefined when there is none. */
export function binaryType(op: BinaryOp, left: RegisterType, right: RegisterType): RegisterType | undefined {
  if (!binaryExists(op, left.element)) return undefined;
  if (shifts.has(op)) return right.element === "i32" && right.lanes === 1 ? left : undefined;
  if (!sameType(left, right)) return undefined;
  return comparisons.has(op) ? registerType("bool", left.lanes) : left;
}

/** A binary expression without folding or splatting. Throws TypeError when the types do not fit. */
export function binaryExactly(op: BinaryOp, left: Expression, right: Expression): Expression {
  const type = binaryType(op, left.type, right.type) ?? fail(op, left.type, right.type);
  return { kind: "binary", op, left, right, type };
}

export function binary(op: BinaryOp, a: Operand, b: Operand): Expression {
  if (shifts.has(op)) {
    const left = typeof a === "number" ? constant(a) : a;
    return binaryExactly(op, left, typeof b === "number" ? constant(b) : b);
  }
  const [left, right] = pair(op, a, b);
  return folded(op, left, right) ?? binaryExactly(op, left, right);
}

/** i32 scalars with constants: what index arithmetic is made of. */
function folded(op: BinaryOp, left: Expression, right: Expression): Expression | undefined {
  if (left.type.element !== "i32" || left.type.lanes !== 1) return undefined;
  const a = left.kind === "constant" ? left.value : undefined;
  const b = right.kind === "constant" ? right.value : undefined;
  switch (op) {
    case "add":
      if (a !== undefined && b !== undefined) return constant((a + b) | 0);
      if (a === 0) return right;
      if (a !== undefined) return folded("add", right, left) ?? binaryExactly("add", right, left);
      return b === undefined ? undefined : plusConstant(left, b);
    case "sub":
      if (a !== undefined && b !== undefined) return constant((a - b) | 0);
      return b === undefined ? undefined : plusConstant(left, -b | 0);
    case "mul":
      if (a !== undefined && b !== undefined) return constant(Math.imul(a, b));
      if (a === 1) return right;
      if (b === 1) return left;
      return a === 0 || b === 0 ? constant(0) : undefined;
    case "div":
      return b === 1 ? left : a !== undefined && b !== undefined && b > 0 ? constant((a / b) | 0) : undefined;
    case "rem":
      return b === 1 ? constant(0) : a !== undefined && b !== undefined && b > 0 ? constant((a % b) | 0) : undefined;
    default:
      return undefined;
  }
}

function plusConstant(left: Expression, value: number): Expression {
  if (value === 0) return left;
  if (left.kind === "binary" && left.op === "add" && left.right.kind === "constant") {
    return plusConstant(left.left, (left.right.value + value) | 0);
  }
  return binaryExactly("add", left, constant(value));
}

export const add = (a: Operand, b: Operand): Expression => binary("add", a, b);
export const sub = (a: Operand, b: Operand): Expression => binary("sub", a, b);
export const mul = (a: Operand, b: Operand): Expression => binary("mul", a, b);
export const div = (a: Operand, b: Operand): Expression => binary("div", a, b);
export const rem = (a: Operand, b: Operand): Expression => binary("rem", a, b);
export const min = (a: Operand, b: Operand): Expression => binary("min", a, b);
export const max = (a: Operand, b: Operand): Expression => binary("max", a, b);
export const and = (a: Operand, b: Operand): Expression => binary("and", a, b);
export const or = (a: Operand, b: Operand): Expression => binary("or", a, b);
export const xor = (a: Operand, b: Operand): Expression => binary("xor", a, b);
export const shl = (a: Operand, b: Operand): Expression => binary("shl", a, b);
export const shr = (a: Operand, b: Operand): Expression => binary("shr", a, b);
export const shru = (a: Operand, b: Operand): Expression => binary("shru", a, b);
export const compare = (relation: "eq" | "ne" | "lt" | "le" | "gt" | "ge", a: Operand, b: Operand): Expression =>
  binary(relation, a, b);

export function unary(op: UnaryOp, operand: Expression): Expression {
  if (!unaryExists(op, operand.type.element)) fail(op, operand.type);
  return { kind: "unary", op, operand, type: operand.type };
}
export const neg = (a: Expression): Expression => unary("neg", a);
export const abs = (a: Expression): Expression => unary("abs", a);
export const exp = (a: Expression): Expression => unary("exp", a);
export const sqrt = (a: Expression): Expression => unary("sqrt", a);
export const not = (a: Expression): Expression => unary("not", a);

/** Lane by lane; a scalar condition is splatted to the lanes of the choices. */
export function select(condition: Expression, yes: Operand, no: Operand): Expression {
  const [a, b] = pair("select", yes, no);
  if (condition.type.element !== "bool") fail("select", condition.type);
  const wide = condition.type.lanes === 1 && a.type.lanes > 1 ? splat(condition, a.type.lanes) : condition;
  if (wide.type.lanes !== a.type.lanes) fail("select", condition.type, a.type);
  return { kind: "select", condition: wide, yes: a, no: b, type: a.type };
}

/** a * b + c on f32. */
export function fma(a: Expression, b: Expression, c: Expression): Expression {
  const lanes = Math.max(a.type.lanes, b.type.lanes, c.type.lanes);
  const type = registerType("f32", lanes);
  const wide = (operand: Expression): Expression => {
    const all = operand.type.lanes < lanes ? splat(operand, lanes) : operand;
    return sameType(all.type, type) ? all : fail("fma", a.type, b.type, c.type);
  };
  return { kind: "fma", a: wide(a), b: wide(b), c: wide(c), type };
}

/** Number conversion between f32 and i32, and from bool to either. */
export function convert(operand: Expression, element: "f32" | "i32"): Expression {
  const from = operand.type.element;
  if (from === element) return operand;
  if (from !== "f32" && from !== "i32" && from !== "bool") fail("convert", operand.type);
  return { kind: "convert", operand, type: registerType(element, operand.type.lanes) };
}

/** The same bits as lanes of another element. */
export function bitcast(operand: Expression, element: RegisterType["element"]): Expression {
  const lanes = (elementBits[operand.type.element] * operand.type.lanes) / elementBits[element];
  if (operand.type.element === "bool" || element === "bool" || !Number.isInteger(lanes)) fail("bitcast", operand.type);
  if (lanes === 1 && (element === "i8" || element === "i16")) fail("bitcast", operand.type);
  return { kind: "bitcast", operand, type: registerType(element, lanes) };
}

/** Every lane the same scalar. A constant stays a constant. */
export function splat(operand: Operand, lanes: number, element: "f32" | "i32" = "f32"): Expression {
  const scalar = typeof operand === "number" ? constant(operand, registerType(element)) : operand;
  if (lanes === 1) return scalar;
  if (scalar.type.lanes !== 1) fail("splat", scalar.type);
  const type = registerType(scalar.type.element, lanes);
  return scalar.kind === "constant"
    ? { kind: "constant", value: scalar.value, type }
    : { kind: "splat", operand: scalar, type };
}

/** A vector from scalars of one type; numbers are f32 unless another operand says otherwise. */
export function join(operands: readonly Operand[]): Expression {
  const typed = operands.find((operand): operand is Expression => typeof operand !== "number");
  const scalar = typed?.type ?? registerType("f32");
  const all = operands.map((operand) => (typeof operand === "number" ? constant(operand, scalar) : operand));
  if (scalar.lanes !== 1 || !all.every((operand) => sameType(operand.type, scalar))) {
    fail("join", ...all.map((operand) => operand.type));
  }
  return { kind: "join", operands: all, type: registerType(scalar.element, all.length) };
}

export function extract(operand: Expression, lane: number): Expression {
  const { element, lanes } = operand.type;
  if (lane < 0 || lane >= lanes) fail(`extract of lane ${lane}`, operand.type);
  // Narrow lanes become i32 scalars, with their sign.
  return {
    kind: "extract",
    operand,
    lane,
    type: registerType(element === "i8" || element === "i16" ? "i32" : element),
  };
}

/** Lane i of the result is lane `lanes[i]` of `a` followed by `b`. */
export function shuffle(a: Expression, b: Expression, lanes: readonly number[]): Expression {
  if (!sameType(a.type, b.type) || lanes.some((lane) => lane < 0 || lane >= 2 * a.type.lanes)) {
    fail(`shuffle [${lanes.join(" ")}]`, a.type, b.type);
  }
  return { kind: "shuffle", a, b, lanes, type: registerType(a.type.element, lanes.length) };
}

/** Half of the lanes of i8 or i16, each twice as wide. */
export function widen(operand: Expression, half: "low" | "high", signed = true): Expression {
  const { element, lanes } = operand.type;
  if ((element !== "i8" && element !== "i16") || lanes < 2) fail("widen", operand.type);
  return { kind: "widen", operand, half, signed, type: registerType(element === "i8" ? "i16" : "i32", lanes / 2) };
}

/** i16 x 2n, i16 x 2n -> i32 x n: neighbours multiplied and added in pairs. */
export function dotPairs(a: Expression, b: Expression): Expression {
  if (a.type.element !== "i16" || !sameType(a.type, b.type)) fail("dot-pairs", a.type, b.type);
  return { kind: "dot-pairs", a, b, type: registerType("i32", a.type.lanes / 2) };
}

/** i8 x 2n signed, i8 x 2n in 0..127 -> i16 x n: neighbours multiplied and added in pairs. */
export function dotPairsI8(a: Expression, b: Expression): Expression {
  if (a.type.element !== "i8" || !sameType(a.type, b.type)) fail("dot-pairs-i8", a.type, b.type);
  return { kind: "dot-pairs-i8", a, b, type: registerType("i16", a.type.lanes / 2) };
}

/** Four i8 neighbours multiplied and added to each i32 lane; `b7` says that b lies in 0..127. */
export function dotQuads(a: Expression, b: Expression, accumulator: Expression, b7: boolean): Expression {
  const type = registerType("i32", a.type.lanes / 4);
  if (a.type.element !== "i8" || !sameType(a.type, b.type) || !sameType(accumulator.type, type)) {
    fail("dot-quads", a.type, b.type, accumulator.type);
  }
  return { kind: "dot-quads", a, b, accumulator, b7, type };
}

/** The same for b in 0..255. */
export function dotQuadsUnsigned(a: Expression, b: Expression, accumulator: Expression): Expression {
  return { ...(dotQuads(a, b, accumulator, false) as Expression & { kind: "dot-quads" }), unsigned: true };
}

/** The same for b as the machine reads it: signed, or in 0..255. */
export function dotQuadsEither(a: Expression, b: Expression, accumulator: Expression): Expression {
  return { ...(dotQuads(a, b, accumulator, false) as Expression & { kind: "dot-quads" }), either: true };
}

/**
 * A product with unsigned bytes by products with signed ones, for targets that have only these: b in 0..255 is the signed
 * byte with the bits of b ^ 128, plus 128.
 */
export function signedDotQuads({ a, b, accumulator }: Expression & { readonly kind: "dot-quads" }): Expression {
  const sums = dotQuads(a, constant(1, a.type), constant(0, accumulator.type), true);
  return dotQuads(a, xor(b, -128), add(accumulator, shl(sums, 7)), false);
}

/** All lanes to one scalar. */
export function reduce(op: "add" | "min" | "max", operand: Expression): Expression {
  const { element, lanes } = operand.type;
  if (element !== "f32" && element !== "i32") fail(`reduce ${op}`, operand.type);
  if (lanes === 1) return operand;
  return { kind: "reduce", op, operand, type: registerType(element) };
}

/** Every one of these holds. */
export const all = (...conditions: readonly Expression[]): Expression =>
  conditions.length === 0 ? constant(1, bool) : conditions.reduce((left, right) => and(left, right));
