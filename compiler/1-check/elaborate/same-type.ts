/** Equality of types: same axes with the same sizes; the order in memory does not count. */
import type { Axis, ValueType } from "../../ops/types.js";

function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return (
    a.length === b.length &&
    a.every((axis) => b.some((other) => other.name === axis.name && other.size.equals(axis.size)))
  );
}

export function sameType(a: ValueType, b: ValueType): boolean {
  if (a.kind === "routes" || b.kind === "routes") {
    return (
      a.kind === "routes" &&
      b.kind === "routes" &&
      sameAxes(a.tokens, b.tokens) &&
      a.experts.name === b.experts.name &&
      a.experts.size.equals(b.experts.size)
    );
  }
  return a.dtype === b.dtype && sameAxes(a.axes, b.axes);
}
