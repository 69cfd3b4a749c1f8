/** Ops along an axis: reductions, normalizers, running sums, choices. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { gatherRows } from "./gather.js";
import { axisAt, type Graph } from "./graph.js";
import type { Lower, Use } from "./use.js";
import type { Tensor } from "./values.js";

const REDUCTIONS: Readonly<Record<string, string>> = {
  sum: "ReduceSum",
  max: "ReduceMax",
  min: "ReduceMin",
  prod: "ReduceProd",
  any: "ReduceMax",
  all: "ReduceMin",
};

function reduce(use: Use): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const over = use.attrs.over as readonly string[];
  const kind = use.attrs.kind as string;
  if (kind === "mean") {
    const gone = x.axes.filter(({ name }) => over.includes(name));
    const count = gone.reduce<Tensor>(
      (product, { size }) => graph.apply("Mul", [product, graph.sizeScalar(size, "f32")], "f32"),
      graph.number("f32", 1),
    );
    const least = graph.apply("Max", [count, graph.number("f32", 1)], "f32");
    return graph.apply("Div", [graph.reduce("ReduceSum", x, over), least], "f32");
  }
  const numbers = x.type === "bool" ? graph.cast(x, "i32") : x;
  return graph.cast(graph.reduce(REDUCTIONS[kind]!, numbers, over), x.type);
}

/** Largest of each line, with 0 for a line of -Infinity; exponentials of what is above it, and their sum. */
export function exponentials(graph: Graph, x: Tensor, over: string): { top: Tensor; each: Tensor; sum: Tensor } {
  const most = graph.reduce("ReduceMax", x, [over]);
  const empty = graph.apply("Equal", [most, graph.number("f32", -Infinity)], "bool");
  const top = graph.where(empty, graph.number("f32", 0), most);
  const each = graph.apply("Exp", [graph.apply("Sub", [x, top], "f32")], "f32");
  return { top, each, sum: graph.reduce("ReduceSum", each, [over]) };
}

/** A sum of 0 belongs to a line of -Infinity, whose shares are 0. */
export function shares(graph: Graph, each: Tensor, sum: Tensor): Tensor {
  const isZero = graph.apply("Equal", [sum, graph.number("f32", 0)], "bool");
  return graph.apply("Div", [each, graph.where(isZero, graph.number("f32", 1), sum)], "f32");
}

function softmax(use: Use): Tensor {
  const { each, sum } = exponentials(use.graph, use.tensor(0), use.attrs.over as string);
  return shares(use.graph, each, sum);
}

function logsumexp(use: Use): Tensor {
  const { graph } = use;
  const { top, sum } = exponentials(graph, use.tensor(0), use.attrs.over as string);
  return graph.apply("Add", [top, graph.apply("Log", [sum], "f32")], "f32");
}

function logSoftmax(use: Use): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const { top, sum } = exponentials(graph, x, use.attrs.over as string);
  const isZero = graph.apply("Equal", [sum, graph.number("f32", 0)], "bool");
  const log = graph.apply("Log", [graph.where(isZero, graph.number("f32", 1), sum)], "f32");
  return graph.apply("Sub", [graph.apply("Sub", [x, top], "f32"), log], "f32");
}

function cumsum(use: Use): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const attributes = {
    exclusive: { int: Number(use.attrs.exclusive === true) },
    reverse: { int: Number(use.attrs.reverse === true) },
  };
  const at = graph.number("i64", axisAt(x, use.attrs.over as string));
  return { ...x, name: graph.node("CumSum", [x.name, at.name], attributes) };
}

/** What is never chosen, at the end of the order: NaN. */
function chosenLast(graph: Graph, x: Tensor, largest: boolean): { keys: Tensor; never?: Tensor } {
  if (x.type !== "f32") return { keys: x };
  const never = graph.apply("IsNaN", [x], "bool");
  return { keys: graph.where(never, graph.number("f32", largest ? -Infinity : Infinity), x), never };
}

/**
 * Values and indices (i32) of the k best along an axis, which becomes `as`; equal ones by index. ONNX Runtime divides by
 * the number of lines, so axes that may be empty get one index more, which is cut off again.
 */
export function topK(graph: Graph, given: Tensor, over: string, as: Axis, largest = true): readonly [Tensor, Tensor] {
  const open = given.axes.filter(({ size }) => size.constant === undefined || size.constant === 0);
  const last = given.type === "i32" ? (largest ? -(2 ** 31) : 2 ** 31 - 1) : largest ? -Infinity : Infinity;
  const x = graph.padded(given, open.map(({ name }) => name), "back", last); // prettier-ignore
  const at = axisAt(x, over);
  const attributes = { axis: { int: at }, largest: { int: Number(largest) }, sorted: { int: 1 } };
  const [values, indices] = graph.nodeMany("TopK", [x.name, graph.size(as.size)], 2, attributes);
  const axes = x.axes.with(at, as);
  const cut = (result: Tensor): Tensor =>
    open.reduce(
      (rest, { name, size }) => (name === over ? rest : { ...graph.slice(rest, name, Size.zero, size) }),
      result,
    );
  const index: Tensor = { kind: "tensor", name: indices!, type: "i64", axes };
  return [cut({ ...x, name: values!, axes }), graph.cast(cut(index), "i32")];
}

function arg(use: Use, largest: boolean): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const over = use.attrs.over as string;
  const { keys, never } = chosenLast(graph, x, largest);
  const at = axisAt(x, over);
  const attributes = { axis: { int: at }, keepdims: { int: 0 } };
  const name = graph.node(largest ? "ArgMax" : "ArgMin", [keys.name], attributes);
  const best = graph.cast({ kind: "tensor", name, type: "i64", axes: x.axes.toSpliced(at, 1) }, "i32");
  if (!never) return best;
  const none = graph.cast(graph.reduce("ReduceMin", graph.cast(never, "i32"), [over]), "bool");
  return graph.where(none, graph.number("i32", -1), best);
}

function top(use: Use): readonly Tensor[] {
  const { graph } = use;
  const over = use.attrs.over as string;
  const { keys, never } = chosenLast(graph, use.tensor(0), true);
  const as = { name: use.attrs.as as string, size: use.attrs.k as Size };
  const [values, indices] = topK(graph, keys, over, as);
  if (!never) return [values, indices];
  const empty = gatherRows(graph, never, indices, over);
  return [values, graph.where(empty, graph.number("i32", -1), indices)];
}

function sort(use: Use): readonly Tensor[] {
  const { graph } = use;
  const x = use.tensor(0);
  const over = use.attrs.over as string;
  const descending = use.attrs.descending === true;
  const { keys } = chosenLast(graph, x, descending);
  const [, indices] = topK(graph, keys, over, { ...x.axes[axisAt(x, over)]!, name: "'sorted" }, descending);
  const values = gatherRows(graph, x, indices, over);
  return [graph.renamed(values, "'sorted", over), graph.renamed(indices, "'sorted", over)];
}

function topMask(use: Use): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const over = use.attrs.over as string;
  const { keys, never } = chosenLast(graph, x, true);
  const [, indices] = topK(graph, keys, over, { name: over, size: use.attrs.k as Size });
  const zeros = graph.filled("i32", 0, x.axes);
  const ones = graph.filled("i32", 1, indices.axes);
  const attributes = { axis: { int: axisAt(x, over) } };
  const name = graph.node("ScatterElements", [zeros.name, graph.cast(indices, "i64").name, ones.name], attributes);
  const chosen = graph.cast({ ...zeros, name }, "bool");
  if (!never) return chosen;
  return graph.apply("And", [chosen, graph.apply("Not", [never], "bool")], "bool");
}

const one =
  (lower: (use: Use) => Tensor): Lower =>
  (use) => [lower(use)];

export const reduceLowering = {
  reduce: one(reduce),
  softmax: one(softmax),
  log_softmax: one(logSoftmax),
  logsumexp: one(logsumexp),
  cumsum: one(cumsum),
  argmax: one((use) => arg(use, true)),
  argmin: one((use) => arg(use, false)),
  top,
  sort,
  top_mask: one(topMask),
};
