/** Work that is the same for every layer, turn or expert is done once, before. */
import type { Node, Region, Value, ValueId } from "../../2-graph/ir.js";
import { renumber, substitute } from "../../2-graph/rewrite.js";
import { capturesOf, captureCount, withCaptures } from "../captures.js";
import { hasEffect } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/**
 * Ops that cost less than reading their result from memory: alone they stay where they are used, so that kernels compute
 * them in registers (masks out of positions, sums of constants).
 */
const CHEAP = new Set(
  [
    "constant size index add sub mul neg abs min max eq ne lt le gt ge and or not where cast",
    "rename split merge slice order expand shift",
  ].flatMap((line) => line.split(" ")),
);

/** Nodes that depend on the layer or turn although they have no operand. */
const BOUND = new Set(["layer_index", "param", "knob", "state_read"]);

interface Found {
  /** Nodes to move, in order. */
  readonly nodes: readonly Node[];
  /** Their values that stay in use inside. */
  readonly frontier: readonly Value[];
}

function invariant(region: Region, captures: ReadonlySet<ValueId>): Found | undefined {
  const fixed = new Map<ValueId, Node | undefined>([...captures].map((id) => [id, undefined]));
  const costly = new Set<ValueId>();
  for (const node of region.nodes) {
    if (hasEffect(node) || BOUND.has(node.op) || !node.operands.every((id) => fixed.has(id))) continue;
    const isCostly = !CHEAP.has(node.op) || node.operands.some((id) => costly.has(id));
    for (const { id } of node.results) {
      fixed.set(id, node);
      if (isCostly) costly.add(id);
    }
  }
  if (costly.size === 0) return undefined;
  const usedOutside = new Set<ValueId>(region.results);
  for (const node of region.nodes) {
    if (!node.results.some(({ id }) => fixed.has(id))) node.operands.forEach((id) => usedOutside.add(id));
  }
  const frontier = region.nodes
    .flatMap((node) => node.results)
    .filter(({ id }) => costly.has(id) && usedOutside.has(id));
  const needed = new Set<ValueId>(frontier.map(({ id }) => id));
  const nodes: Node[] = [];
  for (const node of [...region.nodes].reverse()) {
    if (!node.results.some(({ id }) => needed.has(id))) continue;
    node.operands.forEach((id) => needed.add(id));
    nodes.push(node);
  }
  return { nodes: nodes.reverse(), frontier };
}

const rule: Rule = (old, editor) => {
  if (captureCount(old) === undefined) return undefined;
  let node = old;
  for (const index of old.regions.keys()) node = hoistFrom(node, index, editor);
  return node === old
    ? undefined
    : editor.emit({ ...node, results: old.results.map((v) => ({ ...v, id: editor.ids.fresh() })) });
};

/** Moves work of region number `index` in front of the node. */
function hoistFrom(node: Node, index: number, editor: RegionEditor): Node {
  const captures = capturesOf(node);
  const region = node.regions[index]!;
  const found = invariant(region, new Set(captures.map(({ params }) => params[index]!.id)));
  if (!found || found.frontier.length === 0) return node;
  // Cheap nodes may be needed on both sides, so what moves is a copy with numbers of its own.
  const outside = new Map<ValueId, ValueId>(captures.map(({ params, operand }) => [params[index]!.id, operand]));
  for (const moved of found.nodes) {
    const results = moved.results.map((value) => ({ ...value, id: editor.ids.fresh() }));
    const regions = moved.regions.map((inner) => renumber(inner, () => editor.ids.fresh()));
    editor.emit({ ...moved, operands: moved.operands.map((id) => outside.get(id)!), regions, results });
    moved.results.forEach(({ id }, i) => outside.set(id, results[i]!.id));
  }
  const added = found.frontier.map((value) => ({
    operand: outside.get(value.id)!,
    params: node.regions.map(() => ({ ...value, id: editor.ids.fresh() })),
  }));
  const inside = new Map(found.frontier.map((value, i) => [value.id, added[i]!.params[index]!.id]));
  const bodies = node.regions.map((each, i) => (i === index ? substitute(each, inside) : each));
  return withCaptures(node, [...captures, ...added], bodies);
}

export const hoist: Pass = {
  name: "hoist",
  doc:
    "Work inside a `stack`, `fold`, `mixture` or `dispatch` that depends on captures only is done once in front of it and " +
    "handed in: the sines and cosines of rotary positions, products of shared weights. Work that costs less than " +
    "reading its result (positions, comparisons, sums) stays inside unless something costly is made of it.",
  before: [
    { pass: "drop-unused", reason: "what was moved out leaves its old nodes unused inside" },
    { pass: "share-again", reason: "several regions may have moved out the same work" },
  ],
  run: (program) => rewriteProgram(program, rule),
};
