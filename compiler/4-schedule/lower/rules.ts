/** How each op becomes tensors that are read where they are needed, or kernels where that is not enough. */
import type { Size } from "../../axes/size.js";
import { collectNodes } from "../../2-graph/walk.js";
import type { AppendAttrs, AttendAttrs, MixtureAttrs, Node, Region, RouteAttrs } from "../../2-graph/ir.js";
import { ops } from "../../ops/index.js";
import type { Axis, DType, OpDef, ScalarMath } from "../../ops/types.js";
import { compare, constant, convert, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { scalarMath } from "../kernel-math.js";
import { bool, f32, i32, registerType } from "../kernel-types.js";
import { refuse } from "../refusal.js";
import { attend } from "./attention.js";
import { cumulativeSum, argBest, scatter, sort, top, topMask } from "./selection.js";
import { coordinateOf, gather, Joined, shift } from "./gathering.js";
import { BlockMask } from "./mask-blocks.js";
import { mixture } from "./mixture.js";
import { random } from "./random.js";
import { logSoftmax, logSumExp, mean, reduced, softmax, type Fold } from "./reduction.js";
import type { RegionLowering } from "./region.js";
import {
  route,
  renameRoutes,
  routeOnly,
  Routes,
  routesCount,
  routesDense,
  routesFrom,
  routesScale,
  routesSlots,
  type LoweredValue,
} from "./routes.js";
import { lowerEachText } from "./each-text.js";
import { lowerFold, lowerStack } from "./repetition.js";
import { combineSlots, dispatch } from "./slots.js";
import { limitRoutes } from "./route-limit.js";
import { append, readState, writeState } from "./state.js";
import { Coordinate } from "./coordinate.js";
import { alignedAxes, Computed, Mapped, Tensor } from "./tensor.js";
import { expandAxis, mergeAxes, orderAxes, renameAxis, sliceAxis, splitAxis } from "./views.js";
import { Weight } from "./weight.js";

export type Rule = (lowering: RegionLowering, node: Node, operands: readonly LoweredValue[]) => readonly LoweredValue[];

const text = (node: Node, attr: string): string => node.attrs[attr] as string;
const size = (node: Node, attr: string): Size => node.attrs[attr] as Size;
const flag = (node: Node, attr: string): boolean => node.attrs[attr] === true;
const names = (node: Node, attr: string): readonly string[] => node.attrs[attr] as readonly string[];
const axesAttr = (node: Node, attr: string): readonly Axis[] => node.attrs[attr] as unknown as readonly Axis[];

function tensor(value: LoweredValue | undefined): Tensor {
  if (!(value instanceof Tensor)) throw new TypeError("a tensor was expected");
  return value;
}
function routes(value: LoweredValue | undefined): Routes {
  if (!(value instanceof Routes)) throw new TypeError("routes were expected");
  return value;
}

/** A rule of one tensor to one tensor. */
const one =
  (rule: (x: Tensor, node: Node, lowering: RegionLowering) => Tensor): Rule =>
  (lowering, node, operands) => [rule(tensor(operands[0]), node, lowering)];

/* ---- elementwise ---- */

const kinds = { f32, i32, bool } as const;

/** What an op's formula gives as the dtype of its result. */
function asDType(value: Expression, dtype: DType): Expression {
  if (value.type.element === dtype) return value;
  if (dtype === "bool") return compare("ne", value, constant(0, value.type));
  if (value.type.element === "bool") {
    const type = registerType(dtype, value.type.lanes);
    return select(value, constant(1, type), constant(0, type));
  }
  return convert(value, dtype);
}

function elementwise(def: OpDef): Rule {
  return (_, node, values) => {
    const operands = values.map(tensor);
    const dtype = (node.results[0]!.type as { dtype: DType }).dtype;
    const compute = operands.at(-1)!.dtype;
    const formula = (compute === "i32" ? def.scalarInteger : undefined) ?? def.scalar!;
    const cost = costs[node.op] ?? 1;
    return [
      new Mapped(dtype, alignedAxes(operands), operands, cost, (emitter, inputs) => {
        const lanes = Math.max(...inputs.map((input) => input.type.lanes));
        const type = registerType(kinds[compute].element, lanes);
        const math: ScalarMath<Expression> = scalarMath(type, (wish, value) => emitter.builder.let(wish, value));
        const wide = inputs.map((input) => widened(input, lanes));
        return asDType(formula(math, ...wide), dtype);
      }),
    ];
  };
}

function widened(input: Expression, lanes: number): Expression {
  if (input.type.lanes === lanes) return input;
  const type = { element: input.type.element, lanes };
  return input.kind === "constant" ? { ...input, type } : { kind: "splat", operand: input, type };
}

/** Operations of one element beyond a few. */
const costs: Readonly<Record<string, number>> = {
  exp: 8,
  log: 8,
  sin: 10,
  cos: 10,
  tanh: 10,
  sigmoid: 10,
  silu: 10,
  gelu: 20,
  gelu_tanh: 14,
  erf: 20,
  softplus: 18,
  pow: 20,
  div: 4,
  sqrt: 4,
  rsqrt: 6,
};

/* ---- the table ---- */

const contract: Rule = (lowering, node, operands) => [
  lowering.contract(tensor(operands[0]), tensor(operands[1]), names(node, "over")),
];

const reduce: Rule = (lowering, node, operands) => {
  const x = tensor(operands[0]);
  const over = names(node, "over");
  if (over.length === 0) return [x];
  const kind = text(node, "kind");
  return [kind === "mean" ? mean(x, over, lowering.store) : reduced(kind as Fold, [x], over, lowering.store)];
};

const routeRule: Rule = (lowering, node, operands) => {
  const attrs = node.attrs as RouteAttrs;
  if (attrs.choice === "only") {
    return [routeOnly(lowering.entry, tensor(operands[0]), { name: attrs.experts, size: attrs.size! })];
  }
  const bankSizes = lowering.bankSizes(node.results[0]!.id);
  const by = attrs.hasBy ? lowering.deferred(tensor(operands[1])) : undefined;
  const where = attrs.hasWhere ? lowering.deferred(tensor(operands.at(-1))) : undefined;
  return [
    route(lowering.entry, lowering.deferred(tensor(operands[0])), by, where, attrs.experts, {
      choice: attrs.choice,
      k: attrs.k,
      groups: attrs.groups?.constant ?? 1,
      renormalize: attrs.renormalize,
      epsilon: attrs.epsilon,
      ...(bankSizes ? { bankSizes } : {}),
    }),
  ];
};

/** Operands of `mixture` and `dispatch` in their parts. */
export function mixtureOperands(node: Node, operands: readonly LoweredValue[]) {
  const attrs = node.attrs as MixtureAttrs;
  const count = attrs.perToken ?? 0;
  let at = 2 + count;
  const banks = attrs.banks.map((bank, index) => {
    const params = operands.slice(at, at + bank.params).map(tensor);
    at += bank.params;
    return { experts: bank.experts, params, region: node.regions[index]! };
  });
  return {
    x: tensor(operands[0]),
    routes: routes(operands[1]),
    perToken: operands.slice(2, 2 + count).map(tensor),
    banks,
    captures: operands.slice(at),
  };
}

/** Rows are sorted by expert once: experts that hold a mixture themselves have no kernels. */
function refuseNested(lowering: RegionLowering, node: Node): void {
  const inner = node.regions.flatMap((region) =>
    collectNodes(region, ({ op }) => op === "mixture" || op === "dispatch"),
  )[0];
  if (inner) refuse("MOE3370", { target: lowering.entry.program.target.name }, inner.span ?? node.span);
}

const mixtureRule: Rule = (lowering, node, operands) => {
  refuseNested(lowering, node);
  const parts = mixtureOperands(node, operands);
  lowering.trace(parts.routes, node);
  const run = (region: Region, args: readonly LoweredValue[]): Tensor => tensor(lowering.run(region, args)[0]);
  return [mixture(lowering.entry, { ...parts, weigh: (node.attrs as MixtureAttrs).weigh, run })];
};

const dispatchRule: Rule = (lowering, node, operands) => {
  refuseNested(lowering, node);
  const parts = mixtureOperands(node, operands);
  lowering.trace(parts.routes, node);
  const run = (region: Region, args: readonly LoweredValue[]): Tensor => tensor(lowering.run(region, args)[0]);
  const weigh = (node.attrs as MixtureAttrs).weigh === "input" ? "input" : "none";
  return [dispatch(lowering.entry, { ...parts, weigh, run }, text(node, "slotAxis"))];
};

const attendRule: Rule = (lowering, node, operands) => {
  const attrs = node.attrs as AttendAttrs;
  const [q, k, v] = operands.slice(0, 3).map((value) => lowering.deferred(tensor(value)).force());
  const mask = attrs.hasMask ? node.regions[0]! : undefined;
  const optional = operands.slice(3).map(tensor);
  return [
    attend(lowering.entry, {
      attrs,
      q: q!,
      k: k!,
      v: v!,
      sinks: attrs.hasSinks ? optional[0] : undefined,
      keep: attrs.hasKeep ? lowering.reread(optional.at(-1)!) : undefined,
      blocks: new BlockMask(mask),
      mask: mask && ((emitter, query, key) => lowering.predicate(mask, emitter, query, key)),
    }),
  ];
};

function constantTensor(node: Node): Tensor {
  const dtype = node.attrs.dtype as DType;
  const type = kinds[dtype];
  if (node.attrs.values === undefined) {
    const value = constant(
      dtype === "f32" ? (node.attrs.value as number) : Math.trunc(node.attrs.value as number),
      type,
    );
    return new Computed(dtype, [], { cost: 0 }, () => value);
  }
  const axes = axesAttr(node, "axes");
  const values = node.attrs.values as readonly number[];
  // A short table: a chain of choices by the number of the element.
  return new Computed(dtype, axes, { cost: values.length, scalar: true }, (emitter, at) => {
    const number = emitter.index(
      axes.reduce((sum, axis) => sum.times(axis.size).plus(at.get(axis.name)!), Coordinate.zero),
    );
    return values.reduceRight<Expression>(
      (rest, value, index) => select(compare("eq", number, index), constant(value, type), rest),
      constant(values.at(-1) ?? 0, type),
    );
  });
}

const rules: Readonly<Record<string, Rule>> = {
  rename: (_, node, [value]) => {
    const [from, to] = [text(node, "from"), text(node, "to")];
    return [value instanceof Routes ? renameRoutes(value, from, to) : renameAxis(tensor(value), from, to)];
  },
  split: one((x, node) => splitAxis(x, text(node, "axis"), axesAttr(node, "into"))),
  merge: one((x, node) => mergeAxes(x, names(node, "axes"), text(node, "into"))),
  slice: one((x, node) => {
    const axis = text(node, "axis");
    if (x instanceof Weight && x.layerAxes > 0 && x.axes[0]!.name === axis) {
      return x.layersFrom(size(node, "from"), size(node, "to").minus(size(node, "from")));
    }
    return sliceAxis(x, axis, size(node, "from"), size(node, "to"));
  }),
  order: one((x, node) => orderAxes(x, names(node, "axes"))),
  expand: one((x, node) => expandAxis(x, { name: text(node, "axis"), size: size(node, "size") })),
  concat: (lowering, node, operands) => [new Joined(lowering.entry, operands.map(tensor), text(node, "axis"))],
  shift: one((x, node) => shift(x, text(node, "axis"), node.attrs.by as number, node.attrs.fill as number)),
  index: (_, node) => [coordinateOf({ name: text(node, "axis"), size: size(node, "size") }, size(node, "offset"))],
  size: (_, node) => [new Computed("i32", [], { cost: 0 }, (emitter) => emitter.size(size(node, "value")))],
  constant: (_, node) => [constantTensor(node)],
  param: (lowering, node) => [lowering.entry.program.param(text(node, "path"))],
  knob: (lowering, node) => [lowering.entry.program.knob(text(node, "path"))],
  layer_index: (lowering, node) => [lowering.layerIndex(text(node, "stack"))],
  gather: (lowering, node, operands) => [
    gather(tensor(operands[0]), lowering.settled(tensor(operands[1])), text(node, "axis")),
  ],
  scatter: (lowering, node, operands) => {
    const into = { name: text(node, "axis"), size: size(node, "size") };
    const [ids, values] = operands.map((value) => lowering.deferred(tensor(value)));
    return [scatter(lowering.entry, ids!, values!, into, node.attrs.mode as "add" | "set")];
  },
  reduce,
  softmax: one((x, node, { store }) => softmax(x, [text(node, "over")], store)),
  log_softmax: one((x, node, { store }) => logSoftmax(x, [text(node, "over")], store)),
  logsumexp: one((x, node, { store }) => logSumExp(x, [text(node, "over")], store)),
  cumsum: one((x, node, lowering) =>
    cumulativeSum(lowering.entry, lowering.deferred(x), text(node, "over"), {
      exclusive: flag(node, "exclusive"),
      reverse: flag(node, "reverse"),
    }),
  ),
  argmax: one((x, node, lowering) => argBest(lowering.entry, lowering.deferred(x), text(node, "over"), true)),
  argmin: one((x, node, lowering) => argBest(lowering.entry, lowering.deferred(x), text(node, "over"), false)),
  top: (lowering, node, operands) =>
    top(lowering.entry, lowering.deferred(tensor(operands[0])), text(node, "over"), {
      name: text(node, "as"),
      size: size(node, "k"),
    }),
  sort: (lowering, node, operands) =>
    sort(lowering.entry, lowering.deferred(tensor(operands[0])), text(node, "over"), flag(node, "descending")),
  top_mask: one((x, node, lowering) => topMask(lowering.deferred(x), text(node, "over"), size(node, "k"))),
  contract,
  route: routeRule,
  routes_dense: (_, __, operands) => [routesDense(routes(operands[0]))],
  routes_index: (_, node, operands) => {
    const value = routes(operands[0]);
    return [routesSlots(value.index, value, text(node, "axis"))];
  },
  routes_weight: (_, node, operands) => {
    const value = routes(operands[0]);
    return [routesSlots(value.weight, value, text(node, "axis"))];
  },
  routes_scale: (_, __, operands) => [routesScale(routes(operands[0]), tensor(operands[1]))],
  routes_make: (lowering, node, operands) => [
    routesFrom(lowering.entry, tensor(operands[0]), tensor(operands[1]), node.attrs.experts as unknown as Axis),
  ],
  routes_count: (_, __, operands) => [routesCount(routes(operands[0]))],
  routes_limit: (lowering, node, operands) => [
    limitRoutes(
      lowering.entry,
      routes(operands[0]),
      size(node, "capacity"),
      text(node, "overflow") === "next",
      operands[1] && lowering.deferred(tensor(operands[1])),
    ),
  ],
  random: (_, node, operands) => [
    random(
      node.attrs.kind as "uniform" | "normal" | "gumbel",
      axesAttr(node, "axes"),
      node.attrs.seed as number,
      operands[0] && tensor(operands[0]),
    ),
  ],
  append: (lowering, node, operands) => [append(lowering.entry, tensor(operands[0]), node.attrs as AppendAttrs)],
  state_read: (lowering, node) => [readState(lowering.entry, text(node, "state"))],
  state_write: (lowering, node, operands) => [
    writeState(lowering.entry, lowering.deferred(tensor(operands[0])), text(node, "state")),
  ],
  mixture: mixtureRule,
  dispatch: dispatchRule,
  combine: (lowering, node, operands) => [
    combineSlots(lowering.deferred(tensor(operands[0])), routes(operands[1]), node, lowering.store),
  ],
  attend: attendRule,
  each_text: lowerEachText,
  stack: lowerStack,
  fold: lowerFold,
};

/** The rule of an op; a coded refusal when the schedule has none. */
export function ruleOf(lowering: RegionLowering, node: Node): Rule {
  const def = (ops as Readonly<Record<string, OpDef>>)[node.op];
  const rule = rules[node.op] ?? (def?.lowering.kind === "elementwise" && def.scalar ? elementwise(def) : undefined);
  if (rule) return rule;
  const reason = "the schedule has no kernel for it yet";
  return refuse("MOE3301", { op: node.op, target: lowering.entry.program.target.name, reason }, node.span);
}
