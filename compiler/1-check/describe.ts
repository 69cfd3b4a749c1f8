/** Values as text for messages and hovers: types first, `f32[T, D]`. */
import type { Size } from "../axes/size.js";
import type { Axis, ValueType } from "../ops/types.js";
import { showSize, type Walk } from "./context.js";
import { numberText } from "./numbers.js";
import type { Value } from "./values.js";

type Names = Pick<Walk, "assumed">;

function axisText(walk: Names, axis: Axis): string {
  const size = showSize(walk, axis.size);
  return size === axis.name ? axis.name : `${axis.name} = ${size}`;
}

export function describeType(walk: Names, type: ValueType): string {
  if (type.kind === "routes") {
    const tokens =
      type.tokens.length === 0 ? "" : ` of [${type.tokens.map((axis) => axisText(walk, axis)).join(", ")}]`;
    return `routes[${axisText(walk, type.experts)}]${tokens}`;
  }
  return type.axes.length === 0
    ? type.dtype
    : `${type.dtype}[${type.axes.map((axis) => axisText(walk, axis)).join(", ")}]`;
}

/** `1 axis`, `2 axes`: a number with its noun. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

function article(word: string): string {
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
}

function instanceText(walk: Names, name: string, axes: Iterable<{ size: Size; name?: string }>): string {
  const list = [...axes].map((axis) => axis.name ?? showSize(walk, axis.size));
  return list.length === 0 ? name : `${name}[${list.join(", ")}]`;
}

/** What the value is, in the words of the language. */
export function describe(walk: Names, value: Value): string {
  switch (value.kind) {
    case "tensor":
      return describeType(walk, value.value.type);
    case "number":
      return `the number ${numberText(value.number)}`;
    case "boolean":
      return value.value === undefined ? "a truth value" : String(value.value);
    case "string":
      return `the text ${JSON.stringify(value.value)}`;
    case "axis":
      return `the axis ${axisText(walk, value)}`;
    case "tuple":
      return `(${value.items.map((item) => describe(walk, item)).join(", ")})`;
    case "list":
      return "a list";
    case "range":
      return "a range";
    case "arrow":
      return "an arrow";
    case "declaration":
      return `the ${value.info.decl.contract} ${value.info.decl.name.text}`;
    case "instance":
      return `the ${value.info.decl.contract} ${instanceText(walk, value.info.decl.name.text, value.axes.values())}`;
    case "opaque":
      return article(value.contract);
    case "bank":
      return "a bank of experts";
    case "pool":
      return "a pool of modules";
    case "stack":
      return `the stack ${value.member.name.text}`;
    case "closure":
      return "a function";
    case "mask":
      return "a mask";
    case "state":
      return `the state ${value.state.path}`;
    case "builtin":
      return `the function ${value.name}`;
    case "unknown":
      return "something unknown";
    default:
      return value satisfies never;
  }
}
