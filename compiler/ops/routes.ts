/** Reading, scaling and making routes. */
import type { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { makeTensor, offsetsOf, readAs, routesAt, stridesIn, tensorAt } from "./reference-tensor.js";
import type { OpCall, ReferenceRoutes, RoutesType, TensorType } from "./types.js";

function denseType(call: OpCall): TensorType {
  const use = new OpUse("routes_dense", call);
  use.arity(1);
  const routes = use.routes(0);
  return tensorType("f32", [...routes.tokens, routes.experts]);
}

const dense = defineOp("routes_dense", "select", {
  doc: "Weights on all experts, `[tokens…, E]`: 0 for those that are not chosen; weights of one expert in several slots add up.",
  example: "fn f[T, E](p: [T, E]) => weights(choose(p, top: 2))",
  gradient: "chain",
  type: (call) => [denseType(call)],
  cost: (call) => moving([...call.operands, denseType(call)], elementsOf(call.operands[0]!)),
  reference: (_context, operands) => {
    const routes = routesAt(operands, 0);
    const result = makeTensor("f32", [...routes.tokens, routes.experts]);
    for (let i = 0; i < routes.index.length; i++) {
      const expert = routes.index[i]!;
      if (expert >= 0) result.data[Math.floor(i / routes.slots) * routes.experts.size + expert]! += routes.weight[i]!;
    }
    return [result];
  },
  lowering: { kind: "template", template: "routes_dense" },
});

function slotType(name: string, call: OpCall, dtype: "i32" | "f32"): TensorType {
  const use = new OpUse(name, call);
  use.arity(1);
  const routes = use.routes(0);
  const axes = [...routes.tokens, { name: use.name("axis"), size: routes.slots }];
  use.distinct(axes, 0);
  return tensorType(dtype, axes);
}

function slotAxes(routes: ReferenceRoutes, call: OpCall) {
  return [...routes.tokens, { name: call.attrs.axis as string, size: routes.slots }];
}

const routesIndex = defineOp("routes_index", "select", {
  doc: "The expert of each slot, `[tokens…, axis]` i32; -1 for an empty slot.",
  example: "fn f[T, E](p: [T, E]) => indices(choose(p, top: 2), as: K)",
  attrs: ["axis"],
  gradient: "none",
  type: (call) => [slotType("routes_index", call, "i32")],
  cost: (call) => moving([...call.operands, slotType("routes_index", call, "i32")]),
  reference: (_context, operands, call) => {
    const routes = routesAt(operands, 0);
    return [makeTensor("i32", slotAxes(routes, call), Float64Array.from(routes.index))];
  },
  lowering: { kind: "view" },
});

const routesWeight = defineOp("routes_weight", "select", {
  doc: "The weight of each slot, `[tokens…, axis]`; 0 for an empty slot.",
  example: "fn f[T, E](p: [T, E]) => slot_weights(choose(p, top: 2), as: K)",
  attrs: ["axis"],
  gradient: "chain",
  type: (call) => [slotType("routes_weight", call, "f32")],
  cost: (call) => moving([...call.operands, slotType("routes_weight", call, "f32")]),
  reference: (_context, operands, call) => {
    const routes = routesAt(operands, 0);
    return [makeTensor("f32", slotAxes(routes, call), routes.weight)];
  },
  lowering: { kind: "view" },
});

function scaleType(call: OpCall): RoutesType {
  const use = new OpUse("routes_scale", call);
  use.arity(2);
  const routes = use.routes(0);
  use.tensor(1, ["f32"]);
  use.within(1, [...routes.tokens, routes.experts], 0);
  return routes;
}

const scale = defineOp("routes_scale", "select", {
  doc: "Weights times a factor: a scalar, one per expert `[E]`, one per token, or any of their axes.",
  example: "fn f[T, E](p: [T, E], s: [E]) => choose(p, top: 2) * s",
  gradient: "chain",
  type: (call) => [scaleType(call)],
  cost: (call) => moving([...call.operands, scaleType(call)], elementsOf(call.operands[0]!)),
  reference: (_context, operands) => {
    const routes = routesAt(operands, 0);
    const factor = tensorAt(operands, 1);
    const base = offsetsOf(routes.tokens, stridesIn(factor, routes.tokens));
    const step = stridesIn(factor, [routes.experts])[0]!;
    const weight = routes.weight.map((value, i) => {
      const expert = routes.index[i]!;
      return expert < 0 ? 0 : value * factor.data[base[Math.floor(i / routes.slots)]! + expert * step]!;
    });
    return [{ ...routes, weight }];
  },
  lowering: { kind: "template", template: "routes_scale" },
});

function makeType(call: OpCall): RoutesType {
  const use = new OpUse("routes_make", call);
  use.arity(2);
  const index = use.tensor(0, ["i32"]);
  use.tensor(1, ["f32"]);
  use.within(1, index.axes, 0);
  for (const axis of index.axes) use.axis(1, axis.name);
  const slots = index.axes.at(-1) ?? use.fail("MOE2042", { axis: "of slots", axes: "" }, 0);
  const tokens = index.axes.slice(0, -1);
  const experts = use.newAxis("experts");
  use.distinct([...tokens, experts], 0);
  return { kind: "routes", tokens, experts, slots: slots.size };
}

const make = defineOp("routes_make", "select", {
  doc: "Routes from numbers: `index[tokens…, K]` i32 and `weight[tokens…, K]`, whose last axis (of index) holds the slots. An index outside of the experts is an empty slot with weight 0. One expert may stand in two slots of a token: it then counts twice.",
  example: "fn f[T, K, E](i: int[T, K], w: [T, K]) => routes(i, w, E)",
  attrs: ["experts"],
  gradient: "chain",
  type: (call) => [makeType(call)],
  cost: (call) => moving([...call.operands, makeType(call)]),
  reference: (context, operands, call) => {
    const given = tensorAt(operands, 0);
    const { name, size } = new OpUse("routes_make", call).newAxis("experts");
    const experts = { name, size: context.size(size) };
    const index = Int32Array.from(given.data, (expert) => (expert >= 0 && expert < experts.size ? expert : -1));
    const weight = readAs(tensorAt(operands, 1), given.axes).map((value, i) => (index[i]! < 0 ? 0 : value));
    const slots = given.axes.at(-1)!.size;
    return [{ kind: "routes", tokens: given.axes.slice(0, -1), experts, slots, index, weight }];
  },
  lowering: { kind: "template", template: "routes_make" },
});

function countType(call: OpCall): TensorType {
  const use = new OpUse("routes_count", call);
  use.arity(1);
  return tensorType("i32", [use.routes(0).experts]);
}

const count = defineOp("routes_count", "select", {
  doc: "How many slots each expert has got, `[E]` i32; empty slots count nowhere.",
  example: "fn f[T, E](p: [T, E]) => counts(choose(p, top: 2))",
  gradient: "none",
  type: (call) => [countType(call)],
  cost: (call) => moving([...call.operands, countType(call)], elementsOf(call.operands[0]!)),
  reference: (_context, operands) => {
    const routes = routesAt(operands, 0);
    const result = makeTensor("i32", [routes.experts]);
    for (const expert of routes.index) if (expert >= 0) result.data[expert]! += 1;
    return [result];
  },
  lowering: { kind: "template", template: "routes_count" },
});

function limitType(call: OpCall): RoutesType {
  const use = new OpUse("routes_limit", call);
  use.arity(1, 2);
  const routes = use.routes(0);
  use.size("capacity");
  use.oneOf("overflow", ["drop", "next"]);
  if (call.operands.length === 2) {
    const all = [...routes.tokens, routes.experts];
    use.tensor(1, ["f32"]);
    use.within(1, all, 0);
    for (const axis of all) use.axis(1, axis.name);
  }
  return routes;
}

/** The expert that takes what `full` had no room for: best by score, or the next number, never one the token has. */
function nextExpert(
  full: number,
  open: (expert: number) => boolean,
  experts: number,
  scores?: (e: number) => number,
): number {
  let best = -1;
  for (let step = 1; step < experts; step++) {
    const expert = scores ? (step <= full ? step - 1 : step) : (full + step) % experts;
    if (!open(expert)) continue;
    if (!scores) return expert;
    const value = scores(expert);
    if (Number.isNaN(value) || value === -Infinity) continue;
    if (best < 0 || value > scores(best)) best = expert;
  }
  return best;
}

const limit = defineOp("routes_limit", "select", {
  doc: "Bounds the slots of each expert to `capacity`. Places are given out slot by slot (every token's first choice in the order of the tokens, then the second ones). What finds no place is dropped (`drop`: index -1, weight 0) or goes to another expert that has room and that the token does not have yet (`next`: by operand 1, scores `[tokens…, E]`, the best one, ties to the lowest index; without scores the next number, around the end) and keeps its weight; it is dropped when there is none.",
  example:
    "block B[D, F, E](k: int, route: router, experts: bank) {\n  (x: [T, D]) => mixture(x, route, experts, capacity: 1.25, overflow: drop)\n}",
  attrs: ["capacity", "overflow"],
  gradient: "chain",
  type: (call) => [limitType(call)],
  cost: (call) => moving([...call.operands, limitType(call)], elementsOf(call.operands[0]!)),
  reference: (context, operands, call) => {
    const routes = routesAt(operands, 0);
    const { slots, experts } = routes;
    const capacity = context.size(call.attrs.capacity as Size);
    const scores = operands[1] && readAs(tensorAt(operands, 1), [...routes.tokens, experts]);
    const index = routes.index.slice();
    const weight = routes.weight.slice();
    const used = new Int32Array(experts.size);
    const tokens = slots === 0 ? 0 : index.length / slots;
    for (let slot = 0; slot < slots; slot++) {
      for (let token = 0; token < tokens; token++) {
        const at = token * slots + slot;
        let expert = index[at]!;
        if (expert < 0) continue;
        if (used[expert]! >= capacity && call.attrs.overflow === "next") {
          const own = index.subarray(token * slots, (token + 1) * slots);
          const open = (candidate: number): boolean => used[candidate]! < capacity && !own.includes(candidate);
          const score = scores && ((candidate: number): number => scores[token * experts.size + candidate]!);
          expert = nextExpert(expert, open, experts.size, score);
        }
        if (expert >= 0 && used[expert]! < capacity) used[expert]! += 1;
        else expert = -1;
        index[at] = expert;
        if (expert < 0) weight[at] = 0;
      }
    }
    return [{ ...routes, index, weight }];
  },
  lowering: { kind: "template", template: "routes_limit" },
});

export const routesOps = {
  routes_dense: dense,
  routes_index: routesIndex,
  routes_weight: routesWeight,
  routes_scale: scale,
  routes_make: make,
  routes_limit: limit,
  routes_count: count,
} as const;
