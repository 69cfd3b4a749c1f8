/**
 * Lines and columns of a source text, and how wide its characters are in a terminal.
 */

/** Place in a text: `line` and `column` count from 1, columns in UTF-16 units as editors count them. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

export interface SourceLines {
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly starts: readonly number[];
}

/** Splits at LF, CRLF and CR. */
export function sourceLines(text: string): SourceLines {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return { text, starts };
}

/** Line and column of an offset; offsets outside the text are moved to its ends. */
export function lineColumn(lines: SourceLines, offset: number): LineColumn {
  const at = Math.min(Math.max(offset, 0), lines.text.length);
  let low = 0;
  let high = lines.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines.starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - lines.starts[low]! + 1 };
}

/** The text of a line (from 1) without its end of line; empty for a line that does not exist. */
export function lineText(lines: SourceLines, line: number): string {
  const start = lines.starts[line - 1];
  if (start === undefined) return "";
  return lines.text.slice(start, lines.starts[line] ?? lines.text.length).replace(/[\r\n]+$/, "");
}

const TAB = 4;

/** Scripts and symbols that take two cells of a terminal: Hangul, CJK, kana, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks that join the character before: no cell of their own. */
const JOINED = /\p{Mn}|\p{Me}|\p{Cf}|\p{Variation_Selector}/u;
/** Characters that would steer the terminal or reorder the text, shown as a stand-in instead. */
const CONTROL = /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;

/** One character of a line as a terminal shows it, in cells `from`..`to`. */
export interface Cell {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** One line as a terminal shows it: tabs as spaces, control characters as stand-ins. */
export interface DisplayLine {
  readonly cells: readonly Cell[];
  /** Terminal column (from 0) of every UTF-16 offset of the line; one more entry for its end. */
  readonly columns: readonly number[];
}

/**
 * Lays a line out for the terminal, so that marks below it hit the right characters.
 *
 * @example displayLine("\tx").columns // [0, 4, 5]
 */
export function displayLine(line: string): DisplayLine {
  const cells: Cell[] = [];
  const columns: number[] = [];
  let from = 0;
  for (const character of line) {
    const width = character === "\t" ? TAB - (from % TAB) : JOINED.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
    const text = character === "\t" ? " ".repeat(width) : CONTROL.test(character) ? "\ufffd" : character;
    for (let unit = 0; unit < character.length; unit++) columns.push(from);
    cells.push({ text, from, to: from + width });
    from += width;
  }
  columns.push(from);
  return { cells, columns };
}
