/** Changing a graph: every function gives a new one and shares what it did not touch. */
import type { Entry, Node, Program, Region, Value, ValueId } from "./ir.js";

/**
 * Replace nodes, nested ones first. `change` gives the node itself to keep it, another or several to replace it, none to
 * drop it; results that others use must go on to exist.
 */
export function mapNodes(region: Region, change: (node: Node) => Node | readonly Node[]): Region {
  let touched = false;
  const nodes = region.nodes.flatMap((node) => {
    const inner = mapRegions(node, (nested) => mapNodes(nested, change));
    const changed = change(inner);
    if (changed !== node) touched = true;
    return changed;
  });
  return touched ? { ...region, nodes } : region;
}

/** Replace the regions of one node. */
export function mapRegions(node: Node, change: (region: Region, index: number) => Region): Node {
  const regions = node.regions.map(change);
  return regions.some((region, index) => region !== node.regions[index]) ? { ...node, regions } : node;
}

/** Use other values in place of some, in the operands and results of this region (nested regions see none of them). */
export function substitute(region: Region, values: ReadonlyMap<ValueId, ValueId>): Region {
  if (values.size === 0) return region;
  // Chains a -> b -> c end at c.
  const final = (id: ValueId): ValueId => {
    let at = id;
    for (let steps = 0; values.has(at) && steps <= values.size; steps++) at = values.get(at)!;
    return at;
  };
  const nodes = region.nodes.map((node) =>
    node.operands.some((id) => values.has(id)) ? { ...node, operands: node.operands.map(final) } : node,
  );
  return { ...region, nodes, results: region.results.map(final) };
}

/** A copy with fresh ids throughout, for a body that is used a second time. */
export function renumber(region: Region, fresh: () => ValueId): Region {
  const ids = new Map<ValueId, ValueId>();
  const renamed = (value: Value): Value => {
    const id = fresh();
    ids.set(value.id, id);
    return { ...value, id };
  };
  const known = (id: ValueId): ValueId => ids.get(id) ?? id;
  const params = region.params.map(renamed);
  const nodes = region.nodes.map((node) => ({
    ...node,
    operands: node.operands.map(known),
    regions: node.regions.map((inner) => renumber(inner, fresh)),
    results: node.results.map(renamed),
  }));
  return { params, nodes, results: region.results.map(known) };
}

/**
 * The nodes of a region placed into another graph: its parameters become `args`, its values get fresh ids.
 *
 * @returns The nodes, and what stands for the results of the region.
 */
export function inline(
  region: Region,
  args: readonly ValueId[],
  fresh: () => ValueId,
): { readonly nodes: readonly Node[]; readonly results: readonly ValueId[] } {
  if (args.length !== region.params.length) throw new RangeError(`${args.length} values for ${region.params.length}`);
  const copy = renumber(region, fresh);
  const bound = substitute(copy, new Map(copy.params.map((param, index) => [param.id, args[index]!])));
  return { nodes: bound.nodes, results: bound.results };
}

/** Every entry's body changed. */
export function mapEntries(program: Program, change: (entry: Entry) => Region): Program {
  let touched = false;
  const entries = program.entries.map((entry) => {
    const body = change(entry);
    if (body === entry.body) return entry;
    touched = true;
    return { ...entry, body };
  });
  return touched ? { ...program, entries } : program;
}
