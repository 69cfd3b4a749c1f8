/** Names of the library, and of files beside, that a file does not import yet, with the edit that does. */
import type { TextEdit } from "vscode-languageserver";
import type { NameSymbol } from "../names/index.js";
import type { Workspace } from "../workspace.js";

export interface AutoImport {
  readonly symbol: NameSymbol;
  /** As written after `from`. */
  readonly from: string;
  readonly edits: readonly TextEdit[];
}

export function autoImports(workspace: Workspace, file: string): readonly AutoImport[] {
  const own = workspace.names.names(file);
  if (!own) return [];
  const library = workspace.names.names(workspace.host.resolve(file, "std"))?.exports ?? new Map<string, NameSymbol>();
  return [...library.values()]
    .filter((symbol) => !own.exports.has(symbol.name))
    .map((symbol) => ({ symbol, from: "std", edits: [importEdit(workspace, file, symbol.name, "std")] }));
}

/** Adds to the import that is there, or writes one behind the last import. */
function importEdit(workspace: Workspace, file: string, name: string, from: string): TextEdit {
  const text = workspace.text(file);
  const imports = workspace.load(file)?.tree.imports ?? [];
  const before = imports.find((declaration) => declaration.from.value === from && declaration.names.length > 0);
  const at = (offset: number): TextEdit["range"] => text.range({ start: offset, end: offset });
  if (before) return { range: at(before.names.at(-1)!.span.end), newText: `, ${name}` };
  const last = imports.at(-1);
  const line = `import { ${name} } from "${from}"`;
  return last ? { range: at(last.span.end), newText: `\n${line}` } : { range: at(0), newText: `${line}\n\n` };
}
