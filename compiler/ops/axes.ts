/** Ops that rename, regroup or reorder axes and move no number. */
import { Size } from "../axes/size.js";
import { countOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType, withoutAxes } from "./op-use.js";
import { axisIndex, makeTensor, readAs, tensorAt } from "./reference-tensor.js";
import { axesText } from "./type-text.js";
import type { Axis, OpCall, OpCost, RoutesType, TensorType, ValueType } from "./types.js";

const free = (): OpCost => ({ flops: Size.zero, bytes: Size.zero });

function renameType(call: OpCall): ValueType {
  const use = new OpUse("rename", call);
  use.arity(1);
  if (call.operands[0]?.kind === "routes") return renameRoutes(use, call.operands[0]);
  const x = use.tensor(0);
  const axis = use.axis(0, use.name("from"));
  const axes = replaceAxis(x.axes, axis.name, [{ name: use.name("to"), size: axis.size }]);
  use.distinct(axes, 0);
  return tensorType(x.dtype, axes);
}

/** Routes have names on their tokens and on their experts. */
function renameRoutes(use: OpUse, routes: RoutesType): RoutesType {
  const [from, to] = [use.name("from"), use.name("to")];
  const all = [...routes.tokens, routes.experts];
  if (!all.some((axis) => axis.name === from)) {
    use.fail("MOE2042", { axis: from, axes: all.map((axis) => axis.name).join(", ") }, 0);
  }
  const named = (axis: Axis): Axis => (axis.name === from ? { name: to, size: axis.size } : axis);
  use.distinct(all.map(named), 0);
  return { ...routes, tokens: routes.tokens.map(named), experts: named(routes.experts) };
}

const rename = defineOp("rename", "axes", {
  doc: "Another name for the axis `from`: `to`; of a tensor, or of the tokens or experts of routes. No number moves.",
  example: "fn f[T, S, D](x: [T, D]) => x[T -> S]",
  attrs: ["from", "to"],
  gradient: "chain",
  type: (call) => [renameType(call)],
  cost: free,
  reference: (_context, operands, call) => {
    const { from, to } = call.attrs;
    const named = <A extends { readonly name: string }>(axis: A): A =>
      axis.name === from ? { ...axis, name: to as string } : axis;
    if (operands[0]?.kind === "routes") {
      const routes = operands[0];
      return [{ ...routes, tokens: routes.tokens.map(named), experts: named(routes.experts) }];
    }
    const x = tensorAt(operands, 0);
    return [{ ...x, axes: x.axes.map(named) }];
  },
  lowering: { kind: "view" },
});

function splitType(call: OpCall): TensorType {
  const use = new OpUse("split", call);
  use.arity(1);
  const x = use.tensor(0);
  const axis = use.axis(0, use.name("axis"));
  const into = use.newAxes("into");
  const product = countOf(into);
  if (!product.equals(axis.size)) {
    use.fail(
      "MOE2047",
      { axis: axis.name, size: axis.size.key, parts: axesText(into), found: product.key },
      0,
      axis.name,
    );
  }
  const axes = replaceAxis(x.axes, axis.name, into);
  use.distinct(axes, 0);
  return tensorType(x.dtype, axes);
}

const split = defineOp("split", "axes", {
  doc: "Splits `axis` into the axes `into`, outermost first: index `e` becomes `(g, m)` with `e = g * size(m) + m`. The sizes multiply to the size of the axis, provably.",
  example: "fn f[T, H, C](x: [T, D = H * C]) => split(x, D -> [H, C])",
  attrs: ["axis", "into"],
  gradient: "chain",
  type: (call) => [splitType(call)],
  cost: free,
  reference: (context, operands, call) => {
    const x = tensorAt(operands, 0);
    const into = new OpUse("split", call).newAxes("into");
    const at = axisIndex(x, call.attrs.axis as string);
    const parts = into.map((axis) => ({ name: axis.name, size: context.size(axis.size) }));
    return [makeTensor(x.dtype, x.axes.toSpliced(at, 1, ...parts), x.data)];
  },
  lowering: { kind: "view" },
});

function mergeType(call: OpCall): TensorType {
  const use = new OpUse("merge", call);
  use.arity(1);
  const x = use.tensor(0);
  const names = use.names("axes");
  const merged = names.map((name) => use.axis(0, name));
  const first = names[0] ?? use.badAttr("axes", "at least one axis");
  const into = { name: use.name("into"), size: countOf(merged) };
  const axes = replaceAxis(withoutAxes(x.axes, names.slice(1)), first, [into]);
  use.distinct(axes, 0);
  return tensorType(x.dtype, axes);
}

const merge = defineOp("merge", "axes", {
  doc: "Joins `axes`, outermost first, into one axis `into` at the place of the first: the inverse of `split`.",
  example: "fn f[T, H, C](x: [T, H, C]) => merge(x, [H, C] -> D)",
  attrs: ["axes", "into"],
  gradient: "chain",
  type: (call) => [mergeType(call)],
  cost: free,
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const names = call.attrs.axes as readonly string[];
    const order = x.axes.flatMap((axis) => {
      if (axis.name === names[0]) return names.map((name) => x.axes[axisIndex(x, name)]!);
      return names.includes(axis.name) ? [] : [axis];
    });
    const at = order.findIndex((axis) => axis.name === names[0]);
    const size = order.slice(at, at + names.length).reduce((product, axis) => product * axis.size, 1);
    const axes = order.toSpliced(at, names.length, { name: call.attrs.into as string, size });
    return [makeTensor(x.dtype, axes, readAs(x, order))];
  },
  lowering: { kind: "view" },
});

function orderType(call: OpCall): TensorType {
  const use = new OpUse("order", call);
  use.arity(1);
  const x = use.tensor(0);
  const axes = use.names("axes").map((name) => use.axis(0, name));
  const left = x.axes.find((axis) => !axes.includes(axis));
  if (left) use.badAttr("axes", `all of [${axesText(x.axes)}]`);
  return tensorType(x.dtype, axes);
}

const order = defineOp("order", "axes", {
  doc: "The same values with another order in memory, outermost first; `axes` lists every axis once.",
  example: "fn f[T, D](x: [T, D]) => order(x, [D, T])",
  attrs: ["axes"],
  gradient: "chain",
  type: (call) => [orderType(call)],
  cost: (call) => moving([...call.operands, orderType(call)]),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const axes = (call.attrs.axes as readonly string[]).map((name) => x.axes[axisIndex(x, name)]!);
    return [makeTensor(x.dtype, axes, readAs(x, axes))];
  },
  lowering: { kind: "view" },
});

function expandType(call: OpCall): TensorType {
  const use = new OpUse("expand", call);
  use.arity(1);
  const x = use.tensor(0);
  const axes = [{ name: use.name("axis"), size: use.size("size") }, ...x.axes];
  use.distinct(axes, 0);
  return tensorType(x.dtype, axes);
}

const expand = defineOp("expand", "axes", {
  doc: "Repeats the value along a new axis, which comes first.",
  example: "fn f[T, D](x: [D]) => expand(x, T)",
  attrs: ["axis", "size"],
  gradient: "chain",
  type: (call) => [expandType(call)],
  cost: free,
  reference: (context, operands, call) => {
    const x = tensorAt(operands, 0);
    const axes = [{ name: call.attrs.axis as string, size: context.size(call.attrs.size as Size) }, ...x.axes];
    return [makeTensor(x.dtype, axes, readAs(x, axes))];
  },
  lowering: { kind: "view" },
});

export const axesOps = { rename, split, merge, order, expand } as const;
