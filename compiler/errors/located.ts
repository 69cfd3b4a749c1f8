/** Diagnostics for programs: the record itself with lines and columns added to each span. */
import type { Diagnostic, Fix, Label, SourceSpan, TextEdit } from "./diagnostic.js";
import type { SourceReader } from "./render.js";
import { lineColumn, sourceLines, type LineColumn, type SourceLines } from "./source-lines.js";

/** A span with places; absent when the text of the file is not at hand. */
export interface LocatedSpan extends SourceSpan {
  readonly from?: LineColumn;
  readonly to?: LineColumn;
}
export interface LocatedDiagnostic extends Diagnostic {
  readonly span: LocatedSpan;
  readonly labels: readonly (Label & { readonly span: LocatedSpan })[];
  readonly fixes: readonly (Fix & { readonly edits: readonly (TextEdit & { readonly span: LocatedSpan })[] })[];
}

/** What `--json` prints: plain data, one record per diagnostic, in the given order. */
export function locateDiagnostics(
  diagnostics: readonly Diagnostic[],
  read: SourceReader,
): readonly LocatedDiagnostic[] {
  const known = new Map<string, SourceLines | undefined>();
  const locate = (span: SourceSpan): LocatedSpan => {
    if (!known.has(span.file)) {
      const text = read(span.file);
      known.set(span.file, text === undefined ? undefined : sourceLines(text));
    }
    const lines = known.get(span.file);
    return lines ? { ...span, from: lineColumn(lines, span.start), to: lineColumn(lines, span.end) } : span;
  };
  return diagnostics.map((diagnostic) => ({
    ...diagnostic,
    span: locate(diagnostic.span),
    labels: diagnostic.labels.map((label) => ({ ...label, span: locate(label.span) })),
    fixes: diagnostic.fixes.map((fix) => ({
      ...fix,
      edits: fix.edits.map((edit) => ({ ...edit, span: locate(edit.span) })),
    })),
  }));
}
