/** Offsets and the protocol's positions: lines and UTF-16 columns from 0. */
import type { Position, Range } from "vscode-languageserver";
import { lineColumn, sourceLines, type SourceLines } from "../../compiler/errors/source-lines.js";
import type { Span } from "../../grammar/tree.js";

export class Text {
  private readonly lines: SourceLines;

  constructor(readonly text: string) {
    this.lines = sourceLines(text);
  }

  position(offset: number): Position {
    const { line, column } = lineColumn(this.lines, offset);
    return { line: line - 1, character: column - 1 };
  }

  range(span: Span): Range {
    return { start: this.position(span.start), end: this.position(span.end) };
  }

  offset({ line, character }: Position): number {
    const start = this.lines.starts[line];
    if (start === undefined) return line < 0 ? 0 : this.text.length;
    const next = this.lines.starts[line + 1] ?? this.text.length;
    return Math.min(start + Math.max(0, character), next);
  }

  /** Offset of the first character of a line. */
  lineStart(line: number): number {
    return this.lines.starts[line] ?? this.text.length;
  }

  get lineCount(): number {
    return this.lines.starts.length;
  }

  slice(span: Span): string {
    return this.text.slice(span.start, span.end);
  }
}

/** The word around an offset, or an empty span. */
export function wordAt(text: string, offset: number): Span {
  let start = offset;
  let end = offset;
  while (start > 0 && /\w/.test(text[start - 1]!)) start--;
  while (end < text.length && /\w/.test(text[end]!)) end++;
  return { start, end };
}
