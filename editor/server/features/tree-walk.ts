/** Every node of a tree, outermost first. */
import type { Span } from "../../../grammar/tree.js";

export interface TreeNode {
  readonly kind: string;
  readonly span: Span;
}

export function eachNode(node: object, visit: (node: TreeNode) => void): void {
  if ("kind" in node && "span" in node) visit(node as TreeNode);
  for (const value of Object.values(node) as unknown[]) {
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) if (typeof item === "object" && item !== null) eachNode(item, visit);
    } else if (typeof value === "object" && value !== null) eachNode(value, visit);
  }
}

/** The nodes around an offset, outermost first. */
export function pathTo(tree: object, offset: number): readonly TreeNode[] {
  const path: TreeNode[] = [];
  eachNode(tree, (node) => {
    if (node.span.start <= offset && offset <= node.span.end) path.push(node);
  });
  return path.sort((a, b) => b.span.end - b.span.start - (a.span.end - a.span.start));
}
