/** Common subexpressions: what is computed twice is computed once. */
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { sameType } from "../../ops/type-text.js";
import { hasEffect } from "../graph.js";
import { nodeKey } from "../keys.js";
import type { Pass } from "../pass.js";
import { mapEntries } from "../rewrite.js";

/**
 * Within one region: a region is a scope of its own, because what it computes is computed once per layer, expert or key
 * and not once.
 */
function share(region: Region): Region {
  const known = new Map<string, Node>();
  const replaced = new Map<ValueId, ValueId>();
  const now = (id: ValueId): ValueId => replaced.get(id) ?? id;
  const nodes: Node[] = [];
  let changed = false;
  for (const old of region.nodes) {
    const operands = old.operands.map(now);
    const regions = old.regions.map(share);
    const same =
      operands.every((id, i) => id === old.operands[i]) && regions.every((inner, i) => inner === old.regions[i]);
    const node = same ? old : { ...old, operands, regions };
    changed ||= !same;
    if (!hasEffect(node)) {
      const key = nodeKey(node);
      const twin = known.get(key);
      if (twin?.results.every((result, i) => sameType(result.type, node.results[i]!.type))) {
        node.results.forEach((result, i) => replaced.set(result.id, twin.results[i]!.id));
        changed = true;
        continue;
      }
      known.set(key, node);
    }
    nodes.push(node);
  }
  return changed ? { params: region.params, nodes, results: region.results.map(now) } : region;
}

export const shareValues: Pass = {
  name: "share",
  doc:
    "Common subexpressions: of nodes with the same op, operands, attributes and regions only the first stays. Nodes with " +
    "an effect (caches, states) stay as they are, and so does everything whose region has one.",
  before: [{ pass: "drop-unused", reason: "sharing leaves operands without users behind" }],
  run: (program) => mapEntries(program, share),
};
