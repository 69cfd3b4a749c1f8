/** Where a name was declared and where it is written. */
import { DocumentHighlightKind, type DocumentHighlight, type Location, type Position } from "vscode-languageserver";
import type { NameSymbol, Occurrence } from "../names/index.js";
import type { Workspace } from "../workspace.js";

export function symbolAt(workspace: Workspace, file: string, position: Position): Occurrence | undefined {
  return workspace.names.at(file, workspace.text(file).offset(position));
}

export function definition(workspace: Workspace, file: string, position: Position): Location | undefined {
  const found = symbolAt(workspace, file, position);
  if (found) return workspace.location((found.symbol.target ?? found.symbol).span);
  const offset = workspace.text(file).offset(position);
  const declaration = workspace
    .load(file)
    ?.tree.imports.find(({ from }) => from.span.start <= offset && offset <= from.span.end);
  if (!declaration) return undefined;
  const target = workspace.host.resolve(file, declaration.from.value);
  return workspace.read(target) === undefined ? undefined : workspace.location({ file: target, start: 0, end: 0 });
}

/** Every place in the workspace where the symbol is written, the declaration first. */
export function occurrencesOf(workspace: Workspace, symbol: NameSymbol): readonly Occurrence[] {
  const home = symbol.span.file;
  const isShared = symbol.kind === "declaration" || symbol.container !== undefined;
  const files = isShared ? [home, ...workspace.allFiles().filter((file) => file !== home)] : [home];
  return files.flatMap((file) => {
    // A file that does not have the word need not be parsed.
    if (!workspace.read(file)?.includes(symbol.name)) return [];
    const found = workspace.names.names(file)?.occurrences ?? [];
    return found.filter((occurrence) => occurrence.symbol.id === symbol.id);
  });
}

export function references(
  workspace: Workspace,
  file: string,
  position: Position,
  includeDeclaration: boolean,
): Location[] {
  const found = symbolAt(workspace, file, position);
  if (!found) return [];
  return occurrencesOf(workspace, found.symbol)
    .filter(({ role }) => includeDeclaration || role !== "declaration")
    .map(({ span }) => workspace.location(span));
}

export function highlights(workspace: Workspace, file: string, position: Position): DocumentHighlight[] {
  const found = symbolAt(workspace, file, position);
  if (!found) return [];
  const text = workspace.text(file);
  return (workspace.names.names(file)?.occurrences ?? [])
    .filter(({ symbol }) => symbol.id === found.symbol.id)
    .map(({ span, role }) => ({
      range: text.range(span),
      kind: role === "read" ? DocumentHighlightKind.Read : DocumentHighlightKind.Write,
    }));
}
