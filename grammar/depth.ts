/**
 * A bound on how deep a tree may be, so that every later stage can walk it by recursion.
 */
import type { Span } from "./tree.js";

/** Far above any program a person writes; long sums and chains count as well as nesting. */
export const DEPTH_LIMIT = 320;

/** The span of a node that stands too deep. */
export function tooDeep(root: object): Span | undefined {
  return fits(root, DEPTH_LIMIT) ? undefined : firstBelow(root);
}

/** True when no node stands more than `levels` below; goes no deeper than that itself. */
function fits(node: object, levels: number): boolean {
  if (levels < 0) return false;
  for (const key in node) {
    const value = (node as Readonly<Record<string, unknown>>)[key];
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) if (isNode(item) && !fits(item, levels - 1)) return false;
    } else if (isNode(value) && !fits(value, levels - 1)) return false;
  }
  return true;
}

/** The node which an error names, found without recursion. */
function firstBelow(root: object): Span | undefined {
  const stack: [object, number][] = [[root, 0]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [node, depth] = top;
    if (depth > DEPTH_LIMIT) return (node as { span: Span }).span;
    for (const value of Object.values(node) as unknown[]) {
      if (Array.isArray(value)) {
        for (const item of value as unknown[]) if (isNode(item)) stack.push([item, depth + 1]);
      } else if (isNode(value)) stack.push([value, depth + 1]);
    }
  }
  return undefined;
}

function isNode(value: unknown): value is object {
  return typeof value === "object" && value !== null && "kind" in value;
}
