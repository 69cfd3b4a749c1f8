/**
 * Parts of cost formulas. Conventions: a multiply-add is 2 floating-point operations; exp, log, sqrt, division and the
 * like are 1 each; comparisons and integer arithmetic count like floating-point ones. Bytes are those of every operand
 * and result once, at 4 bytes a number and 1 a bool (storage formats of weights are the schedule's matter).
 */
import { Size } from "../axes/size.js";
import type { Axis, OpCost, ValueType } from "./types.js";

/** Number of elements. */
export function countOf(axes: readonly Axis[]): Size {
  return axes.reduce((product, axis) => product.times(axis.size), Size.one);
}

export function bytesOf(type: ValueType): Size {
  // A slot of routes is an i32 and an f32.
  if (type.kind === "routes") return countOf(type.tokens).times(type.slots).times(Size.of(8));
  return countOf(type.axes).times(Size.of(type.dtype === "bool" ? 1 : 4));
}

export function bytesOfAll(types: readonly ValueType[]): Size {
  return types.reduce((sum, type) => sum.plus(bytesOf(type)), Size.zero);
}

export function elementsOf(type: ValueType): Size {
  return type.kind === "routes" ? countOf(type.tokens).times(type.slots) : countOf(type.axes);
}

export const nothing: OpCost = { flops: Size.zero, bytes: Size.zero };

export function moving(types: readonly ValueType[], flops: Size = Size.zero): OpCost {
  return { flops, bytes: bytesOfAll(types) };
}
