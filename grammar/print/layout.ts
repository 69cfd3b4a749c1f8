/**
 * The documents shared by all printers: bracketed lists, and what the source says about comments and blank lines.
 */
import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type { Comment, Span } from "../tree.js";
import type { Attached } from "./comments.js";

const { group, hardline, indent, join, line, lineSuffix, literalline, softline, ifBreak, breakParent } = builders;

/** A node as far as layout is concerned. */
export interface Placed {
  readonly span: Span;
}

/** What every printer needs beside the node: the source for blank lines, and the comments by node. */
export interface Layout {
  readonly text: string;
  readonly attached: Attached;
}

/** One comment; a doc comment that documents nothing becomes a plain one, so that it does not come to document a neighbour. */
export function commentDoc(comment: Comment, documents: boolean): Doc {
  if (comment.style !== "block") return (documents ? "///" : "//") + separated(comment, documents);
  const lines = `/*${comment.text}*/`.split(/\r?\n/).map((each) => each.trimEnd());
  return join(literalline, lines);
}

function separated(comment: Comment, documents: boolean): string {
  const clash = !documents && comment.text.startsWith("/");
  return (clash ? " " : "") + comment.text;
}

/** True when a blank line stands before `offset`, not counting the start of the file. */
export function blankBefore(text: string, offset: number): boolean {
  const gap = /\n[ \t\r]*\n[ \t\r\n]*$/.exec(text.slice(Math.max(0, offset - 400), offset));
  return gap !== null;
}

/** The lines of an item: comments above, doc, the item, comments behind it. Separators are the caller's. */
export function withComments(layout: Layout, node: Placed, doc: Doc, mark: Doc = ""): Doc {
  const above = layout.attached.leading.get(node) ?? [];
  const behind = layout.attached.trailing.get(node) ?? [];
  if (above.length === 0 && behind.length === 0) return [doc, mark];
  const parts: Doc[] = [];
  above.forEach((comment, i) => {
    const next = above[i + 1]?.span.start ?? layout.attached.startOf(node);
    const apart = blankBefore(layout.text, next);
    parts.push(commentDoc(comment, comment.style === "doc" && apart), hardline, apart ? hardline : "");
  });
  parts.push(doc, mark);
  // Outside the line as it is measured: a comment never makes the code before it break.
  for (const comment of behind) parts.push(lineSuffix([" ", commentDoc(comment, false)]));
  return [...parts, breakParent];
}

/** Where an item begins with its comments and doc, for the blank line before it. */
export function blankAbove(layout: Layout, node: Placed): boolean {
  const first = layout.attached.leading.get(node)?.[0]?.span.start ?? layout.attached.startOf(node);
  return blankBefore(layout.text, first);
}

/** Comments that stand behind the last item of a container, each on its own line. */
export function tailDocs(layout: Layout, container: object): Doc[] {
  return (layout.attached.tail.get(container) ?? []).map((comment) => commentDoc(comment, false));
}

/** Items one below the other, single blank lines kept, comments at the end included. */
export function stacked(
  layout: Layout,
  container: object,
  items: readonly { node: Placed; doc: Doc }[],
  mark: Doc = "",
): Doc {
  const parts: Doc[] = [];
  for (const { node, doc } of items) {
    if (parts.length > 0) parts.push(hardline, blankAbove(layout, node) ? hardline : "");
    parts.push(withComments(layout, node, doc, mark));
  }
  const tail = layout.attached.tail.get(container) ?? [];
  tailDocs(layout, container).forEach((doc, i) => {
    if (parts.length > 0) parts.push(hardline, blankBefore(layout.text, tail[i]!.span.start) ? hardline : "");
    parts.push(doc);
  });
  return parts;
}

/** `open a, b close`, broken one item a line where it does not fit or holds comments, or where the caller `breaks` it. */
export function bracketed(open: string, items: readonly Doc[], close: string, breaks = false): Doc {
  if (items.length === 0) return open + close;
  const list = [open, indent([softline, join([",", line], [...items])]), ifBreak(","), softline, close];
  return group(list, { shouldBreak: breaks });
}

/** A list whose items may carry comments. */
export function commented(
  layout: Layout,
  container: object,
  open: string,
  items: readonly { node: Placed; doc: Doc }[],
  close: string,
  breaks = false,
): Doc {
  const { leading, trailing, tail } = layout.attached;
  const plain = !tail.has(container) && items.every(({ node }) => !leading.has(node) && !trailing.has(node));
  if (plain) return bracketed(open, items.map(({ doc }) => doc), close, breaks); // prettier-ignore
  return [open, indent([hardline, stacked(layout, container, items, ",")]), hardline, close, breakParent];
}
