/** Sums of products over named axes, as one matrix product. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import type { Graph } from "./graph.js";
import type { Tensor } from "./values.js";

const has = (x: Tensor, { name }: Axis): boolean => x.axes.some((axis) => axis.name === name);

/** One axis for several; the tensor has them last or in a run, in this order. */
function grouped(name: string, axes: readonly Axis[]): Axis {
  return { name, size: axes.reduce((product, { size }) => product.times(size), Size.one) };
}

/** Sum over `over` of a * b; shared axes that are not summed are batch axes. */
export function contract(graph: Graph, a: Tensor, b: Tensor, over: readonly string[]): Tensor {
  const summed = a.axes.filter(({ name }) => over.includes(name));
  const batch = a.axes.filter((axis) => has(b, axis) && !over.includes(axis.name));
  const rows = a.axes.filter((axis) => !has(b, axis));
  const columns = b.axes.filter((axis) => !has(a, axis));
  const groups = (x: Tensor, parts: readonly (readonly Axis[])[], names: readonly string[]): Tensor => {
    const ordered = graph.order(x, parts.flat().map(({ name }) => name)); // prettier-ignore
    if (batch.length <= 1 && parts.every((part, index) => part.length === 1 || (index === 0 && part === batch))) {
      return ordered;
    }
    const merged = parts.flatMap((part, index) =>
      part === batch && batch.length === 0 ? [] : [grouped(names[index]!, part)],
    );
    return graph.reshape(ordered, merged);
  };
  const left = groups(a, [batch, rows, summed], ["'b", "'m", "'k"]);
  const right = groups(b, [batch, summed, columns], ["'b", "'k", "'n"]);
  const name = graph.node("MatMul", [left.name, right.name]);
  const axes = [...batch, ...rows, ...columns];
  const product: Tensor = { kind: "tensor", name, type: "f32", axes };
  const isPlain = batch.length <= 1 && rows.length === 1 && columns.length === 1;
  return isPlain ? product : graph.reshape(product, axes);
}
