/** The slot axis of tokens that went through experts: `dispatch` keeps it, `combine` takes it away. */
import type { Node } from "../../2-graph/ir.js";
import { compare, constant, convert, div, max, mul, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { Coordinate, Coordinates } from "./coordinate.js";
import type { EntryLowering } from "./entry-lowering.js";
import { expertOutputs, type MixtureCall } from "./mixture.js";
import { reduced, type StoreTensor } from "./reduction.js";
import { slotAxis, type Routes } from "./routes.js";
import { alignedAxes, Computed, Mapped, type Deferred, type Tensor } from "./tensor.js";
import { mergeAxes, orderAxes, renameAxis } from "./views.js";

const plus = (at: Coordinates, axis: string, c: Coordinate): Coordinates => new Map([...at, [axis, c]]);

export function dispatch(entry: EntryLowering, call: MixtureCall, axis: string): Tensor {
  const slots = call.x.has(axis) ? axis : undefined;
  return renameAxis(expertOutputs(entry, { ...call, ...(slots === undefined ? {} : { slots }) }), slotAxis, axis);
}

/** weight * value of the filled slots, `empty` for the others. */
function terms(values: Tensor, routes: Routes, axis: string, empty: number): Tensor {
  const inner = renameAxis(values, axis, slotAxis);
  const axes = [
    ...routes.tokens,
    ...inner.axes.filter((own) => !routes.tokens.some((token) => token.name === own.name)),
  ];
  const cost = inner.cost + 3;
  const lanesAlong = (name: string): boolean =>
    name !== slotAxis && !routes.tokens.some((token) => token.name === name) && inner.lanesAlong(name);
  const read = (emitter: Parameters<Tensor["read"]>[0], at: Coordinates): Expression => {
    const filled = compare("ge", routes.index.read(emitter, at), 0);
    const term = mul(inner.read(emitter, at), routes.weight.read(emitter, at));
    return select(filled, term, constant(empty, f32));
  };
  const outer = new Set([slotAxis, ...routes.tokens.map((token) => token.name)]);
  return new Computed("f32", axes, { cost, lanesAlong }, (emitter, at) => {
    const { vector } = emitter;
    const crosses = vector && [...at].some(([name, c]) => outer.has(name) && c.mentions(vector.name));
    return crosses ? emitter.lanewise(at, (lane) => read(emitter, lane)) : read(emitter, at);
  });
}

/** Number of filled slots of a token, at least 1. */
function filledSlots(routes: Routes): Tensor {
  return new Computed("f32", routes.tokens, { cost: 8, scalar: true }, (emitter, at) => {
    const count = emitter.builder.variable("filled", constant(0));
    emitter.loop("slot", 0, emitter.size(routes.slots), 1, routes.slots, (slot) => {
      const filled = compare("ge", routes.index.read(emitter, plus(at, slotAxis, slot)), 0);
      count.set({ kind: "binary", op: "add", left: count.get, right: convert(filled, "i32"), type: count.get.type });
    });
    return convert(max(count.get, 1), "f32");
  });
}

export function combineSlots(values: Deferred, routes: Routes, node: Node, store: StoreTensor): Tensor {
  const axis = node.attrs.slotAxis as string;
  switch (node.attrs.rule as "sum" | "mean" | "product" | "concat") {
    case "sum":
      return reduced("sum", [terms(values, routes, axis, 0)], [slotAxis], store);
    case "product":
      return reduced("prod", [terms(values, routes, axis, 1)], [slotAxis], store);
    case "mean": {
      const sum = reduced("sum", [terms(values, routes, axis, 0)], [slotAxis], store);
      const count = filledSlots(routes);
      return new Mapped("f32", alignedAxes([sum, count]), [sum, count], 4, (_, [a, b]) => div(a!, b!));
    }
    case "concat": {
      const joined = node.attrs.axis as string;
      const all = terms(values, routes, axis, 0);
      const rest = all.axes.filter((own) => own.name !== slotAxis).map((own) => own.name);
      const order = rest.flatMap((name) => (name === joined ? [slotAxis, name] : [name]));
      return mergeAxes(orderAxes(all, order), [slotAxis, joined], joined);
    }
  }
}
