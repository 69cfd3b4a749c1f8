/**
 * Which comment goes with which node. Comments stand only between whole items: declarations, members, statements, entries
 * and the items of bracketed lists; one in the middle of an item moves to its front or its end, so that it is never lost
 * and never parts an operator from its operand.
 */
import type { DocRun } from "../docs.js";
import type { Comment, Declaration, Expression, ImportDecl, Member, SourceFile, Span } from "../tree.js";
import type { Placed } from "./layout.js";

export interface Attached {
  readonly leading: ReadonlyMap<Placed, readonly Comment[]>;
  readonly trailing: ReadonlyMap<Placed, readonly Comment[]>;
  /** Behind the last item of a container: a node, or a list of one. */
  readonly tail: ReadonlyMap<object, readonly Comment[]>;
  /** Where a node starts, its doc comment included. */
  readonly startOf: (node: Placed) => number;
}

interface Container {
  /** Whose tail takes what stands behind its last item. */
  readonly key: object;
  readonly span: Span;
  readonly items: readonly Placed[];
}

type Node = Placed & { readonly kind: string; readonly doc?: string };

/** Attaches every comment of the file that is not the doc of a node. */
export function attachComments(tree: SourceFile, text: string, docs: ReadonlyMap<number, DocRun>): Attached {
  const consumed = new Set<Comment>();
  const starts = new Map<Placed, number>();
  const containers: Container[] = [];
  visit(tree, (node) => {
    const run = node.doc === undefined ? undefined : docs.get(node.span.start);
    if (run !== undefined) {
      for (const comment of run.comments) consumed.add(comment);
      starts.set(node, run.comments[0]!.span.start);
    }
    containers.push(...containersOf(node, text));
  });
  const leading = new Map<Placed, Comment[]>();
  const trailing = new Map<Placed, Comment[]>();
  const tail = new Map<object, Comment[]>();
  // Innermost first: an inner container ends up later in a walk from the root.
  containers.reverse();
  for (const comment of tree.comments) {
    if (consumed.has(comment)) continue;
    const { start, end } = comment.span;
    const container = containers.find(({ span }) => span.start <= start && end <= span.end)!;
    place(comment, container);
  }
  return { leading, trailing, tail, startOf: (node) => starts.get(node) ?? node.span.start };

  function place(comment: Comment, { key, items }: Container): void {
    const { start, end } = comment.span;
    const around = items.find((item) => item.span.start < start && end <= item.span.end);
    const alone = /(?:^|\n)[ \t]*$/.test(text.slice(Math.max(0, start - 400), start));
    if (around !== undefined) return alone ? add(leading, around, comment) : addBehind(around, comment);
    const before = items.findLast((item) => item.span.end <= start);
    const after = items.find((item) => end <= item.span.start);
    if (before !== undefined && !text.slice(before.span.end, start).includes("\n")) return addBehind(before, comment);
    if (after !== undefined) return add(leading, after, comment);
    add(tail, key, comment);
  }

  /** Only one comment to the line's end can stand behind an item: an earlier one goes above it. */
  function addBehind(node: Placed, comment: Comment): void {
    const earlier = trailing.get(node) ?? [];
    if (earlier.some(({ style }) => style !== "block")) {
      for (const each of earlier) add(leading, node, each);
      trailing.delete(node);
    }
    add(trailing, node, comment);
  }

  function add<K>(map: Map<K, Comment[]>, node: K, comment: Comment): void {
    map.set(node, [...(map.get(node) ?? []), comment]);
  }
}

function visit(node: Node, each: (node: Node) => void): void {
  each(node);
  for (const [key, value] of Object.entries(node)) {
    if (key === "comments") continue;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) if (isNode(item)) visit(item, each);
    } else if (isNode(value)) visit(value, each);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "kind" in value && "span" in value;
}

/** The items among which comments may stand, with the span between the container's brackets. */
function containersOf(node: Node, text: string): readonly Container[] {
  const tree = node as unknown as Expression | Member | SourceFile | Declaration | ImportDecl;
  const from = (start: number, items: readonly Placed[]): Container => ({
    key: node,
    span: { start, end: node.span.end },
    items,
  });
  switch (tree.kind) {
    case "file": {
      const items = inOrder([...tree.imports, ...tree.declarations]);
      return [{ key: node, span: { start: 0, end: text.length }, items }];
    }
    case "import":
      return [{ key: node, span: { start: tree.span.start, end: tree.from.span.start }, items: tree.names }];
    case "module": {
      const axes = listOf(tree.axes, tree.name.span.end, "]", text);
      const params = listOf(tree.params, axes[0]?.span.end ?? tree.name.span.end, ")", text);
      if (tree.members === undefined) return [...axes, ...params];
      const head = [tree.name, ...tree.axes, ...tree.params].reduce((end, each) => Math.max(end, each.span.end), 0);
      return [from(Math.max(head, axes[0]?.span.end ?? 0, params[0]?.span.end ?? 0), tree.members), ...axes, ...params];
    }
    case "lambda":
      return listOf(tree.params, tree.span.start, ")", text);
    case "method":
    case "grad":
      return listOf(tree.params, tree.name?.span.end ?? tree.span.start, ")", text);
    case "block": {
      const items: Placed[] = [...tree.statements];
      if (tree.result !== undefined) items.push(tree.result);
      return [from(node.span.start, items)];
    }
    case "weights":
    case "settings":
      return [from("format" in tree ? tree.format.span.end : tree.name.span.end, tree.entries)];
    case "call":
      return [from(tree.callee.span.end, tree.args)];
    case "list":
    case "tuple":
      return [from(node.span.start, tree.items)];
    default:
      return [];
  }
}

/** A list of a node, up to the bracket that closes it. */
function listOf(items: readonly Placed[], start: number, close: string, text: string): readonly Container[] {
  const last = items.at(-1);
  if (!last) return [];
  const behind = /^(?:[^\])/]|\/(?![/*])|\/\/[^\n]*|\/\*[^]*?\*\/)*/.exec(text.slice(last.span.end))![0];
  const end = last.span.end + behind.length;
  return text[end] === close ? [{ key: items, span: { start, end }, items }] : [];
}

/** Items as they stand in the source; made-up trees have no positions and keep their order. */
export function inOrder<N extends Placed>(items: readonly N[]): readonly N[] {
  return [...items].sort((a, b) => a.span.start - b.span.start);
}
