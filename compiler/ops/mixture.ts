/** `mixture`, `dispatch` and `combine`: where tokens meet experts. */
import { Size } from "../axes/size.js";
import { countOf, elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { ExpertsRun, expertsAttrs, expertsCost, expertsType } from "./experts-call.js";
import { OpUse, tensorType, withoutAxes } from "./op-use.js";
import { makeTensor, readAs, routesAt, tensorAt } from "./reference-tensor.js";
import type { OpCall, ReferenceContext, ReferenceTensor, ReferenceValue, TensorType } from "./types.js";

function mixtureType(call: OpCall): TensorType {
  const use = new OpUse("mixture", call);
  const { routes, result } = expertsType(use);
  const axes = [...routes.tokens, ...result.axes];
  use.distinct(axes);
  return tensorType("f32", axes);
}

/** Axes of what experts give, also when no expert ran and nothing can be looked at. */
function resultAxes(context: ReferenceContext, call: OpCall): ReferenceTensor["axes"] {
  const [given] = call.regions[0]!.results;
  if (given?.kind !== "tensor") throw new TypeError("an expert gives a tensor");
  return given.axes.map(({ name, size }) => ({ name, size: context.size(size) }));
}

const mixture = defineOp("mixture", "region", {
  doc: [
    "Applies the experts of each token and sums: `sum over slots of weight * expert(x)`, with the token axes of the routes",
    "first, then the axes of what an expert gives. Operands `[x, routes, per-token values…, params of bank 0…, of bank",
    "1…, captures…]`; the first axis of a bank's params numbers its experts, and experts are numbered through the banks in",
    "order. One region per bank: `(x of one token, per-token values, its params, captures) -> result`; per-token values",
    "lose the token axes and, when they have it, the expert axis. `weigh: input` multiplies x by the weight instead of the",
    "result. An empty slot adds nothing, so a token without experts gets zeros; an expert without tokens is not run.",
  ].join(" "),
  example:
    "block MoE[D, F, E](k: int) {\n  use route = TopK[D, E](k)\n  use experts = E of SwiGLU[D, F]\n  (x: [T, D]) => mixture(x, route, experts)\n}",
  attrs: [...expertsAttrs],
  gradient: "chain",
  type: (call) => [mixtureType(call)],
  cost: (call) => {
    const use = expertsType(new OpUse("mixture", call));
    // One multiply-add per slot and element of a result.
    const summed = countOf(use.routes.tokens).times(use.routes.slots).times(elementsOf(use.result)).times(Size.of(2));
    return expertsCost(call, use, summed, mixtureType(call));
  },
  reference: (context, operands, call) => {
    const run = new ExpertsRun(context, operands, call);
    const axes = resultAxes(context, call);
    const result = makeTensor("f32", [...run.routes.tokens, ...axes]);
    const count = run.tokens === 0 ? 0 : result.data.length / run.tokens;
    for (let token = 0; token < run.tokens; token++) {
      for (let slot = 0; slot < run.routes.slots; slot++) {
        const given = run.slot(token, slot);
        if (!given) continue;
        const weight = call.attrs.weigh === "input" ? 1 : run.routes.weight[token * run.routes.slots + slot]!;
        const data = readAs(given, axes);
        for (let i = 0; i < count; i++) result.data[token * count + i]! += weight * data[i]!;
      }
    }
    return [result];
  },
  lowering: { kind: "template", template: "mixture" },
});

function dispatchType(call: OpCall): TensorType {
  const use = new OpUse("dispatch", call);
  const slotAxis = use.name("slotAxis");
  const { routes, result } = expertsType(use, slotAxis);
  const axes = [...routes.tokens, { name: slotAxis, size: routes.slots }, ...result.axes];
  use.distinct(axes);
  return tensorType("f32", axes);
}

const dispatch = defineOp("dispatch", "region", {
  doc: "The first half of `mixture`: what each slot's expert gives, not weighted (unless `weigh: input`), on the axis `slotAxis` behind the token axes. An empty slot gives zeros. When x has the axis `slotAxis`, each slot reads its own part of x.",
  example:
    "block B[D, F, E](route: router, experts: bank) {\n  (x: [T, D]) => {\n    let r = route(x)\n    combine(dispatch(x, r, experts), r)\n  }\n}",
  attrs: [...expertsAttrs, "slotAxis"],
  gradient: "chain",
  type: (call) => [dispatchType(call)],
  cost: (call) =>
    expertsCost(
      call,
      expertsType(new OpUse("dispatch", call), call.attrs.slotAxis as string),
      Size.zero,
      dispatchType(call),
    ),
  reference: (context, operands, call) => {
    const slotAxis = call.attrs.slotAxis as string;
    const run = new ExpertsRun(context, operands, call, slotAxis);
    const { slots } = run.routes;
    const axes = resultAxes(context, call);
    const result = makeTensor("f32", [...run.routes.tokens, { name: slotAxis, size: slots }, ...axes]);
    const count = result.data.length === 0 ? 0 : result.data.length / (run.tokens * slots);
    for (let token = 0; token < run.tokens; token++) {
      for (let slot = 0; slot < slots; slot++) {
        const given = run.slot(token, slot);
        if (given) result.data.set(readAs(given, axes), (token * slots + slot) * count);
      }
    }
    return [result];
  },
  lowering: { kind: "template", template: "dispatch" },
});

const rules = ["sum", "mean", "product", "concat"] as const;

function combineType(call: OpCall): TensorType {
  const use = new OpUse("combine", call);
  use.arity(2);
  const values = use.tensor(0, ["f32"]);
  const routes = use.routes(1);
  const rule = use.oneOf("rule", rules);
  const slot = use.axis(0, use.name("slotAxis"));
  use.sameSize({ name: slot.name, size: routes.slots }, slot, 0, 1);
  for (const token of routes.tokens) use.sameSize(token, use.axis(0, token.name), 0, 1);
  const rest = withoutAxes(values.axes, [...routes.tokens.map((axis) => axis.name), slot.name]);
  if (rule !== "concat") return tensorType("f32", [...routes.tokens, ...rest]);
  const joined = use.axis(0, use.name("axis"));
  if (!rest.includes(joined))
    use.fail("MOE2050", { axis: joined.name, allowed: rest.map((axis) => axis.name).join(", ") }, 0, joined.name);
  const grown = rest.map((axis) => (axis === joined ? { name: axis.name, size: axis.size.times(routes.slots) } : axis));
  return tensorType("f32", [...routes.tokens, ...grown]);
}

/** Values and weights as `[token][slot][element]`, with the weights of empty slots marked by expert -1. */
function combineReference(operands: readonly ReferenceValue[], call: OpCall): ReferenceTensor {
  const values = tensorAt(operands, 0);
  const { tokens, slots, index, weight } = routesAt(operands, 1);
  const slotName = call.attrs.slotAxis as string;
  const isToken = (name: string): boolean => tokens.some((axis) => axis.name === name);
  const rest = values.axes.filter((axis) => axis.name !== slotName && !isToken(axis.name));
  const rule = call.attrs.rule as (typeof rules)[number];
  if (rule === "concat") {
    // Slot-major along the joined axis: [.., slot, axis, ..] read as one.
    const at = rest.findIndex((axis) => axis.name === call.attrs.axis);
    const slotFirst = rest.toSpliced(at, 0, { name: slotName, size: slots });
    const order = [...tokens, ...slotFirst];
    const weights = readAs(makeTensor("f32", [...tokens, { name: slotName, size: slots }], weight), order);
    const filled = Float64Array.from(index, (expert) => Number(expert >= 0));
    const present = readAs(makeTensor("f32", [...tokens, { name: slotName, size: slots }], filled), order);
    const data = readAs(values, order).map((value, i) => (present[i] === 0 ? 0 : value * weights[i]!));
    const axes = rest.with(at, { name: rest[at]!.name, size: rest[at]!.size * slots });
    return makeTensor("f32", [...tokens, ...axes], data);
  }
  const data = readAs(values, [...tokens, { name: slotName, size: slots }, ...rest]);
  const result = makeTensor("f32", [...tokens, ...rest]);
  const count = rest.reduce((product, axis) => product * axis.size, 1);
  for (let at = 0; at < result.data.length; at++) {
    const token = Math.floor(at / count);
    let sum = rule === "product" ? 1 : 0;
    let filled = 0;
    for (let slot = token * slots; slot < (token + 1) * slots; slot++) {
      if (index[slot]! < 0) continue;
      filled++;
      const term = weight[slot]! * data[slot * count + (at % count)]!;
      sum = rule === "product" ? sum * term : sum + term;
    }
    result.data[at] = rule === "mean" ? sum / Math.max(filled, 1) : sum;
  }
  return result;
}

const combine = defineOp("combine", "region", {
  doc: "The second half of `mixture`: operands `[values, routes]`, terms `weight * value` over the filled slots of the axis `slotAxis`. `sum`; `mean`: the sum divided by the number of filled slots; `product`; `concat`: the terms one after the other along `axis`, zeros for empty slots. A token without experts gets zeros from sum and mean, ones from product.",
  example:
    "block B[D, F, E](route: router, experts: bank) {\n  (x: [T, D]) => {\n    let r = route(x)\n    combine(dispatch(x, r, experts), r)\n  }\n}",
  attrs: ["rule", "slotAxis", "axis"],
  gradient: "chain",
  type: (call) => [combineType(call)],
  cost: (call) => moving([...call.operands, combineType(call)], elementsOf(call.operands[0]!).times(Size.of(2))),
  reference: (_context, operands, call) => [combineReference(operands, call)],
  lowering: { kind: "template", template: "combine" },
});

export const mixtureOps = { mixture, dispatch, combine } as const;
