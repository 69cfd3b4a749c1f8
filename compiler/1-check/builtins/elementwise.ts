/** Functions of each entry by itself; on numbers known before anything runs they are computed there and then. */
import * as numbers from "../numbers.js";
import { numberValue, type Value } from "../values.js";
import { describe } from "../describe.js";
import type { UnaryRow } from "../../ops/elementwise-define.js";
import { unaryRows } from "../../ops/elementwise-unary.js";
import type { Axis } from "../../ops/types.js";
import type { Emitted } from "../emitter.js";
import { expanded } from "../elaborate/tensors.js";
import { alike } from "../elaborate/operators.js";
import { builtin, result, Stop, typeOf, type Builtin, type BuiltinCall } from "./call.js";

/** Functions whose rule on numbers is more than that of the op: rounding keeps sizes exact, `abs` keeps whole numbers, and `neg` is written `-x`. */
const OWN_RULE: ReadonlySet<string> = new Set(["abs", "ceil", "floor", "round", "is_nan", "neg"]);

/** The ops of one number that are called by their names. */
const UNARY = (Object.entries(unaryRows) as [string, UnaryRow][]).filter(
  ([name, row]) => row.operands[0] !== "bool" && !OWN_RULE.has(name),
);

function unary(name: string, { doc, reference }: UnaryRow): Builtin {
  return builtin(name, "x", `${name}(x) -> x`, doc, (call) => {
    const value = call.value("x");
    if (value.kind === "number" || value.kind === "axis") {
      const known = numbers.valueOf(call.number("x"));
      if (known !== undefined) return numberValue(numbers.real(reference(known)));
      const runTime = !call.walk.options.generic;
      if (!runTime) return numberValue({ kind: "real", value: undefined });
    }
    return result(call.emit(name, [call.tensor("x", "f32")], {}, ["x"]));
  });
}

function rounding(name: "ceil" | "floor"): Builtin {
  const doc = `Rounds ${name === "ceil" ? "up" : "down"}. On sizes it stays exact: \`${name}(T / E)\` is a size.`;
  return builtin(name, "x", `${name}(x) -> x`, doc, (call) => {
    const number = call.maybeNumber("x");
    if (number) return numberValue(numbers.round(number, name));
    return result(call.emit(name, [call.tensor("x", "f32")], {}, ["x"]));
  });
}

/** `max(x, over: D)` reduces, `max(a, b)` compares entry by entry. */
function extreme(name: "min" | "max"): Builtin {
  return builtin(
    name,
    "a b? over?",
    `${name}(a, b) -> a, or ${name}(a, over: D) -> [..]`,
    `The ${name === "min" ? "lesser" : "greater"} of two, entry by entry; with \`over\` the ${name === "min" ? "least" : "greatest"} along axes (of none: ${name === "min" ? "inf" : "-inf"}).`,
    (call) => {
      if (call.has("over")) {
        const x = call.tensor("a");
        const over = call.axes("over");
        for (const axis of over) call.axisOf(x, axis, "over");
        return result(call.emit("reduce", [x], { kind: name, over }, ["a"]));
      }
      if (!call.has("b")) call.fail("MOE2115", { callee: `\`${name}\``, name: "b" });
      const a = call.maybeNumber("a");
      const b = call.maybeNumber("b");
      if (a && b) return numberValue(numbers.extreme(a, b, name));
      return binary(call, name, "a", "b");
    },
  );
}

/** The condition with the axes of the values, so that the result has theirs in their order. */
function inOrderOf(call: BuiltinCall, condition: Emitted, values: readonly Emitted[]): Emitted {
  const union = (list: readonly Emitted[]): readonly Axis[] => {
    const axes: Axis[] = [];
    for (const value of list) {
      for (const axis of typeOf(value).axes) if (!axes.some(({ name }) => name === axis.name)) axes.push(axis);
    }
    return axes;
  };
  const wanted = union([...values, condition]);
  const natural = union([condition, ...values]);
  const same = wanted.every((axis, index) => axis.name === natural[index]!.name);
  return same ? condition : expanded(call.walk, condition, wanted, call.spanOf("condition"));
}

function binary(call: BuiltinCall, op: string, first: string, second: string): Value {
  const pair = alike(call.walk, call.value(first), call.value(second), [call.spanOf(first), call.spanOf(second)]);
  if (!pair) return call.fail("MOE2080", { found: describe(call.walk, call.value(first)) }, first);
  return result(call.emit(op, pair, {}, [first, second]));
}

export const elementwise: readonly Builtin[] = [
  ...UNARY.map(([name, row]) => unary(name, row)),
  rounding("ceil"),
  rounding("floor"),
  extreme("min"),
  extreme("max"),
  builtin("round", "x", "round(x) -> x", "Rounds to the nearest whole number, halves to even.", (call) =>
    result(call.emit("round", [call.tensor("x", "f32")], {}, ["x"])),
  ),
  builtin("abs", "x", "abs(x) -> x", "The magnitude.", (call) => {
    const number = call.maybeNumber("x");
    const known = number && numbers.valueOf(number);
    if (known !== undefined) return numberValue(known < 0 ? numbers.negate(number!) : number!);
    return result(call.emit("abs", [call.tensor("x")], {}, ["x"]));
  }),
  builtin("is_nan", "x", "is_nan(x) -> bool", "True where x is not a number.", (call) =>
    result(call.emit("is_nan", [call.tensor("x", "f32")], {}, ["x"])),
  ),
  builtin("clamp", "x low high", "clamp(x, low, high) -> x", "x, but not below `low` and not above `high`.", (call) => {
    const x = call.tensor("x", "f32");
    const above = call.emit("max", [x, call.tensor("low", "f32")], {}, ["x", "low"]);
    return result(call.emit("min", [above, call.tensor("high", "f32")], {}, ["x", "high"]));
  }),
  builtin(
    "where",
    "condition yes no",
    "where(condition, yes, no) -> yes",
    "`yes` where the condition holds, else `no`.",
    (call) => {
      const condition = call.tensor("condition");
      const pair = alike(call.walk, call.value("yes"), call.value("no"), [call.spanOf("yes"), call.spanOf("no")]);
      if (!pair) throw new Stop();
      const first = inOrderOf(call, condition, pair);
      return result(call.emit("where", [first, ...pair], {}, ["condition", "yes", "no"]));
    },
  ),
  builtin("mod", "a b", "mod(a, b) -> a", "a - b * floor(a / b): has the sign of b.", (call) => {
    const a = call.maybeNumber("a");
    const b = call.maybeNumber("b");
    return a && b ? numberValue(numbers.modulo(a, b)) : binary(call, "mod", "a", "b");
  }),
  builtin("float", "x", "float(x) -> f32", "The same number as f32; true is 1.", (call) => {
    const number = call.maybeNumber("x");
    if (number) return numberValue(number.kind === "exact" ? { ...number, integer: false } : number);
    const x = call.tensor("x");
    return result(typeOf(x).dtype === "f32" ? x : call.emit("cast", [x], { to: "f32" }, ["x"]));
  }),
  builtin("int", "x", "int(x) -> i32", "The whole part, toward zero.", (call) => {
    const x = call.tensor("x");
    return result(typeOf(x).dtype === "i32" ? x : call.emit("cast", [x], { to: "i32" }, ["x"]));
  }),
];
