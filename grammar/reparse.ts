/**
 * Parsing after an edit: declarations before it stay as they are, those behind it move, and only what lies between is
 * read again. Gives the tree that `parse` gives for the whole text, or nothing where that cannot be promised.
 */
import { parse, type ParseResult } from "./parse.js";
import type { Comment, Declaration, ImportDecl, SourceFile, Span } from "./tree.js";

type Item = ImportDecl | Declaration;

/**
 * @param before The tree of an earlier text that had no syntax errors.
 * @returns The tree of `text`; undefined when all of it has to be parsed.
 */
export function reparse(
  before: { readonly text: string; readonly tree: SourceFile },
  text: string,
  file: string,
): ParseResult | undefined {
  const items: readonly Item[] = [...before.tree.imports, ...before.tree.declarations].sort(byStart);
  const { head, tail } = unchanged(before.text, text);
  const by = text.length - before.text.length;
  const tailStart = before.text.length - tail;
  // One more item than the edit touches is read again on each side: what joins two lines may be in the edit.
  const first = items.findIndex((item) => item.span.end >= head) - 1;
  const kept = Math.max(0, first === -2 ? items.length - 1 : first);
  let rest = items.findIndex((item) => item.span.start >= tailStart);
  rest = rest === -1 ? items.length : rest + 1;
  if (rest <= kept || items.length - (rest - kept) < items.length / 4) return undefined;
  const from = kept === 0 ? 0 : items[kept - 1]!.span.end;
  // The item before the edit must end its line, or what follows might belong to it.
  if (kept > 0 && !/^[^\S\n]*(?:\/\/[^\n]*)?\n/.test(text.slice(from, from + 400))) return undefined;
  const until = rest >= items.length ? before.text.length : items[rest - 1]!.span.end;
  // Blanks in front keep every place where it is in the whole text.
  const middle = parse(" ".repeat(from) + text.slice(from, until + by), file);
  if (middle.diagnostics.length > 0) return undefined;
  const behind = items.slice(Math.min(rest, items.length)).map((item) => moved(item, by));
  const all = [...items.slice(0, kept), ...middle.tree.imports, ...middle.tree.declarations, ...behind];
  const comments: Comment[] = [
    ...before.tree.comments.filter(({ span }) => span.end <= from),
    ...middle.tree.comments,
    ...before.tree.comments.filter(({ span }) => span.start >= until).map((comment) => moved(comment, by)),
  ];
  const tree: SourceFile = {
    kind: "file",
    imports: all.filter((item) => item.kind === "import"),
    declarations: all.filter((item) => item.kind !== "import"),
    comments,
    span: { start: 0, end: text.length },
  };
  return { tree, diagnostics: [] };
}

function byStart(a: Item, b: Item): number {
  return a.span.start - b.span.start;
}

/** How many characters two texts have in common at their begin and, behind that, at their end. */
function unchanged(a: string, b: string): { readonly head: number; readonly tail: number } {
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a.charCodeAt(head) === b.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < most - head && a.charCodeAt(a.length - 1 - tail) === b.charCodeAt(b.length - 1 - tail)) tail++;
  return { head, tail };
}

/** A piece of tree with all its places moved. */
function moved<N>(node: N, by: number): N {
  return by === 0 ? node : (shifted(node, by, new Map()) as N);
}

/** @param lists Lists moved so far: the parameters of a short form are those of its lambda, the same list. */
function shifted(value: unknown, by: number, lists: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const known = lists.get(value);
    if (known) return known;
    const list = value.map((item) => shifted(item, by, lists));
    lists.set(value, list);
    return list;
  }
  const node = value as Record<string, unknown>;
  if (isSpan(node)) return { start: node.start + by, end: node.end + by };
  const copy: Record<string, unknown> = {};
  for (const key in node) copy[key] = shifted(node[key], by, lists);
  return copy;
}

/** Places have a begin and an end and nothing else; a node has a kind. */
function isSpan(node: object): node is Span {
  return "start" in node && "end" in node && !("kind" in node);
}
