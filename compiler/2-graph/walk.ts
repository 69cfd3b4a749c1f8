/** Reading a graph: visits, uses, definitions. */
import type { Entry, Node, Region, Value, ValueId } from "./ir.js";

/** Visit every node, those of nested regions after the node that holds them; `depth` 0 is `region` itself. */
export function forEachNode(region: Region, visit: (node: Node, depth: number) => void, depth = 0): void {
  for (const node of region.nodes) {
    visit(node, depth);
    for (const inner of node.regions) forEachNode(inner, visit, depth + 1);
  }
}

/** All nodes that satisfy `test`, nested ones included, in order. */
export function collectNodes(region: Region, test: (node: Node) => boolean): readonly Node[] {
  const found: Node[] = [];
  forEachNode(region, (node) => {
    if (test(node)) found.push(node);
  });
  return found;
}

/** How often each value of the region is used by its nodes and results. Nested regions cannot use them. */
export function useCounts(region: Region): Map<ValueId, number> {
  const counts = new Map<ValueId, number>();
  const count = (id: ValueId): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const node of region.nodes) node.operands.forEach(count);
  region.results.forEach(count);
  return counts;
}

/** The node that makes each value of the region; parameters have none. */
export function definitions(region: Region): Map<ValueId, Node> {
  const made = new Map<ValueId, Node>();
  for (const node of region.nodes) for (const result of node.results) made.set(result.id, node);
  return made;
}

/** The nodes of the region that use each value. */
export function users(region: Region): Map<ValueId, readonly Node[]> {
  const found = new Map<ValueId, Node[]>();
  for (const node of region.nodes) {
    for (const id of new Set(node.operands)) found.set(id, [...(found.get(id) ?? []), node]);
  }
  return found;
}

/** All values of the region and of those nested in it. */
export function allValues(region: Region): readonly Value[] {
  const values: Value[] = [...region.params];
  for (const node of region.nodes) {
    values.push(...node.results);
    for (const inner of node.regions) values.push(...allValues(inner));
  }
  return values;
}

/** The first id above all that a graph uses. */
export function nextId(entry: Pick<Entry, "body">): ValueId {
  return allValues(entry.body).reduce((next, value) => Math.max(next, value.id + 1), 0);
}

/** True when the op has an effect, or a node inside one of the regions has. */
export function hasEffect(node: Node, effect: (op: string) => boolean): boolean {
  return effect(node.op) || node.regions.some((region) => region.nodes.some((inner) => hasEffect(inner, effect)));
}
