/** The lines of a source around the marks of a diagnostic, with the marks drawn below them. */
import type { SourceSpan } from "./diagnostic.js";
import type { Palette } from "./palette.js";
import { displayLine, lineColumn, lineText, type Cell, type SourceLines } from "./source-lines.js";

export interface Mark {
  readonly span: SourceSpan;
  readonly text: string;
  /** Drawn with `^` instead of `-`. */
  readonly primary: boolean;
}

export interface ExcerptStyle {
  /** Cells for the line numbers. */
  readonly gutter: number;
  /** Cells for the source; longer lines are cut around their marks. */
  readonly width: number;
  readonly palette: Palette;
  /** Colour of the primary mark. */
  readonly lead: (text: string) => string;
}

interface Drawn {
  readonly from: number;
  readonly to: number;
  readonly mark: Mark;
}

/** Which cells of which line a mark covers; a span over several lines is drawn on its first. */
function drawn(
  lines: SourceLines,
  mark: Mark,
): { readonly line: number; readonly start: number; readonly end: number } {
  const start = lineColumn(lines, mark.span.start);
  const end = lineColumn(lines, mark.span.end);
  const length = lineText(lines, start.line).length;
  return {
    line: start.line,
    start: Math.min(start.column - 1, length),
    end: end.line === start.line ? Math.min(end.column - 1, length) : length,
  };
}

/** The part of a line that is shown: cells `from`..`to` around the primary mark, or all of them. */
interface Window {
  readonly from: number;
  readonly to: number;
  readonly total: number;
}

function windowOf(total: number, marks: readonly Drawn[], width: number): Window {
  if (total <= width) return { from: 0, to: total, total };
  const first = marks.find(({ mark }) => mark.primary) ?? marks[0];
  const from = Math.max(0, Math.min((first?.from ?? 0) - Math.floor(width / 4), total - width));
  return { from, to: Math.min(total, from + width), total };
}

/** The characters of a line inside the window, with dots where it was cut. */
function windowText(cells: readonly Cell[], { from, to, total }: Window): string {
  // A wide character or a tab that the window cuts in two leaves blanks, so that marks stay below their characters.
  const inside = cells.map((cell) => {
    if (cell.from >= from && cell.to <= to) return cell.text;
    return " ".repeat(Math.max(0, Math.min(cell.to, to) - Math.max(cell.from, from)));
  });
  return `${from > 0 ? "…" : ""}${inside.join("")}${to < total ? "…" : ""}`;
}

/**
 * The marked lines in order, each with its marks below; dots stand for lines left out between them (a single line in
 * between is shown).
 */
export function excerpt(lines: SourceLines, marks: readonly Mark[], style: ExcerptStyle): readonly string[] {
  const { palette, gutter } = style;
  const byLine = new Map<number, Mark[]>();
  for (const mark of marks) {
    const { line } = drawn(lines, mark);
    byLine.set(line, [...(byLine.get(line) ?? []), mark]);
  }
  const bare = palette.dim(`  ${" ".repeat(gutter)}|`);
  const output: string[] = [];
  let before: number | undefined;
  for (const line of [...byLine.keys()].sort((a, b) => a - b)) {
    if (before !== undefined && line === before + 2) {
      output.push(sourceLine(lines, before + 1, [], style));
    } else if (before !== undefined && line > before + 1) {
      output.push(palette.dim(`  ${"...".padStart(gutter)}`));
    }
    const text = lineText(lines, line);
    const { columns } = displayLine(text);
    const cells: Drawn[] = byLine.get(line)!.map((mark) => {
      const { start, end } = drawn(lines, mark);
      const from = columns[start]!;
      return { mark, from, to: Math.max(from + 1, columns[end]!) };
    });
    output.push(sourceLine(lines, line, cells, style));
    const { from, to, total } = windowOf(columns.at(-1)!, cells, style.width);
    const shift = from > 0 ? from - 1 : 0;
    // From right to left, primary last on ties, one row each: marks of one line may overlap.
    for (const { mark, ...at } of cells.sort(
      (a, b) => b.from - a.from || Number(a.mark.primary) - Number(b.mark.primary),
    )) {
      const start = Math.min(Math.max(at.from, from), to === total ? to : to - 1);
      const length = Math.max(1, Math.min(at.to, Math.max(to, start + 1)) - start);
      const sign = mark.primary ? "^" : "-";
      const colour = mark.primary ? style.lead : palette.accent;
      const spans = lineColumn(lines, mark.span.end).line;
      const range = spans > line ? ` (to line ${spans})` : "";
      const words = `${mark.text}${range}`.trim();
      output.push(
        `${bare} ${" ".repeat(start - shift)}${colour(`${sign.repeat(length)}${words === "" ? "" : ` ${words}`}`)}`,
      );
    }
    before = line;
  }
  return output;
}

function sourceLine(lines: SourceLines, line: number, marks: readonly Drawn[], style: ExcerptStyle): string {
  const { cells, columns } = displayLine(lineText(lines, line));
  const number = style.palette.dim(`  ${String(line).padStart(style.gutter - 1)} |`);
  return `${number} ${windowText(cells, windowOf(columns.at(-1)!, marks, style.width))}`.trimEnd();
}
