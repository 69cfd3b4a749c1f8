/**
 * The operands that a region op hands to its regions unchanged. In `stack`, `fold`, `mixture` and `dispatch` they are
 * the last operands and the last parameters of every region, so that they can be added and taken away alike.
 */
import type { Node, Region, Value, ValueId } from "../2-graph/ir.js";

/** How many operands of the node are captures; undefined for nodes that have none by nature. */
export function captureCount(node: Node): number | undefined {
  const number = (name: string): number => {
    const value = node.attrs[name];
    return typeof value === "number" ? value : 0;
  };
  switch (node.op) {
    case "stack":
      return node.operands.length - number("carried") - number("stacked");
    case "fold":
      return node.operands.length - number("carried");
    case "mixture":
    case "dispatch":
      return number("captures");
    default:
      return undefined;
  }
}

/** The same node with other captures: operand and region parameters for each. */
export function withCaptures(
  node: Node,
  captures: readonly { readonly operand: ValueId; readonly params: readonly Value[] }[],
  bodies: readonly Region[] = node.regions,
): Node {
  const old = captureCount(node) ?? 0;
  const operands = [...node.operands.slice(0, node.operands.length - old), ...captures.map(({ operand }) => operand)];
  const regions = bodies.map((region, index) => ({
    ...region,
    params: [...region.params.slice(0, region.params.length - old), ...captures.map(({ params }) => params[index]!)],
  }));
  const attrs = "captures" in node.attrs ? { ...node.attrs, captures: captures.length } : node.attrs;
  return { ...node, operands, attrs, regions };
}

/** The captures that a node has now. */
export function capturesOf(node: Node): readonly { readonly operand: ValueId; readonly params: readonly Value[] }[] {
  const count = captureCount(node) ?? 0;
  return Array.from({ length: count }, (_, index) => ({
    operand: node.operands[node.operands.length - count + index]!,
    params: node.regions.map((region) => region.params[region.params.length - count + index]!),
  }));
}

/** The values that nodes or results of this region use. */
export function usedIn(region: Region): ReadonlySet<ValueId> {
  return new Set([...region.nodes.flatMap((node) => node.operands), ...region.results]);
}

/** The node without captures and parameters of layers that no region uses; the same object when all are used. */
export function withoutUnused(node: Node): Node {
  const count = captureCount(node);
  if (count === undefined) return node;
  const used = node.regions.map(usedIn);
  const captures = capturesOf(node);
  const kept = captures.filter(({ params }) => params.some((param, index) => used[index]!.has(param.id)));
  return withoutStacked(kept.length === captures.length ? node : withCaptures(node, kept));
}

function withoutStacked(node: Node): Node {
  const { carried, stacked } = node.attrs;
  const body = node.regions[0];
  if (node.op !== "stack" || typeof carried !== "number" || typeof stacked !== "number" || !body) return node;
  const used = usedIn(body);
  const isKept = (index: number): boolean =>
    index < carried || index >= carried + stacked || used.has(body.params[index]!.id);
  const params = body.params.filter((_, index) => isKept(index));
  if (params.length === body.params.length) return node;
  return {
    ...node,
    operands: node.operands.filter((_, index) => isKept(index)),
    attrs: { ...node.attrs, stacked: stacked - (body.params.length - params.length) },
    regions: [{ ...body, params }],
  };
}
