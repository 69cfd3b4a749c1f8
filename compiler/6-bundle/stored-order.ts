/** How the tensors of a parameter lie in a checkpoint: their names, and their axes in the order of the file. */
import { layerName } from "../1-check/layer-names.js";
import { moecError } from "../errors/raise.js";
import type { ParamDecl, WeightSource } from "../2-graph/ir.js";

/** Axes of a tensor with their sizes, outermost first. */
export interface Shape {
  readonly names: readonly string[];
  readonly sizes: readonly number[];
}

/** A parameter's own axes, without those of the layers. */
export function shapeOf(param: ParamDecl): Shape {
  const own = param.axes.slice(param.layerAxes);
  return { names: own.map(({ name }) => name), sizes: own.map((axis) => axis.size.evaluate({})) };
}

/** Sizes of the axes that enumerate layers, of nested stacks outermost first. */
export function layerSizes(param: ParamDecl): readonly number[] {
  return param.axes.slice(0, param.layerAxes).map(({ size }) => size.evaluate({}));
}

export interface StoredOrder {
  /** The expert axis, where each expert has a tensor of its own; it is the first of the parameter's own. */
  readonly bank: string | undefined;
  /** Tensors in a layer: experts of the bank, or 1. */
  readonly experts: number;
  /** Axes of one tensor in the parameter's order. */
  readonly own: Shape;
  /** The same axes in the order of the file. */
  readonly stored: Shape;
  /** The axis whose rows the file has in pairs, the last of the parameter's own. */
  readonly rotary: string | undefined;
}

/** @throws MoecError MOE5327 when the axes that the spec gives for the file are not the parameter's. */
export function storedOrder(source: WeightSource, param: ParamDecl): StoredOrder {
  const { names, sizes } = shapeOf(param);
  const bank = source.pattern.includes("{e}") ? names[0] : undefined;
  const skipped = bank === undefined ? 0 : 1;
  const own = { names: names.slice(skipped), sizes: sizes.slice(skipped) };
  const axes = source.axes?.filter((axis) => axis !== bank) ?? own.names;
  const order = orderOf(own.names, axes, param.path);
  return {
    bank,
    experts: bank === undefined ? 1 : sizes[0]!,
    own,
    stored: { names: axes, sizes: order.map((axis) => own.sizes[axis]!) },
    rotary: source.interleaved === true ? own.names.at(-1) : undefined,
  };
}

/** For each axis of `to`, where it is in `from`. */
export function orderOf(from: readonly string[], to: readonly string[], path: string): readonly number[] {
  const order = to.map((axis) => from.indexOf(axis));
  if (order.length === from.length && !order.includes(-1) && new Set(order).size === order.length) return order;
  throw withoutTensor(path, `its axes are [${from.join(", ")}], not [${to.join(", ")}]`);
}

export function withoutTensor(path: string, reason: string): Error {
  return moecError("MOE5327", { path, reason });
}

/** Size of an axis, and the products of those before and behind it. */
export function around(
  { names, sizes }: Shape,
  axis: string,
): { readonly outer: number; readonly size: number; readonly inner: number } {
  const at = names.indexOf(axis);
  return { outer: product(sizes.slice(0, at)), size: sizes[at]!, inner: product(sizes.slice(at + 1)) };
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** Names of a layer's tensors, one for each expert where these have their own. */
export function tensorNames(source: WeightSource, { experts }: StoredOrder, layer: readonly number[]): string[] {
  const pattern = layerName(source.pattern, layer);
  return Array.from({ length: experts }, (_, expert) => pattern.replaceAll("{e}", String(expert)));
}
