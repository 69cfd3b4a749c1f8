/** Expressions of kernel IR as LLVM IR. Every vector width exists: the code generator splits what is wider than a register. */
import { functionBody, isFunctionOp } from "../../4-schedule/kernel-functions.js";
import type { BinaryOp, Expression, RegisterType, UnaryOp } from "../../4-schedule/kernel-ir.js";
import { elementBits } from "../../4-schedule/kernel-types.js";
import { emitDot } from "./dots.js";
import type { LlvmFunction, Value } from "./function.js";
import { inline } from "./inline.js";
import { emitLoad } from "./memory.js";
import { constantText, lanesMask, lanesText, llvmType, overload, scalarConstant } from "./text.js";

export function emitExpression(f: LlvmFunction, expression: Expression): Value {
  const { type } = expression;
  const result = llvmType(type);
  const of = (operand: Expression): Value => emitExpression(f, operand);
  switch (expression.kind) {
    case "constant":
      return { type: result, text: constantText(type, expression.value) };
    case "get":
      return f.get(expression.name);
    case "block":
      return f.get("@block");
    case "thread":
      return { type: "i32", text: "0" };
    case "load":
      return emitLoad(f, expression, emitExpression);
    case "unary":
      return emitUnary(f, expression.op, of(expression.operand), type);
    case "binary": {
      const left = of(expression.left);
      return emitBinary(f, expression.op, left, of(expression.right), expression.left.type, result);
    }
    case "select": {
      const [condition, yes, no] = [of(expression.condition), of(expression.yes), of(expression.no)];
      return f.value(result, `select ${condition.type} ${condition.text}, ${result} ${yes.text}, ${result} ${no.text}`);
    }
    case "fma": {
      const [a, b, c] = [of(expression.a), of(expression.b), of(expression.c)];
      if (f.target.fma) return f.intrinsic(`llvm.fma.${overload("f32", type.lanes)}`, result, [a, b, c]);
      const product = f.value(result, `fmul ${result} ${a.text}, ${b.text}`);
      return f.value(result, `fadd ${result} ${product.text}, ${c.text}`);
    }
    case "convert": {
      const value = of(expression.operand);
      const from = expression.operand.type.element;
      if (type.element === "f32") {
        return f.value(result, `${from === "bool" ? "uitofp" : "sitofp"} ${value.type} ${value.text} to ${result}`);
      }
      if (from === "bool") return f.value(result, `zext ${value.type} ${value.text} to ${result}`);
      const suffix = `${overload("i32", type.lanes)}.${overload("f32", type.lanes)}`;
      return f.intrinsic(`llvm.fptosi.sat.${suffix}`, result, [value]);
    }
    case "bitcast": {
      const value = of(expression.operand);
      return value.type === result ? value : f.value(result, `bitcast ${value.type} ${value.text} to ${result}`);
    }
    case "splat": {
      const { operand } = expression;
      const use = operand.type.element === "i32" ? "word" : "access";
      return splat(f, operand.kind === "load" ? emitLoad(f, operand, emitExpression, use) : of(operand), type);
    }
    case "join":
      return join(f, expression.operands, type);
    case "extract": {
      const vector = of(expression.operand);
      const element = llvmType({ element: expression.operand.type.element, lanes: 1 });
      const lane = f.value(element, `extractelement ${vector.type} ${vector.text}, i32 ${expression.lane}`);
      return element === result ? lane : f.value(result, `sext ${element} ${lane.text} to ${result}`);
    }
    case "shuffle":
      return shuffle(f, of(expression.a), of(expression.b), expression.lanes, type);
    case "widen": {
      const { element, lanes } = expression.operand.type;
      const first = expression.half === "low" ? 0 : type.lanes;
      const kept = Array.from({ length: lanes / 2 }, (_, lane) => first + lane);
      const vector = of(expression.operand);
      const half = shuffle(f, vector, vector, kept, { element, lanes: type.lanes });
      return f.value(result, `${expression.signed ? "sext" : "zext"} ${half.type} ${half.text} to ${result}`);
    }
    case "dot-pairs":
    case "dot-pairs-i8":
    case "dot-quads":
      return emitDot(f, expression, of);
    case "reduce":
      return reduce(f, expression.op, of(expression.operand), expression.operand.type);
    default:
      return expression satisfies never;
  }
}

function splat(f: LlvmFunction, scalar: Value, type: RegisterType): Value {
  const vector = llvmType(type);
  const one = f.value(vector, `insertelement ${vector} undef, ${scalar.type} ${scalar.text}, i32 0`);
  const mask = `<${type.lanes} x i32> zeroinitializer`;
  return f.value(vector, `shufflevector ${vector} ${one.text}, ${vector} undef, ${mask}`);
}

function join(f: LlvmFunction, operands: readonly Expression[], type: RegisterType): Value {
  const vector = llvmType(type);
  if (operands.every((operand) => operand.kind === "constant")) {
    const lanes = operands.map((operand) => scalarConstant(type.element, (operand as { value: number }).value));
    return { type: vector, text: lanesText(type, lanes) };
  }
  return operands
    .map((operand) => emitExpression(f, operand))
    .reduce<Value>(
      (all, lane, i) => f.value(vector, `insertelement ${vector} ${all.text}, ${lane.type} ${lane.text}, i32 ${i}`),
      { type: vector, text: "undef" },
    );
}

/** Lanes of `a` followed by `b`. */
export function shuffle(f: LlvmFunction, a: Value, b: Value, lanes: readonly number[], type: RegisterType): Value {
  const mask = lanesMask(lanes);
  return f.value(llvmType(type), `shufflevector ${a.type} ${a.text}, ${b.type} ${b.text}, ${mask}`);
}

function emitUnary(f: LlvmFunction, op: UnaryOp, value: Value, type: RegisterType): Value {
  const text = llvmType(type);
  if (isFunctionOp(op)) return inline(f, functionBody(op, type.lanes), value);
  const suffix = overload("f32", type.lanes);
  switch (op) {
    case "neg":
      return type.element === "f32"
        ? f.value(text, `fneg ${text} ${value.text}`)
        : f.value(text, `sub ${text} ${constantText(type, 0)}, ${value.text}`);
    case "abs": {
      if (type.element === "f32") return f.intrinsic(`llvm.fabs.${suffix}`, text, [value]);
      const name = `llvm.abs.${overload(`i${elementBits[type.element]}`, type.lanes)}`;
      // The second operand says that the smallest number stays as it is.
      return f.intrinsic(name, text, [value, { type: "i1", text: "false" }]);
    }
    case "not":
      return f.value(text, `xor ${text} ${value.text}, ${constantText(type, type.element === "bool" ? 1 : -1)}`);
    case "floor":
    case "ceil":
    case "sqrt":
      return f.intrinsic(`llvm.${op}.${suffix}`, text, [value]);
    case "round":
      // Half to even in the rounding mode that every process starts with.
      return f.intrinsic(`llvm.nearbyint.${suffix}`, text, [value]);
  }
}

const floatOps = { add: "fadd", sub: "fsub", mul: "fmul", div: "fdiv" } as const;
const integerOps = {
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "sdiv",
  rem: "srem",
  and: "and",
  or: "or",
  xor: "xor",
} as const;
const floatRelations = { eq: "oeq", ne: "une", lt: "olt", le: "ole", gt: "ogt", ge: "oge" } as const;
const integerRelations = { eq: "eq", ne: "ne", lt: "slt", le: "sle", gt: "sgt", ge: "sge" } as const;

function emitBinary(f: LlvmFunction, op: BinaryOp, a: Value, b: Value, operand: RegisterType, result: string): Value {
  const float = operand.element === "f32";
  switch (op) {
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge": {
      const relation = float ? `fcmp ${floatRelations[op]}` : `icmp ${integerRelations[op]}`;
      return f.value(result, `${relation} ${a.type} ${a.text}, ${b.text}`);
    }
    case "min":
    case "max":
      return float ? floatExtreme(f, op, a, b, operand) : integerExtreme(f, op, a, b, operand);
    case "shl":
    case "shr":
    case "shru":
      return shift(f, op, a, b, operand);
    default: {
      const instruction = float ? floatOps[op as keyof typeof floatOps] : integerOps[op];
      return f.value(result, `${instruction} ${result} ${a.text}, ${b.text}`);
    }
  }
}

function integerExtreme(f: LlvmFunction, op: "min" | "max", a: Value, b: Value, type: RegisterType): Value {
  return f.intrinsic(`llvm.s${op}.${overload(`i${elementBits[type.element]}`, type.lanes)}`, a.type, [a, b]);
}

/**
 * The smaller by both orders of the operands: with a NaN one of the two selects gives it, and with zeros of both signs
 * one gives -0; or-ing the bits keeps either. The larger is the negated smaller of the negated.
 */
function floatExtreme(f: LlvmFunction, op: "min" | "max", a: Value, b: Value, type: RegisterType): Value {
  const text = a.type;
  if (op === "max") {
    const [x, y] = [a, b].map((value) => f.value(text, `fneg ${text} ${value.text}`));
    return f.value(text, `fneg ${text} ${floatExtreme(f, "min", x!, y!, type).text}`);
  }
  const bits = llvmType({ element: "i32", lanes: type.lanes });
  const smaller = (x: Value, y: Value): Value => {
    const less = f.value(llvmType({ element: "bool", lanes: type.lanes }), `fcmp olt ${text} ${x.text}, ${y.text}`);
    const value = f.value(text, `select ${less.type} ${less.text}, ${text} ${x.text}, ${text} ${y.text}`);
    return f.value(bits, `bitcast ${text} ${value.text} to ${bits}`);
  };
  const [first, second] = [smaller(a, b), smaller(b, a)];
  const both = f.value(bits, `or ${bits} ${first.text}, ${second.text}`);
  return f.value(text, `bitcast ${bits} ${both.text} to ${text}`);
}

function shift(f: LlvmFunction, op: "shl" | "shr" | "shru", a: Value, by: Value, type: RegisterType): Value {
  const width = elementBits[type.element];
  const within = f.value("i32", `and i32 ${by.text}, ${width - 1}`);
  const lane = llvmType({ element: type.element, lanes: 1 });
  const narrow = width === 32 ? within : f.value(lane, `trunc i32 ${within.text} to ${lane}`);
  const amount = type.lanes === 1 ? narrow : splat(f, narrow, type);
  const instruction = { shl: "shl", shr: "ashr", shru: "lshr" }[op];
  return f.value(a.type, `${instruction} ${a.type} ${a.text}, ${amount.text}`);
}

/** (0 + 1) + (2 + 3): the even and the odd lanes, until one is left. */
function reduce(f: LlvmFunction, op: "add" | "min" | "max", operand: Value, type: RegisterType): Value {
  let vector = operand;
  let { lanes } = type;
  while (lanes > 2) {
    lanes /= 2;
    const part = { element: type.element, lanes };
    const [even, odd] = [0, 1].map((first) =>
      shuffle(
        f,
        vector,
        vector,
        Array.from({ length: lanes }, (_, lane) => 2 * lane + first),
        part,
      ),
    );
    vector = emitBinary(f, op, even!, odd!, part, llvmType(part));
  }
  const scalar = { element: type.element, lanes: 1 };
  const [first, second] = [0, 1].map((lane) =>
    f.value(llvmType(scalar), `extractelement ${vector.type} ${vector.text}, i32 ${lane}`),
  );
  return emitBinary(f, op, first!, second!, scalar, llvmType(scalar));
}
