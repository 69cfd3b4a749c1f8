/** Rows by number, and back. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { axisAt, unionAxes, type Graph } from "./graph.js";
import type { Tensor } from "./values.js";

const names = (axes: readonly Axis[]): string[] => axes.map(({ name }) => name);

/** Ids outside of `[0, size)`, which read zeros. */
function inside(graph: Graph, ids: Tensor, size: Size): Tensor {
  const low = graph.apply("GreaterOrEqual", [ids, graph.number("i32", 0)], "bool");
  const high = graph.apply("Less", [ids, graph.sizeScalar(size, "i32")], "bool");
  return graph.apply("And", [low, high], "bool");
}

/** `table` along `axis` by number; shared axes are batch axes; an id outside of the axis gives zeros. */
export function gather(graph: Graph, table: Tensor, ids: Tensor, axis: string): Tensor {
  const at = axisAt(table, axis);
  const { size } = table.axes[at]!;
  const valid = inside(graph, ids, size);
  const safe = graph.where(valid, ids, graph.number("i32", 0));
  const rows = gatherRows(graph, table, safe, axis);
  const zero = graph.number(table.type, 0);
  if (rows.type !== "bool") return graph.where(valid, rows, zero);
  return graph.apply("And", [valid, rows], "bool");
}

/** The same where all ids are known to lie inside. */
export function gatherRows(graph: Graph, table: Tensor, ids: Tensor, axis: string): Tensor {
  const at = axisAt(table, axis);
  const rest = table.axes.filter((_, index) => index !== at);
  const own = ids.axes.filter(({ name }) => !rest.some((other) => other.name === name));
  const shared = rest.filter(({ name }) => ids.axes.some((other) => other.name === name));
  if (shared.length === 0) {
    const name = graph.node("Gather", [table.name, ids.name], { axis: { int: at } });
    return { ...table, name, axes: table.axes.toSpliced(at, 1, ...ids.axes) };
  }
  const others = rest.filter((candidate) => !shared.includes(candidate));
  const data = graph.order(table, [...names(shared), axis, ...names(others)]);
  const index = graph.cast(graph.order(ids, [...names(shared), ...names(own)]), "i64");
  const last = graph.node("Unsqueeze", [index.name, graph.integers([-1])]);
  const name = graph.node("GatherND", [data.name, last], { batch_dims: { int: shared.length } });
  return { ...table, name, axes: [...shared, ...own, ...others] };
}

/** Puts `values[…, n, …]` at `ids[…, n]` of `target`, which takes the place of `last`; ids outside of it are dropped. */
export function scatter(
  graph: Graph,
  ids: Tensor,
  values: Tensor,
  last: Axis,
  target: Axis,
  mode: "add" | "set",
): Tensor {
  if (mode === "set") return scatterLast(graph, ids, values, last, target);
  const axes = unionAxes([ids, values]);
  const at = axes.findIndex(({ name }) => name === last.name);
  // What lies outside goes to one index more, which is cut off.
  const valid = inside(graph, ids, target.size);
  const spare = graph.where(valid, ids, graph.sizeScalar(target.size, "i32"));
  const index = graph.cast(graph.full(spare, axes), "i64");
  const updates = graph.full(values, axes);
  const grown = { name: target.name, size: target.size.plus(Size.one) };
  const zeros = graph.filled(values.type, 0, axes.with(at, grown));
  const attributes = { axis: { int: at }, reduction: { text: "add" } };
  const name = graph.node("ScatterElements", [zeros.name, index.name, updates.name], attributes);
  return graph.slice({ ...zeros, name }, target.name, Size.zero, target.size);
}

/** The highest n wins: first which n that is, then a gather, since ONNX leaves the order of writes open. */
function scatterLast(graph: Graph, ids: Tensor, values: Tensor, last: Axis, target: Axis): Tensor {
  const at = axisAt(ids, last.name);
  const valid = inside(graph, ids, target.size);
  const spare = graph.cast(graph.where(valid, ids, graph.sizeScalar(target.size, "i32")), "i64");
  const number = graph.full(graph.range(last), ids.axes);
  const grown = { name: target.name, size: target.size.plus(Size.one) };
  const none = graph.filled("i32", -1, ids.axes.with(at, grown));
  const attributes = { axis: { int: at }, reduction: { text: "max" } };
  const name = graph.node("ScatterElements", [none.name, spare.name, number.name], attributes);
  const winner = graph.slice({ ...none, name }, target.name, Size.zero, target.size);
  // Nobody (-1) reads the zeros that stand in front of the values.
  const index = graph.apply("Add", [winner, graph.number("i32", 1)], "i32");
  return gatherRows(graph, graph.padded(values, [last.name], "front", 0), index, last.name);
}
