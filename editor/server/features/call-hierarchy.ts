/** Which declarations use this one, and which it uses: who has this expert, what this block is made of. */
import {
  SymbolKind,
  type CallHierarchyIncomingCall,
  type CallHierarchyItem,
  type CallHierarchyOutgoingCall,
  type Position,
} from "vscode-languageserver";
import type { Declaration } from "../../../grammar/tree.js";
import type { NameSymbol, Occurrence } from "../names/index.js";
import type { Workspace } from "../workspace.js";
import { occurrencesOf, symbolAt } from "./navigation.js";

export function prepareCallHierarchy(workspace: Workspace, file: string, position: Position): CallHierarchyItem[] {
  const found = symbolAt(workspace, file, position)?.symbol;
  const symbol = found?.target ?? found;
  return symbol?.decl ? [item(workspace, symbol.span.file, symbol.decl)] : [];
}

function item(workspace: Workspace, file: string, declaration: Declaration): CallHierarchyItem {
  const text = workspace.text(file);
  return {
    name: declaration.kind === "test" ? declaration.name.value : declaration.name.text,
    detail: declaration.kind === "test" ? "test" : declaration.contract,
    kind: declaration.kind === "test" ? SymbolKind.Boolean : SymbolKind.Class,
    uri: workspace.host.toUri(file),
    range: text.range(declaration.span),
    selectionRange: text.range(declaration.name.span),
  };
}

function symbolOf(workspace: Workspace, { uri, selectionRange }: CallHierarchyItem): NameSymbol | undefined {
  return symbolAt(workspace, workspace.host.fromUri(uri), selectionRange.start)?.symbol;
}

export function incomingCalls(workspace: Workspace, of: CallHierarchyItem): CallHierarchyIncomingCall[] {
  const symbol = symbolOf(workspace, of);
  if (!symbol) return [];
  const users = new Map<Declaration, Occurrence[]>();
  for (const occurrence of occurrencesOf(workspace, symbol)) {
    if (occurrence.role === "declaration" || !occurrence.inside) continue;
    users.set(occurrence.inside, [...(users.get(occurrence.inside) ?? []), occurrence]);
  }
  return [...users].map(([declaration, places]) => {
    const { file } = places[0]!.span;
    const text = workspace.text(file);
    return { from: item(workspace, file, declaration), fromRanges: places.map(({ span }) => text.range(span)) };
  });
}

export function outgoingCalls(workspace: Workspace, of: CallHierarchyItem): CallHierarchyOutgoingCall[] {
  const file = workspace.host.fromUri(of.uri);
  const text = workspace.text(file);
  const own = symbolOf(workspace, of);
  const used = new Map<string, { readonly symbol: NameSymbol; readonly places: Occurrence[] }>();
  for (const occurrence of workspace.names.names(file)?.occurrences ?? []) {
    const symbol = occurrence.symbol.target ?? occurrence.symbol;
    const isInside = occurrence.inside !== undefined && occurrence.inside === own?.decl;
    if (!isInside || !symbol.decl || symbol.id === own?.id) continue;
    const entry = used.get(symbol.id) ?? { symbol, places: [] };
    entry.places.push(occurrence);
    used.set(symbol.id, entry);
  }
  return [...used.values()].map(({ symbol, places }) => ({
    to: item(workspace, symbol.span.file, symbol.decl!),
    fromRanges: places.map(({ span }) => text.range(span)),
  }));
}
