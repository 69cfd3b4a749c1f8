/** Rename in all files, refused where the result would mean something else: the edited texts are checked first. */
import type { Position, Range, WorkspaceEdit } from "vscode-languageserver";
import { RESERVED_WORDS } from "../../../grammar/index.js";
import { Workspace } from "../workspace.js";
import { occurrencesOf, symbolAt } from "./navigation.js";
import type { Occurrence } from "../names/index.js";

/** Why a name cannot be changed, as the editor shows it. */
export class RenameRefused extends Error {}

export function prepareRename(
  workspace: Workspace,
  file: string,
  position: Position,
): { readonly range: Range; readonly placeholder: string } {
  const found = renamable(workspace, file, position);
  return { range: workspace.text(file).range(found.span), placeholder: workspace.text(file).slice(found.span) };
}

function renamable(workspace: Workspace, file: string, position: Position): Occurrence {
  const found = symbolAt(workspace, file, position);
  if (!found) throw new RenameRefused("there is no name here that can be changed");
  if (workspace.host.isLibrary(found.symbol.span.file) && !workspace.host.isLibrary(file)) {
    throw new RenameRefused(`\`${found.symbol.name}\` belongs to the standard library; import it \`as\` another name`);
  }
  return found;
}

export function rename(workspace: Workspace, file: string, position: Position, name: string): WorkspaceEdit {
  const { symbol } = renamable(workspace, file, position);
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new RenameRefused(`\`${name}\` is no name: letters, digits and _ only`);
  if (RESERVED_WORDS.includes(name)) throw new RenameRefused(`\`${name}\` is a word of the language`);
  if (name === symbol.name) return { changes: {} };
  const places = occurrencesOf(workspace, symbol);
  const edits = new Map<string, { readonly start: number; readonly end: number; readonly text: string }[]>();
  for (const { span, pun } of places) {
    const list = edits.get(span.file) ?? [];
    list.push({ start: span.start, end: span.end, text: pun ? `${symbol.name}: ${name}` : name });
    edits.set(span.file, list);
  }
  refuseOtherMeaning(workspace, edits, places.length, symbol.name, name);
  const changes = Object.fromEntries(
    [...edits].map(([edited, list]) => {
      const text = workspace.text(edited);
      return [workspace.host.toUri(edited), list.map((edit) => ({ range: text.range(edit), newText: edit.text }))];
    }),
  );
  return { changes };
}

/** After the edits there must be no new error, and the new name must be written as often as the old one was. */
function refuseOtherMeaning(
  workspace: Workspace,
  edits: ReadonlyMap<string, readonly { readonly start: number; readonly end: number; readonly text: string }[]>,
  count: number,
  old: string,
  name: string,
): void {
  const trial = new Workspace(workspace.host);
  for (const file of workspace.openFiles) trial.open(file, workspace.read(file) ?? "");
  for (const [file, list] of edits) {
    let text = workspace.read(file) ?? "";
    for (const edit of [...list].sort((a, b) => b.start - a.start)) {
      text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    }
    trial.open(file, text);
  }
  for (const file of edits.keys()) {
    const errors = (of: Workspace): number => of.project(file).diagnostics.length;
    if (errors(trial) <= errors(workspace)) continue;
    const before = new Set(workspace.project(file).diagnostics.map(({ message }) => message));
    const fresh = trial.project(file).diagnostics.find(({ message }) => !before.has(message));
    throw new RenameRefused(`with \`${name}\` for \`${old}\` there is an error: ${fresh?.message ?? "a new one"}`);
  }
  const [home, list] = [...edits][0]!;
  const first = [...list].sort((a, b) => a.start - b.start)[0]!;
  const at = first.start + first.text.length - name.length;
  const symbol = trial.names.at(home, at)?.symbol;
  if (!symbol || occurrencesOf(trial, symbol).length !== count) {
    throw new RenameRefused(`\`${name}\` already means something else where \`${old}\` is used`);
  }
}
