/** The printed form of types: `f32[T, D=256]`, `routes[T; E=8; 2]`. The text form of graphs and all messages use it. */
import type { Axis, ValueType } from "./types.js";

const plainName = /^[A-Za-z_][\w.']*$/;

/** A name as it is when it is an identifier, otherwise quoted. */
export function nameText(name: string): string {
  return plainName.test(name) ? name : JSON.stringify(name);
}

/** `D=256`, or `T` when the axis has the size of its own name. */
export function axisText(axis: Axis): string {
  return axis.size.key === axis.name && plainName.test(axis.name)
    ? axis.name
    : `${nameText(axis.name)}=${axis.size.key}`;
}

export function axesText(axes: readonly Axis[]): string {
  return axes.map(axisText).join(", ");
}

export function typeText(type: ValueType): string {
  if (type.kind === "routes") {
    return `routes[${axesText(type.tokens)}; ${axisText(type.experts)}; ${type.slots.key}]`;
  }
  return type.axes.length === 0 ? type.dtype : `${type.dtype}[${axesText(type.axes)}]`;
}

/** Same kind, dtype, axis names in the same order, and sizes. */
export function sameType(a: ValueType, b: ValueType): boolean {
  return typeText(a) === typeText(b);
}
