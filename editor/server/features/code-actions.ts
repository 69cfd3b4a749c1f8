/** Quick fixes: every fix was tried by the checker before it is offered. */
import { CodeActionKind, type CodeAction, type Range, type TextEdit, type WorkspaceEdit } from "vscode-languageserver";
import type { Diagnostic, Fix } from "../../../compiler/errors/diagnostic.js";
import type { Workspace } from "../workspace.js";
import { autoImports } from "./auto-import.js";
import { show } from "./diagnostics.js";

export function codeActions(workspace: Workspace, file: string, range: Range): CodeAction[] {
  const text = workspace.text(file);
  const from = text.offset(range.start);
  const to = text.offset(range.end);
  const all = workspace.project(file).files.get(file)?.all ?? [];
  const here = all.filter(({ span }) => span.start <= to && from <= span.end);
  const actions = here.flatMap((diagnostic) => [
    ...diagnostic.fixes.map((fix, index) => fixAction(workspace, diagnostic, fix, index === 0)),
    ...(diagnostic.fixes.length === 0 ? importActions(workspace, diagnostic) : []),
    explainAction(workspace, diagnostic),
  ]);
  const fixable = all.flatMap((diagnostic) => diagnostic.fixes.slice(0, 1));
  if (fixable.length > 1) {
    actions.push({
      title: `fix all ${fixable.length} problems that have a fix`,
      kind: CodeActionKind.SourceFixAll,
      edit: editOf(workspace, withoutOverlaps(fixable)),
    });
  }
  return actions;
}

function fixAction(workspace: Workspace, diagnostic: Diagnostic, fix: Fix, preferred: boolean): CodeAction {
  return {
    title: fix.title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [show(workspace, diagnostic)],
    isPreferred: preferred,
    edit: editOf(workspace, [fix]),
  };
}

/** A name of the library whose import the checker did not offer: its trial met the next error, or was one too many. */
function importActions(workspace: Workspace, diagnostic: Diagnostic): CodeAction[] {
  if (diagnostic.code !== "MOE2001") return [];
  const { file } = diagnostic.span;
  const name = workspace.text(file).slice(diagnostic.span);
  return autoImports(workspace, file)
    .filter((found) => found.symbol.name === name)
    .map(({ from, edits }) => ({
      title: `import \`${name}\` from "${from}"`,
      kind: CodeActionKind.QuickFix,
      diagnostics: [show(workspace, diagnostic)],
      isPreferred: true,
      edit: { changes: { [workspace.host.toUri(file)]: [...edits] } },
    }));
}

function explainAction(workspace: Workspace, diagnostic: Diagnostic): CodeAction {
  return {
    title: `explain ${diagnostic.code}`,
    kind: CodeActionKind.Empty,
    diagnostics: [show(workspace, diagnostic)],
    command: { title: `explain ${diagnostic.code}`, command: "moec.explain", arguments: [diagnostic.code] },
  };
}

function withoutOverlaps(fixes: readonly Fix[]): readonly Fix[] {
  const taken: { start: number; end: number; file: string }[] = [];
  return fixes.filter((fix) => {
    const clashes = fix.edits.some(({ span }) =>
      taken.some((other) => other.file === span.file && span.start <= other.end && other.start <= span.end),
    );
    if (!clashes) taken.push(...fix.edits.map(({ span }) => span));
    return !clashes;
  });
}

export function editOf(workspace: Workspace, fixes: readonly Pick<Fix, "edits">[]): WorkspaceEdit {
  const changes: Record<string, TextEdit[]> = {};
  for (const { span, text } of fixes.flatMap((fix) => fix.edits)) {
    const { uri, range } = workspace.location(span);
    (changes[uri] ??= []).push({ range, newText: text });
  }
  return { changes };
}
