/** The calls in the text form of kernel IR: everything that is not a constant, a register, a load or an infix operator. */
import {
  binaryExactly,
  bitcast,
  dotPairs,
  dotPairsI8,
  dotQuads,
  dotQuadsEither,
  dotQuadsUnsigned,
  extract,
  join,
  reduce,
  unary,
  widen,
} from "./kernel-expressions.js";
import type { Expression, RegisterType, UnaryOp } from "./kernel-ir.js";
import { registerType } from "./kernel-types.js";

const unaryOps: Readonly<Record<UnaryOp, true>> = {
  neg: true,
  abs: true,
  floor: true,
  ceil: true,
  round: true,
  sqrt: true,
  exp: true,
  log: true,
  sin: true,
  cos: true,
  tanh: true,
  not: true,
};

/** `name.attributes(operands)`. Throws TypeError when there is no such call or the operands do not fit. */
export function parseCall(name: string, attributes: readonly string[], operands: readonly Expression[]): Expression {
  const refuse = (): never => {
    throw new TypeError(`${[name, ...attributes].join(".")} of ${operands.length} operands is no expression`);
  };
  const count = (wanted: number): void => {
    if (operands.length !== wanted) refuse();
  };
  const [a, b, c] = operands as [Expression, Expression, Expression];
  if (Object.hasOwn(unaryOps, name)) {
    count(1);
    return unary(name as UnaryOp, a);
  }
  const first = attributes[0] ?? "";
  switch (name) {
    case "min":
    case "max":
      count(2);
      return binaryExactly(name, a, b);
    case "select":
      count(3);
      return { kind: "select", condition: a, yes: b, no: c, type: b.type };
    case "fma":
      count(3);
      return { kind: "fma", a, b, c, type: a.type };
    case "convert":
      count(1);
      return { kind: "convert", operand: a, type: registerType(first === "f32" ? "f32" : "i32", a.type.lanes) };
    case "bitcast":
      count(1);
      return bitcast(a, first as RegisterType["element"]);
    case "splat":
      count(1);
      return { kind: "splat", operand: a, type: registerType(a.type.element, Number(first)) };
    case "join":
      return join(operands);
    case "lane":
      count(1);
      return extract(a, Number(first));
    case "shuffle": {
      count(2);
      const lanes = attributes.map(Number);
      return { kind: "shuffle", a, b, lanes, type: registerType(a.type.element, lanes.length) };
    }
    case "widen":
      count(1);
      return widen(a, first === "low" ? "low" : "high", attributes[1] === "signed");
    case "dot_pairs":
      count(2);
      return dotPairs(a, b);
    case "dot_pairs_i8":
      count(2);
      return dotPairsI8(a, b);
    case "dot_quads":
      count(3);
      if (first === "either") return dotQuadsEither(a, b, c);
      return first === "u8" ? dotQuadsUnsigned(a, b, c) : dotQuads(a, b, c, first === "b7");
    case "reduce":
      count(1);
      return reduce(first as "add" | "min" | "max", a);
    default:
      return refuse();
  }
}
