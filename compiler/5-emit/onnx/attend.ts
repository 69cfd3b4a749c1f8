/** Attention, layers and turns. */
import { Size } from "../../axes/size.js";
import { contract } from "./contract.js";
import { axisAt } from "./graph.js";
import { exponentials, shares } from "./reduce.js";
import type { Lower, Use } from "./use.js";
import type { Tensor, Value } from "./values.js";

/** The pairs of positions that may meet, from the mask region run on all queries and all keys at once. */
function allowed(use: Use, q: Tensor, k: Tensor): Tensor | undefined {
  const { graph, attrs } = use;
  const keep = attrs.hasKeep === true ? use.tensor(use.operands.length - 1) : undefined;
  if (attrs.hasMask !== true) return keep;
  const query = q.axes[axisAt(q, attrs.queryAxis as string)]!;
  const key = k.axes[axisAt(k, attrs.keyAxis as string)]!;
  const positions = [graph.range(query, attrs.queryOffset as Size), graph.range(key)];
  const mask = use.around.run(use.node.regions[0]!, positions)[0] as Tensor;
  return keep ? graph.apply("And", [mask, keep], "bool") : mask;
}

function attend(use: Use): Tensor {
  const { graph, attrs } = use;
  const [q, k, v] = [use.tensor(0), use.tensor(1), use.tensor(2)];
  const over = attrs.keyAxis as string;
  const scaled = graph.apply("Mul", [q, graph.number("f32", attrs.scale as number)], "f32");
  let scores = contract(graph, scaled, k, [attrs.contracted as string]);
  const mask = allowed(use, q, k);
  if (mask) scores = graph.where(mask, scores, graph.number("f32", -Infinity));
  if (attrs.hasSinks !== true) {
    const { each, sum } = exponentials(graph, scores, over);
    return contract(graph, shares(graph, each, sum), v, [over]);
  }
  const sink = use.tensor(3);
  const most = graph.apply("Max", [graph.reduce("ReduceMax", scores, [over]), sink], "f32");
  const none = graph.apply("Equal", [most, graph.number("f32", -Infinity)], "bool");
  const top = graph.where(none, graph.number("f32", 0), most);
  const above = (x: Tensor): Tensor => graph.apply("Exp", [graph.apply("Sub", [x, top], "f32")], "f32");
  const each = above(scores);
  const sum = graph.apply("Add", [graph.reduce("ReduceSum", each, [over]), above(sink)], "f32");
  return contract(graph, shares(graph, each, sum), v, [over]);
}

/** One copy of the body per layer: each has its own parameters, and a runtime sees one flat graph. */
function stack(use: Use): readonly Value[] {
  const { attrs, around, node } = use;
  const carried = attrs.carried as number;
  const stacked = attrs.stacked as number;
  const size = attrs.layers as Size;
  const layers = size.constant ?? use.refuse(`${size.key} layers, a number that is not known`);
  const captures = use.operands.slice(carried + stacked);
  let values = use.operands.slice(0, carried);
  for (let index = 0; index < layers; index++) {
    const own = use.operands
      .slice(carried, carried + stacked)
      .map((value, n) => around.leading(value, use.declaredAxes(carried + n)[0]!.name, index));
    values = [
      ...around.run(node.regions[0]!, [...values, ...own, ...captures], { stack: attrs.name as string, index }),
    ];
  }
  return values;
}

function fold(use: Use): readonly Value[] {
  const { graph, attrs, around, node } = use;
  const carried = attrs.carried as number;
  const captures = use.operands.slice(carried);
  const [from, to] = [(attrs.from as Size).constant, (attrs.to as Size).constant];
  if (from === undefined || to === undefined) return use.refuse("turns whose number is known only at run time");
  let values = use.operands.slice(0, carried);
  const turns: (readonly Value[])[] = [];
  for (let turn = from; turn < to; turn++) {
    const results = around.run(node.regions[0]!, [graph.number("i32", turn), ...values, ...captures]);
    values = results.slice(0, carried);
    turns.push(results.slice(carried));
  }
  const lists = node.results.slice(carried).map((_, index) => turns.map((rows) => rows[index] as Tensor));
  if (lists.length > 0 && turns.length === 0) return use.refuse("rows of no turn");
  return [...values, ...lists.map((rows) => inRows(use, rows))];
}

/** What the turns of a fold gave, one behind the other along its axis of rows. */
function inRows({ graph, attrs }: Use, rows: readonly Tensor[]): Tensor {
  const [first] = rows as readonly [Tensor, ...Tensor[]];
  const axis = { name: attrs.rows as string, size: Size.one };
  const parts = rows.map((row) => graph.full(row, [axis, ...first.axes]).name);
  const name = graph.node("Concat", parts, { axis: { int: 0 } });
  return { ...first, name, axes: [{ ...axis, size: Size.of(rows.length) }, ...first.axes] };
}

export const regionLowering = {
  attend: (use) => [attend(use)],
  stack,
  fold,
} satisfies Record<string, Lower>;
