/**
 * The end of a wrong file: what the checker says about it, as comments that `UPDATE_EXPECT=1` rewrites.
 *
 *     // error MOE2001 3:14 `sofmax`: there is no `sofmax` here
 *     //   see 1:5 `x`: declared here
 *     //   help: did you mean to write `softmax`?
 *     //   fix: write `softmax`
 */
import type { Diagnostic, SourceSpan } from "../../compiler/errors/diagnostic.js";

const FIRST = /^\/\/ (?:error|warning) MOE\d{4} /;
const LONGEST = 60;

/** The file without what is expected of it. */
export function sourceOf(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => FIRST.test(line));
  const source = (first < 0 ? lines : lines.slice(0, first)).join("\n").trimEnd();
  return `${source}\n`;
}

/** The place of an offset, counted from 1. */
function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${String(before.length)}:${String(before.at(-1)!.length + 1)}`;
}

function quoted(span: SourceSpan, main: string, read: (file: string) => string): string {
  const text = read(span.file);
  const words = text.slice(span.start, span.end).replace(/\s+/g, " ");
  const short = words.length > LONGEST ? `${words.slice(0, LONGEST - 2)} …` : words;
  const file = span.file === main ? "" : `${span.file}:`;
  return `${file}${place(text, span.start)} \`${short}\``;
}

/** The comments for these diagnostics, one or more lines each. */
export function expectationsOf(
  diagnostics: readonly Diagnostic[],
  main: string,
  read: (file: string) => string,
): readonly string[] {
  return diagnostics.map(({ severity, code, span, message, note, labels, help, fixes }) =>
    [
      `// ${severity} ${code} ${quoted(span, main, read)}: ${message}`,
      ...(note === undefined ? [] : [`//   note: ${note}`]),
      ...labels.map((label) => `//   see ${quoted(label.span, main, read)}: ${label.text}`),
      ...(help === undefined ? [] : [`//   help: ${help}`]),
      ...fixes.map(({ title }) => `//   fix: ${title}`),
    ].join("\n"),
  );
}
