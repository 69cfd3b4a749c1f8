/** Whether the type that an expression claims is the one that its operands give. */
import { binaryType, unaryExists } from "./kernel-expressions.js";
import type { Expression, RegisterType } from "./kernel-ir.js";
import { elementBits, operandsOf, registerType, sameType, typeText } from "./kernel-types.js";

/** The type that the operands give, or undefined when they do not fit. */
function resultType(expression: Expression): RegisterType | undefined {
  const { type } = expression;
  switch (expression.kind) {
    case "constant":
    case "get":
      return type;
    case "block":
    case "thread":
      return registerType("i32");
    case "load":
      return type;
    case "unary":
      return unaryExists(expression.op, expression.operand.type.element) ? expression.operand.type : undefined;
    case "binary":
      return binaryType(expression.op, expression.left.type, expression.right.type);
    case "select": {
      const { condition, yes, no } = expression;
      const fits = sameType(yes.type, no.type) && sameType(condition.type, registerType("bool", yes.type.lanes));
      return fits ? yes.type : undefined;
    }
    case "fma": {
      const wanted = registerType("f32", expression.a.type.lanes);
      return operandsOf(expression).every((operand) => sameType(operand.type, wanted)) ? wanted : undefined;
    }
    case "convert": {
      const from = expression.operand.type;
      const known = from.element === "f32" || from.element === "i32" || from.element === "bool";
      const changes = from.element !== type.element && (type.element === "f32" || type.element === "i32");
      return known && changes ? registerType(type.element, from.lanes) : undefined;
    }
    case "bitcast": {
      const from = expression.operand.type;
      const bits = elementBits[from.element] * from.lanes;
      return bits > 0 && bits === elementBits[type.element] * type.lanes ? type : undefined;
    }
    case "splat":
      return expression.operand.type.lanes === 1 && type.lanes > 1
        ? registerType(expression.operand.type.element, type.lanes)
        : undefined;
    case "join": {
      const scalar = expression.operands[0]?.type;
      const fits = scalar?.lanes === 1 && expression.operands.every((operand) => sameType(operand.type, scalar));
      return fits && expression.operands.length > 1
        ? registerType(scalar.element, expression.operands.length)
        : undefined;
    }
    case "extract": {
      const { element, lanes } = expression.operand.type;
      if (expression.lane < 0 || expression.lane >= lanes || lanes === 1) return undefined;
      return registerType(element === "i8" || element === "i16" ? "i32" : element);
    }
    case "shuffle": {
      const { a, b, lanes } = expression;
      const fits = sameType(a.type, b.type) && lanes.every((lane) => lane >= 0 && lane < 2 * a.type.lanes);
      return fits && a.type.lanes > 1 ? registerType(a.type.element, lanes.length) : undefined;
    }
    case "widen": {
      const { element, lanes } = expression.operand.type;
      if (lanes < 2 || (element !== "i8" && element !== "i16")) return undefined;
      return registerType(element === "i8" ? "i16" : "i32", lanes / 2);
    }
    case "dot-pairs":
    case "dot-pairs-i8": {
      const from = expression.kind === "dot-pairs" ? "i16" : "i8";
      const { a, b } = expression;
      if (a.type.element !== from || !sameType(a.type, b.type) || a.type.lanes < 4) return undefined;
      return registerType(from === "i16" ? "i32" : "i16", a.type.lanes / 2);
    }
    case "dot-quads": {
      const { a, b, accumulator } = expression;
      const wanted = registerType("i32", a.type.lanes / 4);
      const fits = a.type.element === "i8" && sameType(a.type, b.type) && sameType(accumulator.type, wanted);
      return fits ? wanted : undefined;
    }
    case "reduce": {
      const { element, lanes } = expression.operand.type;
      return lanes > 1 && (element === "f32" || element === "i32") ? registerType(element) : undefined;
    }
    default:
      return expression satisfies never;
  }
}

/** What is wrong with the type of this expression (not of its operands), if anything. */
export function expressionProblem(expression: Expression): string | undefined {
  const { type } = expression;
  if (type.lanes === 1 && (type.element === "i8" || type.element === "i16")) {
    return `a scalar of ${type.element} does not exist`;
  }
  const wanted = resultType(expression);
  const what = expression.kind === "unary" || expression.kind === "binary" ? expression.op : expression.kind;
  if (!wanted)
    return `${what} does not take ${operandsOf(expression)
      .map((operand) => typeText(operand.type))
      .join(", ")}`;
  return sameType(wanted, type) ? undefined : `${what} gives ${typeText(wanted)}, not ${typeText(type)}`;
}
