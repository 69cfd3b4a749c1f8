/**
 * Experts: each one takes the slots that name it (`NonZero` of a comparison), works on those rows at once, and its rows
 * are put back. Rows are an axis that rides along through the expert's body, since ops align by name; nothing depends on
 * how many there are, so a graph is right for any number of tokens, none included.
 */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { gatherRows } from "./gather.js";
import { axisAt, type Graph } from "./graph.js";
import type { Lower, Use } from "./use.js";
import { SLOT, tokensOf, type Routes, type Tensor, type Value } from "./values.js";

const names = (axes: readonly Axis[]): string[] => axes.map(({ name }) => name);
const countOf = (axes: readonly Axis[]): Size => axes.reduce((product, { size }) => product.times(size), Size.one);

/** A value with the token axes (and `more`, where it has them) as one axis `'all`, and what is left behind it. */
function flat(graph: Graph, x: Tensor, tokens: readonly Axis[], more: readonly Axis[]): Tensor {
  const lead = [...tokens, ...more.filter(({ name }) => x.axes.some((axis) => axis.name === name))];
  const rest = x.axes.filter(({ name }) => !lead.some((axis) => axis.name === name));
  const full = graph.full(x, [...lead, ...rest]);
  return graph.reshape(full, [{ name: "'all", size: countOf(lead) }, ...rest]);
}

/** What every slot's expert gives, `[tokens…, slot, …]`, zeros for an empty slot. */
function dispatched(use: Use, slotAxis: string | undefined): { values: Tensor; routes: Routes } {
  const { graph, attrs, around } = use;
  const routes = use.routes(1);
  const tokens = tokensOf(routes);
  const slot = routes.index.axes.at(-1)!;
  const banks = attrs.banks as unknown as readonly { readonly experts: Size; readonly params: number }[];
  const perToken = (attrs.perToken as number | undefined) ?? 0;
  const captured = use.operands.slice(use.operands.length - (attrs.captures as number));
  const places = { name: "'place", size: countOf([...tokens, slot]) };
  const index = graph.reshape(routes.index, [places]);
  const weight = attrs.weigh === "input" ? graph.reshape(routes.weight, [places]) : undefined;

  let x = use.tensor(0);
  if (slotAxis !== undefined && x.axes.some(({ name }) => name === slotAxis)) x = graph.renamed(x, slotAxis, SLOT);
  const hasSlots = x.axes.some(({ name }) => name === SLOT);
  const source = flat(graph, x, tokens, [slot]);
  const extra = Array.from({ length: perToken }, (_, i) => flat(graph, use.tensor(2 + i), tokens, [routes.experts]));
  const hasExpert = extra.map((_, i) => use.tensor(2 + i).axes.some(({ name }) => name === routes.experts.name));

  let out: Tensor | undefined;
  let expert = 0;
  let at = 2 + perToken;
  for (const [bank, { experts, params }] of banks.entries()) {
    const own = use.operands.slice(at, at + params);
    const ownAxes = own.map((_, n) => use.declaredAxes(at + n)[0]!.name);
    const total = experts.constant ?? use.refuse(`a bank of ${experts.key} experts, a number that is not known`);
    for (let i = 0; i < total; i++, expert++) {
      const hit = graph.apply("Equal", [index, graph.number("i32", expert)], "bool");
      const found = graph.node("NonZero", [hit.name]);
      const rows = rowsOf(graph, graph.node("Squeeze", [found, graph.integers([0])]));
      const token = slot.size.equals(Size.one) ? rows : divided(graph, rows, slot.size);
      const read = (value: Tensor, ids: Tensor): Tensor => gatherRows(graph, value, ids, "'all");
      let input = read(source, hasSlots ? rows : token);
      if (weight) input = graph.apply("Mul", [input, gatherRows(graph, weight, rows, "'place")], "f32");
      const others = extra.map((value, n) =>
        read(value, hasExpert[n] ? scaled(graph, token, routes.experts.size, expert) : token),
      );
      const args: Value[] = [
        input,
        ...others,
        ...own.map((param, n) => around.leading(param, ownAxes[n]!, i)),
        ...captured,
      ];
      const given = around.run(use.node.regions[bank]!, args)[0]! as Tensor;
      const result = given.axes.filter(({ name }) => name !== rows.axes[0]!.name);
      const full = graph.full(given, [rows.axes[0]!, ...result]);
      out ??= graph.filled("f32", 0, [places, ...result]);
      const where = graph.node("Unsqueeze", [rows.name, graph.integers([1])]);
      // An expert that does not depend on the token orders its axes by itself: the first one decides for all.
      const update = graph.order(full, [rows.axes[0]!.name, ...names(out.axes.slice(1))]);
      out = { ...out, name: graph.node("ScatterND", [out.name, where, update.name]) };
    }
    at += params;
  }
  const axes = [...tokens, slot, ...out!.axes.slice(1)];
  return { values: graph.reshape(out!, axes), routes };
}

/** Numbers of rows on an axis of their own, whose size is known when it runs. */
function rowsOf(graph: Graph, name: string): Tensor {
  const axis = graph.fresh("'rows");
  const size = axis.slice(1);
  graph.nameSize(size, graph.node("Shape", [name]));
  return { kind: "tensor", name, type: "i64", axes: [{ name: axis, size: Size.of(size) }] };
}

function divided(graph: Graph, rows: Tensor, size: Size): Tensor {
  return graph.apply("Div", [rows, graph.sizeScalar(size, "i64")], "i64");
}

function scaled(graph: Graph, token: Tensor, experts: Size, expert: number): Tensor {
  const first = graph.apply("Mul", [token, graph.sizeScalar(experts, "i64")], "i64");
  return graph.apply("Add", [first, graph.number("i64", expert)], "i64");
}

/** Terms of filled slots: weight * value, and `empty` for the others. */
function terms(graph: Graph, values: Tensor, routes: Routes, empty: number): Tensor {
  const isEmpty = graph.apply("Less", [routes.index, graph.number("i32", 0)], "bool");
  const product = graph.apply("Mul", [routes.weight, values], "f32");
  return graph.where(isEmpty, graph.number("f32", empty), product);
}

function mixture(use: Use): Tensor {
  const { graph } = use;
  const { values, routes } = dispatched(use, undefined);
  // Slots without an expert are zeros already.
  if (use.attrs.weigh === "input") return graph.reduce("ReduceSum", values, [SLOT]);
  return graph.reduce("ReduceSum", terms(graph, values, routes, 0), [SLOT]);
}

function combine(use: Use): Tensor {
  const { graph, attrs } = use;
  const values = graph.renamed(use.tensor(0), attrs.slotAxis as string, SLOT);
  const routes = use.routes(1);
  if (attrs.rule === "product") return graph.reduce("ReduceProd", terms(graph, values, routes, 1), [SLOT]);
  const all = terms(graph, values, routes, 0);
  if (attrs.rule === "concat") {
    const axis = attrs.axis as string;
    const { size } = all.axes[axisAt(all, axis)]!;
    const order = names(all.axes).flatMap((name) => (name === SLOT ? [] : name === axis ? [SLOT, axis] : [name]));
    const ordered = graph.order(all, order);
    const at = axisAt(ordered, SLOT);
    const joined = { name: axis, size: size.times(ordered.axes[at]!.size) };
    return graph.reshape(ordered, ordered.axes.toSpliced(at, 2, joined));
  }
  const sum = graph.reduce("ReduceSum", all, [SLOT]);
  if (attrs.rule === "sum") return sum;
  const isFilled = graph.apply("GreaterOrEqual", [routes.index, graph.number("i32", 0)], "bool");
  const filled = graph.reduce("ReduceSum", graph.cast(isFilled, "f32"), [SLOT]);
  return graph.apply("Div", [sum, graph.apply("Max", [filled, graph.number("f32", 1)], "f32")], "f32");
}

export const expertsLowering = {
  mixture: (use) => [mixture(use)],
  dispatch: (use) => {
    const slotAxis = use.attrs.slotAxis as string;
    return [use.graph.renamed(dispatched(use, slotAxis).values, SLOT, slotAxis)];
  },
  combine: (use) => [combine(use)],
} satisfies Record<string, Lower>;
