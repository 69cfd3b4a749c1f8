/** Inputs of a call against the types of an entry: run-time sizes are read off, everything else must fit. */
import { MoecError } from "../errors/moec-error.js";
import { countElements } from "../ops/reference-tensor.js";
import { typeText } from "../ops/type-text.js";
import type { Axis, ReferenceValue, ValueType } from "../ops/types.js";
import type { Entry } from "./ir.js";

type Sizes = Readonly<Record<string, number>>;
type RunAxes = readonly { readonly name: string; readonly size: number }[];

function valueText(value: ReferenceValue): string {
  const list = (axes: RunAxes): string => axes.map((axis) => `${axis.name}=${axis.size}`).join(", ");
  return value.kind === "tensor"
    ? `${value.dtype}[${list(value.axes)}]`
    : `routes[${list(value.tokens)}; ${list([value.experts])}; ${value.slots}]`;
}

/** Pairs of a declared axis and the one given; undefined when they cannot be paired. */
function pairAxes(type: ValueType, value: ReferenceValue): (readonly [Axis, RunAxes[number]])[] | undefined {
  if (type.kind === "tensor" && value.kind === "tensor") {
    if (type.dtype !== value.dtype || type.axes.length !== value.axes.length) return undefined;
    return type.axes.map((axis, index) => [axis, value.axes[index]!] as const);
  }
  if (type.kind === "routes" && value.kind === "routes") {
    if (type.tokens.length !== value.tokens.length) return undefined;
    const slots = { name: "slots", size: type.slots };
    return [
      ...type.tokens.map((axis, index) => [axis, value.tokens[index]!] as const),
      [type.experts, value.experts] as const,
      [slots, { name: "slots", size: value.slots }] as const,
    ];
  }
  return undefined;
}

/** The number of elements is that of the axes. */
function isWhole(value: ReferenceValue): boolean {
  if (value.kind === "tensor") return value.data.length === countElements(value.axes);
  const count = countElements(value.tokens) * value.slots;
  return value.index.length === count && value.weight.length === count;
}

/** Arguments in the order of the entry's parameters, and all run-time sizes. Throws MOE2065 and MOE2066. */
export function bindInputs(
  entry: Entry,
  inputs: Readonly<Record<string, ReferenceValue>>,
  known: Sizes,
): { readonly args: readonly ReferenceValue[]; readonly sizes: Sizes } {
  const sizes: Record<string, number> = { ...known };
  const bound = entry.inputs.map((name, index) => {
    const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    if (!value) throw new MoecError("MOE2065", `there is no value for the input \`${name}\``);
    const type = entry.body.params[index]!.type;
    const wrong = (): MoecError =>
      new MoecError("MOE2066", `\`${name}\` is ${typeText(type)}, but ${valueText(value)} was given`);
    const pairs = pairAxes(type, value);
    if (!pairs || !isWhole(value) || pairs.some(([axis, given]) => axis.name !== given.name)) throw wrong();
    for (const [axis, given] of pairs) {
      const { key, names } = axis.size;
      if (names.length === 1 && names[0] === key && !Object.hasOwn(sizes, key)) sizes[key] = given.size;
    }
    return { value, pairs, wrong };
  });
  for (const { pairs, wrong } of bound) {
    for (const [axis, given] of pairs) {
      const missing = axis.size.names.find((name) => !Object.hasOwn(sizes, name));
      if (missing !== undefined) throw new MoecError("MOE2065", `there is no value for the size \`${missing}\``);
      if (axis.size.evaluate(sizes) !== given.size) throw wrong();
    }
  }
  return { args: bound.map((input) => input.value), sizes };
}
