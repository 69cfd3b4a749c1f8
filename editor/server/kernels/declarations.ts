/** The declaration at a place, and all that it is made of. */
import type { Position } from "vscode-languageserver";
import type { SourceSpan } from "../../../compiler/errors/diagnostic.js";
import type { Declaration } from "../../../grammar/tree.js";
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
  const known = new Map<string, SourceSpan>();
  const open = [start.span];
  const key = (span: SourceSpan): string => `${span.file} ${span.start}`;
  known.set(key(start.span), start.span);
  for (let span = open.pop(); span; span = open.pop()) {
    for (const { span: at, symbol } of workspace.names.names(span.file)?.occurrences ?? []) {
      if (at.start < span.start || at.end > span.end) continue;
      const { decl, span: declared } = symbol.target ?? symbol;
      if (!decl) continue;
      const used = { file: declared.file, start: decl.span.start, end: decl.span.end };
      if (known.has(key(used))) continue;
      known.set(key(used), used);
      open.push(used);
    }
  }
  const spans = [...known.values()];
  return ({ file, start: at }) => spans.some((each) => each.file === file && each.start <= at && at < each.end);
}
