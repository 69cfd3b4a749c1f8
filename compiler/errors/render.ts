/**
 * Text of diagnostics for a terminal, made from the record alone:
 *
 * ```text
 * error[MOE2041]: expert output has 2048 channels, the stream has 1024
 *   model.moe:14:7
 *    9 | stream x: f32[T, D = 1024]
 *      |                      ---- declared here
 *   14 |   x + experts(router, x)
 *      |       ^^^^^^^ f32[T, 2048]
 *      = moec explain MOE2041
 * ```
 */
import type { Diagnostic, Fix, SourceSpan } from "./diagnostic.js";
import { excerpt, type Mark } from "./excerpt.js";
import { plainPalette, type Palette } from "./palette.js";
import { displayLine, lineColumn, lineText, sourceLines, type SourceLines } from "./source-lines.js";

export interface RenderOptions {
  readonly palette?: Palette;
  /** Show at most so many diagnostics and count the rest; all by default. */
  readonly limit?: number;
  /** Cut source lines that are longer, in terminal cells; 120 by default. */
  readonly width?: number;
}

/** The text of a file by its name, or undefined when there is none (a file of another machine, a generated one). */
export type SourceReader = (file: string) => string | undefined;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function cachedLines(read: SourceReader): (file: string) => SourceLines | undefined {
  const known = new Map<string, SourceLines | undefined>();
  return (file) => {
    if (!known.has(file)) {
      const text = read(file);
      known.set(file, text === undefined ? undefined : sourceLines(text));
    }
    return known.get(file);
  };
}

/** `file:line:column`, or the file alone when its text is not at hand. */
function placeOf(span: SourceSpan, lines: SourceLines | undefined): string {
  if (!lines) return span.file;
  const { line, column } = lineColumn(lines, span.start);
  return `${span.file}:${line}:${column}`;
}

/** The lines of `file` that the edits of a fix change, as they are afterwards, with their new numbers. */
function fixedLines(fix: Fix, file: string, lines: SourceLines): readonly { line: number; text: string }[] {
  const edits = fix.edits.filter((edit) => edit.span.file === file).sort((a, b) => a.span.start - b.span.start);
  let text = "";
  let at = 0;
  const changed: (readonly [start: number, end: number])[] = [];
  for (const edit of edits) {
    text += lines.text.slice(at, edit.span.start);
    changed.push([text.length, text.length + edit.text.length]);
    text += edit.text;
    at = edit.span.end;
  }
  const after = sourceLines(text + lines.text.slice(at));
  const numbers = new Set<number>();
  for (const [start, end] of changed) {
    for (let line = lineColumn(after, start).line; line <= lineColumn(after, end).line; line++) numbers.add(line);
  }
  return [...numbers]
    .sort((a, b) => a - b)
    .map((line) => ({
      line,
      text: displayLine(lineText(after, line))
        .cells.map((cell) => cell.text)
        .join(""),
    }))
    .filter((entry) => entry.text.trim() !== "");
}

/** One diagnostic, without a newline at the end. */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  read: SourceReader,
  options: Omit<RenderOptions, "limit"> = {},
): string {
  return renderOne(diagnostic, cachedLines(read), options);
}

function renderOne(
  diagnostic: Diagnostic,
  linesOf: (file: string) => SourceLines | undefined,
  { palette = plainPalette, width = 120 }: Omit<RenderOptions, "limit">,
): string {
  const lead = diagnostic.severity === "error" ? palette.error : palette.warning;
  const { file } = diagnostic.span;
  const files = [...new Set([file, ...diagnostic.labels.map((label) => label.span.file)])];
  const blocks = files.map((name) => {
    const marks: Mark[] = diagnostic.labels
      .filter((label) => label.span.file === name)
      .map((label) => ({ span: label.span, text: label.text, primary: false }));
    if (name === file) marks.push({ span: diagnostic.span, text: diagnostic.note ?? "", primary: true });
    return { name, marks, lines: linesOf(name) };
  });
  const numbers = blocks.flatMap(({ marks, lines }) =>
    lines ? marks.map((mark) => lineColumn(lines, mark.span.end).line) : [],
  );
  const gutter = Math.max(3, ...numbers.map((number) => String(number).length + 1));

  const output = [`${lead(`${diagnostic.severity}[${diagnostic.code}]`)}: ${palette.strong(diagnostic.message)}`];
  for (const { name, marks, lines } of blocks) {
    const first = name === file ? diagnostic.span : marks[0]!.span;
    output.push(`  ${palette.dim(placeOf(first, lines))}`);
    if (lines) output.push(...excerpt(lines, marks, { gutter, width, palette, lead }));
    else output.push(...marks.filter((mark) => mark.text !== "").map((mark) => `  ${palette.accent(mark.text)}`));
  }
  const bar = palette.dim(`${" ".repeat(gutter + 2)}=`);
  if (diagnostic.help !== undefined) {
    output.push(
      ...diagnostic.help.split("\n").map((line, index) => `${bar} ${index === 0 ? "help: " : "      "}${line}`),
    );
  }
  for (const fix of diagnostic.fixes) {
    output.push(`${bar} fix: ${fix.title}`);
    const lines = linesOf(file);
    if (!lines) continue;
    for (const { line, text } of fixedLines(fix, file, lines)) {
      output.push(`  ${palette.dim(String(line).padStart(gutter - 1))} ${palette.added(`+ ${text}`)}`);
    }
  }
  output.push(`${bar} ${palette.accent(`moec explain ${diagnostic.code}`)}`);
  return output.join("\n");
}

/**
 * All diagnostics in the given order, at most `limit` of them, and a last line that counts errors and warnings and says
 * how many were not shown. Empty text when there is nothing to say.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  read: SourceReader,
  options: RenderOptions = {},
): string {
  if (diagnostics.length === 0) return "";
  const palette = options.palette ?? plainPalette;
  const linesOf = cachedLines(read);
  const shown = diagnostics.slice(0, options.limit ?? diagnostics.length);
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const counts = [
    ...(errors > 0 ? [palette.error(plural(errors, "error"))] : []),
    ...(warnings > 0 ? [palette.warning(plural(warnings, "warning"))] : []),
  ];
  const hidden = diagnostics.length - shown.length;
  const more = hidden > 0 ? `, ${hidden} more not shown` : "";
  return `${[...shown.map((diagnostic) => renderOne(diagnostic, linesOf, options)), counts.join(", ") + more].join("\n\n")}\n`;
}
