/** From scores to routes, and what is read off routes. Routes are two tensors, `[tokens…, slots]`. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { gather, gatherRows, scatter } from "./gather.js";
import { axisAt, unionAxes, type Graph } from "./graph.js";
import { topK } from "./reduce.js";
import type { Lower, Use } from "./use.js";
import { SLOT, tokensOf, type Routes, type Tensor } from "./values.js";

const names = (axes: readonly Axis[]): string[] => axes.map(({ name }) => name);

/** Filled slots to the front, in their order; the rest is -1. */
function compacted(graph: Graph, index: Tensor): Tensor {
  const { size } = index.axes[axisAt(index, SLOT)]!;
  const filled = graph.cast(graph.apply("GreaterOrEqual", [index, graph.number("i32", 0)], "bool"), "f32");
  const [, order] = topK(graph, filled, SLOT, { name: "'place", size });
  return graph.renamed(gatherRows(graph, index, order, SLOT), "'place", SLOT);
}

interface Scores {
  readonly weights: Tensor;
  /** What experts are compared by; -Infinity for those that may not be chosen. */
  readonly by: Tensor;
  readonly tokens: readonly Axis[];
  readonly experts: Axis;
}

function scoresOf(use: Use): Scores {
  const { graph, attrs } = use;
  const given = use.tensor(0);
  const name = attrs.experts as string;
  const experts = given.axes[axisAt(given, name)]!;
  // The rows of an expert around this one may be an axis of some operands only; declared axes come in their order.
  const declared = names(use.declaredAxes(0)).filter((axis) => axis !== name);
  const extra = unionAxes(use.tensors).filter((axis) => axis.name !== name && !declared.includes(axis.name));
  const tokens = [...extra, ...declared.map((axis) => given.axes[axisAt(given, axis)]!)];
  const all = [...tokens, experts];
  const weights = graph.full(given, all);
  const raw = attrs.hasBy === true ? graph.full(use.tensor(1), all) : weights;
  const lowest = graph.number("f32", -Infinity);
  let by = graph.where(graph.apply("IsNaN", [raw], "bool"), lowest, raw);
  if (attrs.hasWhere === true) by = graph.where(use.tensor(use.operands.length - 1), by, lowest);
  return { weights, by, tokens, experts };
}

/** Indices of the k best along the last axis, -1 where fewer may be chosen. */
function best(graph: Graph, by: Tensor, over: string, as: Axis): Tensor {
  const [values, indices] = topK(graph, by, over, as);
  const none = graph.apply("Equal", [values, graph.number("f32", -Infinity)], "bool");
  return graph.where(none, graph.number("i32", -1), indices);
}

/** k / groups best of each of `groups` equal runs of experts. */
function withinGroups(use: Use, { by, tokens, experts }: Scores): Tensor {
  const { graph } = use;
  const groups = { name: "'group", size: use.attrs.groups as Size };
  const width = { name: "'member", size: experts.size.dividedBy(groups.size)! };
  const each = { name: "'best", size: (use.attrs.k as Size).dividedBy(groups.size)! };
  const parts = graph.reshape(by, [...tokens, groups, width]);
  const chosen = best(graph, parts, width.name, each);
  const first = graph.apply("Mul", [graph.range(groups), graph.sizeScalar(width.size, "i32")], "i32");
  const isEmpty = graph.apply("Less", [chosen, graph.number("i32", 0)], "bool");
  const numbered = graph.where(isEmpty, chosen, graph.apply("Add", [chosen, first], "i32"));
  const ordered = graph.order(numbered, names([...tokens, groups, each]));
  return compacted(graph, graph.reshape(ordered, [...tokens, { name: SLOT, size: use.attrs.k as Size }]));
}

/** Each expert takes its k best along the last axis of tokens; a token's experts come in order. */
function byExperts(use: Use, { by, tokens, experts }: Scores): Tensor {
  const { graph } = use;
  const last = tokens.at(-1)!;
  const taken = best(graph, by, last.name, { name: "'taken", size: use.attrs.k as Size });
  const ones = graph.filled("i32", 1, taken.axes);
  const count = scatter(graph, taken, ones, taken.axes[axisAt(taken, "'taken")]!, last, "add");
  const isChosen = graph.cast(graph.order(count, names([...tokens, experts])), "bool");
  const index = graph.where(isChosen, graph.range(experts), graph.number("i32", -1));
  const full = graph.full(index, [...tokens, experts]);
  return compacted(graph, graph.renamed(full, experts.name, SLOT));
}

function chosen(use: Use, scores: Scores): Tensor {
  const { graph } = use;
  switch (use.attrs.choice) {
    case "within":
      return withinGroups(use, scores);
    case "experts":
      return byExperts(use, scores);
    case "everyone": {
      const all = graph.full(graph.range(scores.experts), [...scores.tokens, scores.experts]);
      return graph.renamed(all, scores.experts.name, SLOT);
    }
    default:
      return best(graph, scores.by, scores.experts.name, { name: SLOT, size: use.attrs.k as Size });
  }
}

function slotLast(graph: Graph, x: Tensor): Tensor {
  return graph.order(x, [...names(x.axes).filter((name) => name !== SLOT), SLOT]);
}

function only(use: Use): Routes {
  const { graph, attrs } = use;
  const ids = use.tensor(0);
  const experts = { name: attrs.experts as string, size: attrs.size as Size };
  const axes = [...ids.axes, { name: SLOT, size: Size.one }];
  const index = limited(graph, graph.reshape(ids, axes), experts.size);
  const isFilled = graph.apply("GreaterOrEqual", [index, graph.number("i32", 0)], "bool");
  return { kind: "routes", experts, index, weight: graph.cast(isFilled, "f32") };
}

/** Numbers that are no expert become -1. */
function limited(graph: Graph, index: Tensor, size: Size): Tensor {
  const low = graph.apply("GreaterOrEqual", [index, graph.number("i32", 0)], "bool");
  const high = graph.apply("Less", [index, graph.sizeScalar(size, "i32")], "bool");
  return graph.where(graph.apply("And", [low, high], "bool"), index, graph.number("i32", -1));
}

function route(use: Use): Routes {
  if (use.attrs.choice === "only") return only(use);
  const { graph, attrs } = use;
  const scores = scoresOf(use);
  const index = slotLast(graph, chosen(use, scores));
  const kept = slotLast(graph, gather(graph, scores.weights, index, scores.experts.name));
  const axes = index.axes;
  const weight = graph.order(kept, names(axes));
  const routes = { kind: "routes", experts: scores.experts, index } as const;
  if (attrs.renormalize !== true) return { ...routes, weight };
  const sum = graph.reduce("ReduceSum", weight, [SLOT]);
  const whole = graph.apply("Add", [sum, graph.number("f32", attrs.epsilon as number)], "f32");
  const isZero = graph.apply("Equal", [whole, graph.number("f32", 0)], "bool");
  const safe = graph.where(isZero, graph.number("f32", 1), whole);
  const share = graph.apply("Div", [weight, safe], "f32");
  return { ...routes, weight: graph.where(isZero, graph.number("f32", 0), share) };
}

/** Routes whose two tensors have the same axes, slots last. */
function aligned(graph: Graph, experts: Axis, index: Tensor, weight: Tensor): Routes {
  const axes = unionAxes([index, weight]).filter(({ name }) => name !== SLOT);
  const all = [...axes, index.axes[axisAt(index, SLOT)]!];
  return { kind: "routes", experts, index: graph.full(index, all), weight: graph.full(weight, all) };
}

function scale(use: Use): Routes {
  const { graph } = use;
  const { experts, index, weight } = use.routes(0);
  const factor = use.tensor(1);
  const byExpert = factor.axes.some(({ name }) => name === experts.name);
  const own = byExpert ? gather(graph, factor, index, experts.name) : factor;
  const empty = graph.apply("Less", [index, graph.number("i32", 0)], "bool");
  const scaled = graph.where(empty, graph.number("f32", 0), graph.apply("Mul", [weight, own], "f32"));
  return aligned(graph, experts, index, scaled);
}

function make(use: Use): Routes {
  const { graph } = use;
  const given = use.attrs.experts as unknown as Axis;
  const slot = use.declaredAxes(0).at(-1)!.name;
  const index = limited(graph, graph.renamed(use.tensor(0), slot, SLOT), given.size);
  const weight = graph.renamed(use.tensor(1), slot, SLOT);
  const empty = graph.apply("Less", [index, graph.number("i32", 0)], "bool");
  return aligned(graph, given, index, graph.where(empty, graph.number("f32", 0), weight));
}

function count(use: Use): Tensor {
  const { graph } = use;
  const { experts, index } = use.routes(0);
  const hits = graph.cast(graph.apply("Equal", [index, graph.range(experts)], "bool"), "i32");
  const gone = [...names(use.declaredAxes(0)), SLOT];
  return graph.reduce("ReduceSum", hits, gone);
}

/**
 * Places are given out slot by slot, each in the order of tokens: a slot keeps its place when fewer than `capacity` slots
 * before it ask for the same expert. What is dropped takes no place, but then the expert is full already.
 */
function limit(use: Use): Routes {
  const { graph, attrs } = use;
  if (attrs.overflow !== "drop") return use.refuse("`overflow: next` gives places out one after the other");
  const routes = use.routes(0);
  const { experts, index } = routes;
  const tokens = use.declaredAxes(0);
  const extra = tokensOf(routes).filter(({ name }) => !tokens.some((token) => token.name === name));
  if (extra.length > 0) return use.refuse("a capacity inside of an expert");
  const slot = index.axes.at(-1)!;
  const here = tokens.map(({ name }) => index.axes[axisAt(index, name)]!);
  const queue = { name: "'queue", size: here.reduce((product, { size }) => product.times(size), slot.size) };
  const inOrder = graph.reshape(graph.order(index, [SLOT, ...names(here)]), [queue]);
  const asks = graph.cast(graph.apply("Equal", [inOrder, graph.range(experts)], "bool"), "i32");
  const before = {
    ...asks,
    name: graph.node("CumSum", [asks.name, graph.number("i64", 0).name], { exclusive: { int: 1 } }),
  };
  const own = graph.reduce("ReduceSum", graph.apply("Mul", [before, asks], "i32"), [experts.name]);
  const fits = graph.apply("Less", [own, graph.sizeScalar(attrs.capacity as Size, "i32")], "bool");
  const kept = graph.order(graph.reshape(fits, [slot, ...here]), names(index.axes));
  const weight = graph.where(kept, routes.weight, graph.number("f32", 0));
  return { kind: "routes", experts, index: graph.where(kept, index, graph.number("i32", -1)), weight };
}

export const routesLowering = {
  route: (use) => [route(use)],
  routes_dense: (use) => {
    const { experts, index, weight } = use.routes(0);
    return [scatter(use.graph, index, weight, index.axes.at(-1)!, experts, "add")];
  },
  routes_index: (use) => [use.graph.renamed(use.routes(0).index, SLOT, use.attrs.axis as string)],
  routes_weight: (use) => [use.graph.renamed(use.routes(0).weight, SLOT, use.attrs.axis as string)],
  routes_scale: (use) => [scale(use)],
  routes_make: (use) => [make(use)],
  routes_limit: (use) => [limit(use)],
  routes_count: (use) => [count(use)],
} satisfies Record<string, Lower>;
