/** What is wrong, at the smallest wrong thing, with a link to the explanation and the second place beside it. */
import { DiagnosticSeverity, DiagnosticTag, type Diagnostic as Shown } from "vscode-languageserver";
import type { Diagnostic } from "../../../compiler/errors/diagnostic.js";
import { catalog } from "../../../compiler/errors/index.js";
import type { Text } from "../text.js";
import type { Workspace } from "../workspace.js";

/** Diagnostics of one file, in source order. */
export function diagnostics(workspace: Workspace, file: string): Shown[] {
  const found = workspace.project(file).files.get(file)?.all ?? [];
  return found.map((diagnostic) => show(workspace, diagnostic));
}

export function show(workspace: Workspace, diagnostic: Diagnostic): Shown {
  return shownIn(workspace, diagnostic, workspace.text(diagnostic.span.file));
}

/** A diagnostic about `text`. */
export function shownIn(workspace: Workspace, diagnostic: Diagnostic, text: Text): Shown {
  const { span, code, severity, message, note, help, labels } = diagnostic;
  const page = code in catalog ? workspace.host.explanationUri(code) : undefined;
  const related = labels.map((label) => ({ location: workspace.location(label.span), message: label.text }));
  return {
    range: text.range(span),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    ...(page === undefined ? {} : { codeDescription: { href: page } }),
    source: "moec",
    message: [message, note, help && `help: ${help}`].filter((line) => line !== undefined && line !== "").join("\n"),
    ...(related.length > 0 ? { relatedInformation: related } : {}),
    ...(/unused|never used/.test(message) && severity === "warning" ? { tags: [DiagnosticTag.Unnecessary] } : {}),
  };
}
