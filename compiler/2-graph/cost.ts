/** Cost of nodes, regions and entries, from the cost rules of the op table. */
import { Size } from "../axes/size.js";
import { getOp } from "../ops/index.js";
import type { Declarations, OpCost, RegionType, ValueType } from "../ops/types.js";
import type { Node, Region, ValueId } from "./ir.js";
import { callOf, regionType, typesOf } from "./types.js";

/** Operations and bytes of one node; `types` are those of the region around it. */
export function nodeCost(node: Node, types: ReadonlyMap<ValueId, ValueType>, declared?: Declarations): OpCost {
  const op = getOp(node.op);
  if (!op) throw new RangeError(`no op ${node.op}`);
  const regions = node.regions.map((region): RegionType => ({
    ...regionType(region),
    cost: regionCost(region, declared),
  }));
  return op.cost({ ...callOf(node, types, declared), regions });
}

/** Sum over the nodes: operations are exact, bytes those of a run without any fusion. */
export function regionCost(region: Region, declared?: Declarations): OpCost {
  const types = typesOf(region);
  let flops = Size.zero;
  let bytes = Size.zero;
  for (const node of region.nodes) {
    const cost = nodeCost(node, types, declared);
    flops = flops.plus(cost.flops);
    bytes = bytes.plus(cost.bytes);
  }
  return { flops, bytes };
}
