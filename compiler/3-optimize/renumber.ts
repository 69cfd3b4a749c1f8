/** Copies of regions: every value of an entry has a number of its own, so a body that is used twice needs new ones. */
import type { Node, Region, Value, ValueId } from "../2-graph/ir.js";
import type { RegionEditor } from "./rewrite.js";

/** A copy of a region with fresh numbers, so that the same body can stand in a graph several times. */
export function renumber(region: Region, fresh: () => ValueId): Region {
  const numbers = new Map<ValueId, ValueId>();
  const copy = (value: Value): Value => {
    const id = fresh();
    numbers.set(value.id, id);
    return { ...value, id };
  };
  const params = region.params.map(copy);
  const nodes = region.nodes.map((node): Node => ({
    ...node,
    operands: node.operands.map((id) => numbers.get(id)!),
    regions: node.regions.map((inner) => renumber(inner, fresh)),
    results: node.results.map(copy),
  }));
  return { params, nodes, results: region.results.map((id) => numbers.get(id)!) };
}

/** Puts the nodes of a region into the editor, with `args` for its parameters. */
export function inline(region: Region, args: readonly ValueId[], editor: RegionEditor): readonly ValueId[] {
  const body = renumber(region, () => editor.ids.fresh());
  const values = new Map(body.params.map((param, index) => [param.id, args[index]!]));
  const now = (id: ValueId): ValueId => values.get(id) ?? id;
  for (const node of body.nodes) editor.emit({ ...node, operands: node.operands.map(now) });
  return body.results.map(now);
}
