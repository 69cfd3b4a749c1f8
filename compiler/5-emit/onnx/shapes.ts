/** Ops that rename, regroup and move, and those that make values out of nothing. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { contract } from "./contract.js";
import { gather, scatter } from "./gather.js";
import { axisAt } from "./graph.js";
import type { ElementType } from "./model-bytes.js";
import type { Lower, Use } from "./use.js";
import type { Tensor, Value } from "./values.js";

const axesOf = (value: unknown): readonly Axis[] => value as readonly Axis[];

function rename(use: Use): Value {
  const { from, to } = use.attrs as { from: string; to: string };
  const value = use.operands[0]!;
  if (value.kind !== "routes") return use.graph.renamed(use.tensor(0), from, to);
  const experts = value.experts.name === from ? { ...value.experts, name: to } : value.experts;
  const { graph } = use;
  return {
    ...value,
    experts,
    index: graph.renamed(value.index, from, to),
    weight: graph.renamed(value.weight, from, to),
  };
}

function split(use: Use): Tensor {
  const x = use.tensor(0);
  return use.graph.reshape(x, x.axes.toSpliced(axisAt(x, use.attrs.axis as string), 1, ...axesOf(use.attrs.into)));
}

function merge(use: Use): Tensor {
  const x = use.tensor(0);
  const names = use.attrs.axes as readonly string[];
  const order = x.axes.flatMap(({ name }) => (name === names[0] ? names : names.includes(name) ? [] : [name]));
  const ordered = use.graph.order(x, order);
  const at = axisAt(ordered, names[0]!);
  const size = ordered.axes.slice(at, at + names.length).reduce((all, axis) => all.times(axis.size), Size.one);
  return use.graph.reshape(ordered, ordered.axes.toSpliced(at, names.length, { name: use.attrs.into as string, size }));
}

/** Axes that only this place has (rows of an expert) stay in front. */
function order(use: Use): Tensor {
  const x = use.tensor(0);
  const names = use.attrs.axes as readonly string[];
  const extra = x.axes.map(({ name }) => name).filter((name) => !names.includes(name));
  return use.graph.order(x, [...extra, ...names]);
}

function concat(use: Use): Tensor {
  const { graph, tensors } = use;
  const axis = use.attrs.axis as string;
  const all: Axis[] = [];
  for (const part of tensors) {
    for (const own of part.axes) if (!all.some(({ name }) => name === own.name)) all.push(own);
  }
  const at = all.findIndex(({ name }) => name === axis);
  const sizes = tensors.map((part) => part.axes[axisAt(part, axis)]!.size);
  const parts = tensors.map((part, index) => graph.full(part, all.with(at, { name: axis, size: sizes[index]! })).name);
  const size = sizes.reduce((sum, part) => sum.plus(part));
  const name = graph.node("Concat", parts, { axis: { int: at } });
  return { ...tensors[0]!, name, axes: all.with(at, { name: axis, size }) };
}

/** Fill on the side that values come from, then a window of the old size. */
function shift(use: Use): Tensor {
  const { graph } = use;
  const x = use.tensor(0);
  const axis = use.attrs.axis as string;
  const by = use.attrs.by as number;
  const at = axisAt(x, axis);
  const { size } = x.axes[at]!;
  const pads = graph.integers(by >= 0 ? [by, 0] : [0, -by]);
  const fill = graph.number(x.type, use.attrs.fill as number).name;
  const name = graph.node("Pad", [x.name, pads, fill, graph.integers([at])]);
  const grown = { ...x, name, axes: x.axes.with(at, { name: axis, size: size.plus(Size.of(Math.abs(by))) }) };
  const from = Size.of(Math.max(-by, 0));
  const moved = graph.slice(grown, axis, from, from.plus(size));
  return { ...moved, axes: x.axes };
}

function constant(use: Use): Tensor {
  const { value, values, dtype } = use.attrs;
  const type = dtype as ElementType;
  if (values === undefined) return use.graph.number(type, value as number);
  const axes = axesOf(use.attrs.axes);
  const dims = axes.map(({ size }) => size.evaluate({}));
  return { kind: "tensor", name: use.graph.constant(type, dims, values as readonly number[]), type, axes };
}

const one =
  (lower: (use: Use) => Value): Lower =>
  (use) => [lower(use)];

export const shapeLowering = {
  rename: one(rename),
  split: one(split),
  merge: one(merge),
  order: one(order),
  expand: one((use) => {
    const x = use.tensor(0);
    const axis = { name: use.attrs.axis as string, size: use.attrs.size as Size };
    return use.graph.full(x, [axis, ...x.axes]);
  }),
  slice: one((use) =>
    use.graph.slice(use.tensor(0), use.attrs.axis as string, use.attrs.from as Size, use.attrs.to as Size),
  ),
  concat: one(concat),
  shift: one(shift),
  index: one((use) => {
    const axis = { name: use.attrs.axis as string, size: use.attrs.size as Size };
    return use.graph.range(axis, use.attrs.offset as Size);
  }),
  size: one((use) => use.graph.sizeScalar(use.attrs.value as Size, "i32")),
  constant: one(constant),
  layer_index: one((use) => use.graph.number("i32", use.around.layerIndex(use.attrs.stack as string))),
  param: one((use) => use.around.param(use.attrs.path as string)),
  knob: one((use) => use.around.knob(use.attrs.path as string)),
  contract: one((use) => contract(use.graph, use.tensor(0), use.tensor(1), use.attrs.over as readonly string[])),
  gather: one((use) => gather(use.graph, use.tensor(0), use.tensor(1), use.attrs.axis as string)),
  scatter: one((use) => {
    const ids = use.tensor(0);
    const target = { name: use.attrs.axis as string, size: use.attrs.size as Size };
    const { name } = use.declaredAxes(0).at(-1)!;
    const last = ids.axes[axisAt(ids, name)]!;
    return scatter(use.graph, ids, use.tensor(1), last, target, use.attrs.mode as "add" | "set");
  }),
  state_read: one((use) => use.around.readState(use.attrs.state as string)),
  state_write: one((use) => {
    use.around.writeState(use.attrs.state as string, use.tensor(0));
    return use.tensor(0);
  }),
  append: one((use) => {
    const all = use.around.append(use.attrs.state as string, use.tensor(0));
    const [rows, ...rest] = all.axes;
    return { ...all, axes: [{ name: use.attrs.as as string, size: rows!.size }, ...rest] };
  }),
};
