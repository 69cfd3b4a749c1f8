/** Dead code: nodes whose results nobody uses. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { withoutUnused } from "../captures.js";
import { hasEffect } from "../graph.js";
import type { Pass } from "../pass.js";
import { mapEntries } from "../rewrite.js";

/** The region without what nothing in it needs; the same object when all is needed. */
export function dropUnused(region: Region): Region {
  const used = new Set<ValueId>(region.results);
  const kept: Node[] = [];
  let changed = false;
  for (const old of [...region.nodes].reverse()) {
    if (!hasEffect(old) && !old.results.some(({ id }) => used.has(id))) {
      changed = true;
      continue;
    }
    const regions = old.regions.map(dropUnused);
    const same = regions.every((inner, i) => inner === old.regions[i]);
    const node = withoutUnused(same ? old : { ...old, regions });
    changed ||= node !== old;
    node.operands.forEach((id) => used.add(id));
    kept.push(node);
  }
  return changed ? { ...region, nodes: kept.reverse() } : region;
}

export const dropUnusedNodes: Pass = {
  name: "drop-unused",
  doc:
    "Nodes whose results nobody uses are gone, unless they (or a node in their regions) have an effect; and what a region " +
    "is given but does not use (captures, parameters of a layer) is not given.",
  run: (program) => mapEntries(program, dropUnused),
};
