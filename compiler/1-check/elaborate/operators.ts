/** Arithmetic, comparison and logic on numbers, tensors, truth values and masks. */
import type { BinaryExpression, UnaryExpression } from "../../../grammar/tree.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { at, type Place, type Walk } from "../context.js";
import { describe } from "../describe.js";
import type { Emitted } from "../emitter.js";
import * as numbers from "../numbers.js";
import { numberValue, unknown, type Value } from "../values.js";
import { callModule } from "./calls.js";
import { evaluate } from "./evaluate.js";
import { toMask } from "./masks.js";
import { BINARY_OPS } from "./op-words.js";
import { asTensor, cast, emitValue, isWhole, report, tensorType } from "./tensors.js";

const COMPARISONS = ["==", "!=", "<", "<=", ">", ">="];
/** What a tensor can be made of. */
const TENSORS: ReadonlySet<Value["kind"]> = new Set(["tensor", "number", "axis", "boolean", "state"]);

export function evaluateUnary(walk: Walk, expression: UnaryExpression, place: Place): Value {
  const operand = evaluate(walk, expression.operand, place);
  const span = at(place, expression);
  if (operand.kind === "unknown") return unknown;
  if (expression.operator === "!") {
    if (operand.kind === "boolean")
      return { kind: "boolean", value: operand.value === undefined ? undefined : !operand.value };
    const mask = operand.kind === "tensor" ? undefined : toMask(walk, operand);
    if (asNumber(operand))
      return report(walk, "MOE2082", { found: describe(walk, operand) }, at(place, expression.operand));
    if (mask) return { kind: "mask", form: "not", operand: mask };
    const value = asTensor(walk, operand, span);
    if (!value) return report(walk, "MOE2082", { found: describe(walk, operand) }, at(place, expression.operand));
    return emitValue(walk, "not", [value], {}, span, [at(place, expression.operand)]);
  }
  const number = asNumber(operand);
  if (number) return numberValue(numbers.negate(number));
  const value = asTensor(walk, operand, span);
  if (!value) return report(walk, "MOE2080", { found: describe(walk, operand) }, at(place, expression.operand));
  return emitValue(walk, "neg", [value], {}, span, [at(place, expression.operand)]);
}

function asNumber(value: Value): numbers.StaticNumber | undefined {
  if (value.kind === "number") return value.number;
  return value.kind === "axis" ? numbers.integer(value.size) : undefined;
}

export function evaluateBinary(walk: Walk, expression: BinaryExpression, place: Place): Value {
  const left = evaluate(walk, expression.left, place);
  const right = evaluate(walk, expression.right, place);
  if (left.kind === "unknown" || right.kind === "unknown") return unknown;
  const { operator } = expression;
  if (operator === "@") return product(walk, expression, left, right, place);
  const a = asNumber(left);
  const b = asNumber(right);
  if (a && b) return ofNumbers(walk, expression, a, b, place);
  if (operator === "&" || operator === "|") {
    const logic = ofLogic(walk, operator, left, right);
    if (logic) return logic;
  }
  if (left.kind === "string" && right.kind === "string" && (operator === "==" || operator === "!=")) {
    return { kind: "boolean", value: (left.value === right.value) === (operator === "==") };
  }
  if (left.kind === "boolean" && right.kind === "boolean" && (operator === "==" || operator === "!=")) {
    const known = left.value !== undefined && right.value !== undefined;
    return { kind: "boolean", value: known ? (left.value === right.value) === (operator === "==") : undefined };
  }
  return ofTensors(walk, expression, left, right, place);
}

function ofNumbers(
  walk: Walk,
  expression: BinaryExpression,
  a: numbers.StaticNumber,
  b: numbers.StaticNumber,
  place: Place,
): Value {
  const { operator } = expression;
  if (COMPARISONS.includes(operator)) return { kind: "boolean", value: numbers.compare(a, b, operator) };
  if ((operator === "/" || operator === "%") && numbers.valueOf(b) === 0) {
    return report(walk, "MOE2088", {}, at(place, expression.right));
  }
  switch (operator) {
    case "+":
      return numberValue(numbers.add(a, b));
    case "-":
      return numberValue(numbers.subtract(a, b));
    case "*":
      return numberValue(numbers.multiply(a, b));
    case "/":
      return numberValue(numbers.divide(a, b));
    case "%":
      return numberValue(numbers.modulo(a, b));
    case "**":
      return numberValue(numbers.power(a, b));
    default:
      return report(walk, "MOE2082", { found: `the number ${numbers.numberText(a)}` }, at(place, expression.left));
  }
}

function ofLogic(walk: Walk, operator: "&" | "|", left: Value, right: Value): Value | undefined {
  if (left.kind === "boolean" && right.kind === "boolean") {
    const { value: a } = left;
    const { value: b } = right;
    const decided = operator === "&" ? false : true;
    if (a === decided || b === decided) return { kind: "boolean", value: decided };
    return { kind: "boolean", value: a === undefined || b === undefined ? undefined : !decided };
  }
  // Two tensors are and-ed entry by entry; with a mask beside it a tensor becomes part of the mask.
  if (left.kind === "tensor" && right.kind === "tensor") return undefined;
  const a = toMask(walk, left);
  const b = toMask(walk, right);
  return a && b ? { kind: "mask", form: operator === "&" ? "and" : "or", left: a, right: b } : undefined;
}

/** Both sides as tensors of one dtype: a number takes the other's, an integer meeting a real becomes one. */
export function alike(
  walk: Walk,
  left: Value,
  right: Value,
  spans: readonly [Emitted["source"] & object, Emitted["source"] & object],
): readonly [Emitted, Emitted] | undefined {
  const dtype = (value: Value): "f32" | "i32" | "bool" => {
    if (value.kind === "tensor") return value.value.type.kind === "tensor" ? value.value.type.dtype : "f32";
    if (value.kind === "state") return value.state.dtype;
    if (value.kind === "boolean") return "bool";
    return value.kind === "number" && !isWhole(value.number) ? "f32" : "i32";
  };
  const first = dtype(left);
  const second = dtype(right);
  const mixed = (first === "f32" && second === "i32") || (first === "i32" && second === "f32");
  const to = mixed ? "f32" : first;
  const a = asTensor(walk, left, spans[0], mixed ? "f32" : first);
  const b = asTensor(walk, right, spans[1], mixed ? "f32" : second);
  if (!a || !b) return undefined;
  return mixed ? [cast(walk, a, to, spans[0]), cast(walk, b, to, spans[1])] : [a, b];
}

function ofTensors(walk: Walk, expression: BinaryExpression, left: Value, right: Value, place: Place): Value {
  const spans = [at(place, expression.left), at(place, expression.right)] as const;
  for (const [value, span] of [
    [left, spans[0]],
    [right, spans[1]],
  ] as const) {
    const routes = value.kind === "tensor" && value.value.type.kind === "routes";
    if (routes && expression.operator === "*") continue;
    if (routes || !TENSORS.has(value.kind)) {
      if (!routes) return notATensor(walk, expression, value, span, left, right, spans);
      const help = "`weights(r)` gives the routes as a dense tensor; `r * scale` scales their weights";
      return report(
        walk,
        "MOE2048",
        { op: expression.operator, expected: "a tensor", found: describe(walk, value) },
        span,
        { help },
      );
    }
  }
  if (left.kind === "tensor" && left.value.type.kind === "routes")
    return scaled(walk, expression, left.value, right, place);
  if (right.kind === "tensor" && right.value.type.kind === "routes")
    return scaled(walk, expression, right.value, left, place);
  let pair = alike(walk, left, right, spans);
  if (!pair) return unknown;
  // Truth values are equal when their numbers are.
  if (expression.operator === "==" || expression.operator === "!=") {
    const truths = pair.every(({ type }) => type.kind === "tensor" && type.dtype === "bool");
    if (truths) pair = [cast(walk, pair[0], "i32", spans[0]), cast(walk, pair[1], "i32", spans[1])];
  }
  if (expression.operator === "==") {
    walk.onCompare?.({ span: at(place, expression), left: pair[0], right: pair[1] });
  }
  // A quotient is a real number, also of two integers: `floor(a / b)` is the one that rounds.
  if (expression.operator === "/") pair = [cast(walk, pair[0], "f32", spans[0]), cast(walk, pair[1], "f32", spans[1])];
  return emitValue(walk, BINARY_OPS[expression.operator], pair, {}, at(place, expression), spans);
}

/** Says what stands there; where masks meet, that they are joined by `&`, `|` and `!`. */
function notATensor(
  walk: Walk,
  expression: BinaryExpression,
  value: Value,
  span: SourceSpan,
  left: Value,
  right: Value,
  spans: readonly [SourceSpan, SourceSpan],
): Value {
  const masks = [left, right].map(
    (side) => ["mask", "instance", "declaration"].includes(side.kind) && toMask(walk, side) !== undefined,
  );
  if ((expression.operator === "&" || expression.operator === "|") && masks[0] !== masks[1]) {
    const other = masks[0] ? 1 : 0;
    return report(walk, "MOE2163", { found: describe(walk, other === 1 ? right : left) }, spans[other]);
  }
  const help = masks[0] || masks[1] ? { help: "masks are joined by `&` and `|`, and turned around by `!`" } : {};
  return report(walk, "MOE2080", { found: describe(walk, value) }, span, help);
}

/** `routes * scale`. */
function scaled(walk: Walk, expression: BinaryExpression, routes: Emitted, by: Value, place: Place): Value {
  const factor = asTensor(walk, by, at(place, expression), "f32");
  if (!factor || factor.type.kind === "routes") {
    return report(walk, "MOE2080", { found: describe(walk, by) }, at(place, expression.right));
  }
  return emitValue(
    walk,
    "routes_scale",
    [routes, cast(walk, factor, "f32", at(place, expression))],
    {},
    at(place, expression),
  );
}

/** `a @ b`: contracts the last axis of `a`; a matrix module on the right is called. */
function product(walk: Walk, expression: BinaryExpression, left: Value, right: Value, place: Place): Value {
  const span = at(place, expression);
  if (right.kind === "instance" || right.kind === "opaque") {
    return callModule(walk, right, [{ value: left, span: at(place, expression.left) }], span, place);
  }
  const spans = [at(place, expression.left), at(place, expression.right)] as const;
  const a = asTensor(walk, left, spans[0], "f32");
  const b = asTensor(walk, right, spans[1], "f32");
  if (!a || a.type.kind === "routes") return report(walk, "MOE2080", { found: describe(walk, left) }, spans[0]);
  if (!b || b.type.kind === "routes") return report(walk, "MOE2080", { found: describe(walk, right) }, spans[1]);
  const last = tensorType(a).axes.at(-1);
  if (!last) return report(walk, "MOE2089", { found: describe(walk, left) }, spans[0]);
  if (!tensorType(b).axes.some((axis) => axis.name === last.name)) {
    return report(
      walk,
      "MOE2090",
      { axis: last.name, left: describe(walk, left), right: describe(walk, right) },
      spans[1],
      {
        note: describe(walk, right),
        labels: [{ span: spans[0], text: describe(walk, left) }],
        help: "`a @ b` sums over the last axis of `a`; `contract(a, b, over: X)` names another one",
      },
    );
  }
  return emitValue(walk, "contract", [a, b], { over: [last.name] }, span, spans);
}
