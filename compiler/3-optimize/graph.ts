/** Questions about nodes and types that several passes ask. */
import type { Node } from "../2-graph/ir.js";
import { hasEffect as hasEffectBy } from "../2-graph/walk.js";
import { getOp } from "../ops/index.js";
import type { AttrValue, TensorType, ValueType } from "../ops/types.js";

/** True when a node, or one in its regions, may not be merged, moved or dropped; so is one that the table does not know. */
export function hasEffect(node: Node): boolean {
  return hasEffectBy(node, (op) => getOp(op)?.effect ?? true);
}

/** The number of a scalar `constant` node; bool is 0 or 1. */
export function constantOf(node: Node | undefined): number | undefined {
  if (node?.op !== "constant" || node.attrs["values"] !== undefined) return undefined;
  const value: AttrValue | undefined = node.attrs["value"];
  return typeof value === "number" ? value : undefined;
}

export function tensorOf(type: ValueType | undefined): TensorType | undefined {
  return type?.kind === "tensor" ? type : undefined;
}

/** Names of the axes; of routes those of the tokens. */
export const axisNames = (type: ValueType): readonly string[] =>
  (type.kind === "tensor" ? type.axes : type.tokens).map(({ name }) => name);
