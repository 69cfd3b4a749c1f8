/** The borders of regions: what goes in is what is needed, and only what changes is carried. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { substitute } from "../../2-graph/rewrite.js";
import { captureCount, capturesOf, withCaptures } from "../captures.js";
import { constantOf, hasEffect } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/** Twice the same capture becomes one; a constant is written down inside. */
function tidyCaptures(node: Node, editor: RegionEditor): Node | undefined {
  const captures = capturesOf(node);
  const first = new Map<ValueId, (typeof captures)[number]>();
  const kept: (typeof captures)[number][] = [];
  const swaps = node.regions.map(() => new Map<ValueId, ValueId>());
  const inside = node.regions.map((): Node[] => []);
  for (const capture of captures) {
    const twin = first.get(capture.operand);
    const maker = editor.producer(capture.operand);
    if (twin) {
      capture.params.forEach((param, index) => swaps[index]!.set(param.id, twin.params[index]!.id));
    } else if (maker && constantOf(maker) !== undefined) {
      capture.params.forEach((param, index) => {
        const copy = { id: editor.ids.fresh(), type: param.type };
        inside[index]!.push({ ...maker, results: [copy] });
        swaps[index]!.set(param.id, copy.id);
      });
    } else {
      first.set(capture.operand, capture);
      kept.push(capture);
    }
  }
  if (kept.length === captures.length) return undefined;
  const bodies = node.regions.map((region, index): Region => {
    const swapped = substitute(region, swaps[index]!);
    return { ...swapped, nodes: [...inside[index]!, ...swapped.nodes] };
  });
  return withCaptures(node, kept, bodies);
}

/** What a loop hands on as it came is a capture. The results that it had are the operands themselves. */
function invariantCarried(node: Node): { node: Node; unchanged: readonly boolean[] } | undefined {
  if (node.op !== "stack" && node.op !== "fold") return undefined;
  const carried = node.attrs["carried"];
  const body = node.regions[0];
  if (typeof carried !== "number" || !body) return undefined;
  const lead = node.op === "fold" ? 1 : 0;
  // Behind the carried values are the rows of a fold, which no turn gets.
  const unchanged = body.results.map((id, index) => index < carried && id === body.params[lead + index]!.id);
  if (!unchanged.some(Boolean)) return undefined;
  const changing = <T>(items: readonly T[]): T[] => items.filter((_, index) => !unchanged[index]);
  const fixed = <T>(items: readonly T[]): T[] => items.filter((_, index) => unchanged[index]);
  const params = body.params.slice(lead);
  const region: Region = {
    ...body,
    params: [
      ...body.params.slice(0, lead),
      ...changing(params.slice(0, carried)),
      ...params.slice(carried),
      ...fixed(params.slice(0, carried)),
    ],
    results: changing(body.results),
  };
  const operands = [
    ...changing(node.operands.slice(0, carried)),
    ...node.operands.slice(carried),
    ...fixed(node.operands.slice(0, carried)),
  ];
  const attrs = { ...node.attrs, carried: changing(node.operands.slice(0, carried)).length };
  return { node: { ...node, operands, attrs, regions: [region], results: changing(node.results) }, unchanged };
}

const rule: Rule = (old, editor) => {
  if (captureCount(old) === undefined) return undefined;
  const carried = invariantCarried(old);
  // A loop that changes nothing is gone, unless something inside has an effect; then it keeps what it carries.
  if (carried?.node.results.length === 0 && !hasEffect(old)) return old.operands.slice(0, old.results.length);
  if (carried && carried.node.results.length > 0) {
    const values = editor.emit(carried.node);
    let next = 0;
    return carried.unchanged.map((same, index) => (same ? old.operands[index]! : values[next++]!));
  }
  const tidy = tidyCaptures(old, editor);
  return tidy
    ? editor.emit({ ...tidy, results: old.results.map((each) => ({ ...each, id: editor.ids.fresh() })) })
    : undefined;
};

export const tidyRegions: Pass = {
  name: "tidy-regions",
  doc:
    "The borders of `stack`, `fold`, `mixture` and `dispatch`: equal captures are joined, scalar constants are written " +
    "down inside, and a carried value that no layer or turn changes becomes a capture.",
  after: [{ pass: "share", reason: "equal captures are the same value only after sharing" }],
  before: [{ pass: "hoist", reason: "what depends on an unchanged carried value does not depend on the layer" }],
  run: (program) => rewriteProgram(program, rule),
};
