/** The declaration at a place, and all that it is made of. */
import type { Position } from "vscode-languageserver";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import type { Declaration } from "../../../grammar/tree.js";
import type { NameSymbol } from "../names/index.js";
import type { Workspace } from "../workspace.js";

export interface Place {
  readonly name: string;
  /** `expert`, `model`, … or `test`. */
  readonly contract: string;
  readonly span: SourceSpan;
}

function placeOf(file: string, declaration: Declaration): Place {
  const span = { file, start: declaration.span.start, end: declaration.span.end };
  if (declaration.kind === "test") return { name: declaration.name.value, contract: "test", span };
  return { name: declaration.name.text, contract: declaration.contract, span };
}

/** The declaration around a position, or the last one above it. */
export function declarationAt(workspace: Workspace, file: string, position: Position): Place | undefined {
  const offset = workspace.text(file).offset(position);
  const above = workspace.load(file)?.tree.declarations.filter(({ span }) => span.start <= offset);
  const found = above?.at(-1);
  return found && placeOf(file, found);
}

/** Whether a place lies in the declaration, or in one that it uses, directly or through others. */
export function reachableFrom(workspace: Workspace, start: Place): (span: SourceSpan) => boolean {
  return reachable(workspace, [start.span]);
}

/** A name in a declaration, and whether a place lies in what it stands for. */
export interface Use {
  readonly span: SourceSpan;
  readonly holds: (span: SourceSpan) => boolean;
}

/** The names in a declaration that stand for modules: `RMSNorm` itself, and `norm` behind `use norm = RMSNorm[D]`. */
export function usesIn(workspace: Workspace, { span }: Place): readonly Use[] {
  const occurrences = workspace.names.names(span.file)?.occurrences ?? [];
  const inside = occurrences.filter(({ span: at }) => span.start <= at.start && at.end <= span.end);
  return inside.flatMap(({ span: at, symbol }): Use[] => {
    const declared = declarationsIn(workspace, symbol).filter(
      ({ file, start }) => file !== span.file || start !== span.start,
    );
    return declared.length === 0 ? [] : [{ span: at, holds: reachable(workspace, declared) }];
  });
}

/** The declarations that a name stands for; of a member, those that its value names. */
function declarationsIn(workspace: Workspace, symbol: NameSymbol): readonly SourceSpan[] {
  const own = declarationOf(symbol);
  if (own) return [own];
  if (symbol.kind !== "use" && symbol.kind !== "stack") return [];
  const { file, start, end } = symbol.whole;
  return (workspace.names.names(file)?.occurrences ?? []).flatMap(({ span, symbol: named }) =>
    start <= span.start && span.end <= end ? (declarationOf(named) ?? []) : [],
  );
}

function declarationOf(symbol: NameSymbol): SourceSpan | undefined {
  const { decl, span } = symbol.target ?? symbol;
  return decl && { file: span.file, start: decl.span.start, end: decl.span.end };
}

function reachable(workspace: Workspace, from: readonly SourceSpan[]): (span: SourceSpan) => boolean {
  const key = (span: SourceSpan): string => `${span.file} ${span.start}`;
  const known = new Map(from.map((span) => [key(span), span]));
  const open = [...from];
  for (let span = open.pop(); span; span = open.pop()) {
    for (const { span: at, symbol } of workspace.names.names(span.file)?.occurrences ?? []) {
      if (at.start < span.start || at.end > span.end) continue;
      const used = declarationOf(symbol);
      if (!used || known.has(key(used))) continue;
      known.set(key(used), used);
      open.push(used);
    }
  }
  const spans = [...known.values()];
  return ({ file, start }) => spans.some((each) => each.file === file && each.start <= start && start < each.end);
}
