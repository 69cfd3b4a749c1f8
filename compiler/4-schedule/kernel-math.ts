/**
 * `ScalarMath` on kernel IR: the formula of an elementwise op becomes expressions, scalar or vector.
 */
import type { ScalarMath } from "../ops/types.js";
import { add, and, compare, constant, div, max, min, mul, not, or, select, sub, unary } from "./kernel-expressions.js";
import type { Expression, RegisterType, UnaryOp } from "./kernel-ir.js";

/**
 * @param type What constants become.
 * @param name Gives a computed value a register (or returns it as it is, when the caller wants one big expression).
 */
export function scalarMath(
  type: RegisterType,
  name: (wish: string, value: Expression) => Expression = (_, value) => value,
): ScalarMath<Expression> {
  const two =
    (wish: string, op: (a: Expression, b: Expression) => Expression) =>
    (a: Expression, b: Expression): Expression =>
      name(wish, op(a, b));
  const one =
    (op: UnaryOp) =>
    (a: Expression): Expression =>
      // On integers rounding changes nothing.
      a.type.element === "i32" && (op === "floor" || op === "ceil" || op === "round") ? a : name(op, unary(op, a));
  return {
    constant: (value) => constant(value, type),
    add: two("add", add),
    sub: two("sub", sub),
    mul: two("mul", mul),
    div: two("div", div),
    min: two("min", min),
    max: two("max", max),
    neg: one("neg"),
    abs: one("abs"),
    floor: one("floor"),
    ceil: one("ceil"),
    round: one("round"),
    sqrt: one("sqrt"),
    exp: one("exp"),
    log: one("log"),
    sin: one("sin"),
    cos: one("cos"),
    tanh: one("tanh"),
    compare: (relation, a, b) => name(relation, compare(relation, a, b)),
    select: (condition, yes, no) => name("select", select(condition, yes, no)),
    and: two("and", and),
    or: two("or", or),
    not: (a) => name("not", not(a)),
  };
}
