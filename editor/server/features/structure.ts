/** Folding, growing selections, and links in the text. */
import {
  FoldingRangeKind,
  type DocumentLink,
  type FoldingRange,
  type Position,
  type SelectionRange,
} from "vscode-languageserver";
import type { Workspace } from "../workspace.js";
import { eachNode, pathTo } from "./tree-walk.js";

const FOLDED = new Set(["module", "test", "method", "block", "weights", "settings", "list", "lambda", "call", "tuple"]);

export function foldingRanges(workspace: Workspace, file: string): FoldingRange[] {
  const text = workspace.text(file);
  const tree = workspace.load(file)?.tree;
  if (!tree) return [];
  const lines = new Map<number, FoldingRange>();
  const add = (start: number, end: number, kind?: FoldingRangeKind): void => {
    const startLine = text.position(start).line;
    const last = text.position(end).line;
    // The line with the closing bracket stays to be seen.
    const endLine = kind === undefined ? last - 1 : last;
    if (endLine <= startLine || lines.has(startLine)) return;
    lines.set(startLine, { startLine, endLine, ...(kind === undefined ? {} : { kind }) });
  };
  eachNode(tree, (node) => {
    if (FOLDED.has(node.kind)) add(node.span.start, node.span.end);
  });
  const [first] = tree.imports;
  if (first) add(first.span.start, tree.imports.at(-1)!.span.end, FoldingRangeKind.Imports);
  for (let i = 0; i < tree.comments.length; i++) {
    let end = i;
    const next = (at: number): number => text.position(tree.comments[at]!.span.start).line;
    while (end + 1 < tree.comments.length && next(end + 1) === text.position(tree.comments[end]!.span.end).line + 1)
      end++;
    add(tree.comments[i]!.span.start, tree.comments[end]!.span.end, FoldingRangeKind.Comment);
    i = end;
  }
  return [...lines.values()].sort((a, b) => a.startLine - b.startLine);
}

export function selectionRanges(workspace: Workspace, file: string, positions: readonly Position[]): SelectionRange[] {
  const text = workspace.text(file);
  const tree = workspace.load(file)?.tree;
  return positions.map((position) => {
    let range: SelectionRange = { range: text.range({ start: 0, end: text.text.length }) };
    if (!tree) return range;
    let size = text.text.length;
    for (const { span } of pathTo(tree, text.offset(position))) {
      if (span.end - span.start >= size) continue;
      size = span.end - span.start;
      range = { range: text.range(span), parent: range };
    }
    return range;
  });
}

/** Imports lead to their files, `arXiv:2002.05202` to the paper. */
export function documentLinks(workspace: Workspace, file: string): DocumentLink[] {
  const text = workspace.text(file);
  const tree = workspace.load(file)?.tree;
  if (!tree) return [];
  const imports = tree.imports.flatMap(({ from }) => {
    const target = workspace.host.resolve(file, from.value);
    const span = { start: from.span.start + 1, end: from.span.end - 1 };
    return workspace.read(target) === undefined || span.end <= span.start
      ? []
      : [{ range: text.range(span), target: workspace.host.toUri(target) }];
  });
  const papers = tree.comments.flatMap(({ span }) =>
    [...text.slice(span).matchAll(/arXiv:(\d{4}\.\d{4,5})/g)].map((match) => {
      const start = span.start + match.index;
      return {
        range: text.range({ start, end: start + match[0].length }),
        target: `https://arxiv.org/abs/${match[1]!}`,
      };
    }),
  );
  return [...imports, ...papers];
}
