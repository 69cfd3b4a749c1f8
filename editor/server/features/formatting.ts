/** The one style of the language, as edits of the lines that differ. A file with syntax errors is left as it is. */
import type { Position, Range, TextEdit } from "vscode-languageserver";
import { format, FormatError } from "../../../grammar/index.js";
import type { Workspace } from "../workspace.js";

interface Hunk {
  /** Lines `from..to` of the old text, to exclusive. */
  readonly from: number;
  readonly to: number;
  readonly lines: readonly string[];
}

export async function formatDocument(workspace: Workspace, file: string): Promise<TextEdit[]> {
  return edits(await hunksOf(workspace, file), workspace.text(file).lineCount, workspace.text(file).text);
}

export async function formatRange(workspace: Workspace, file: string, range: Range): Promise<TextEdit[]> {
  const hunks = await hunksOf(workspace, file);
  const inside = hunks.filter(({ from, to }) => from <= range.end.line && range.start.line <= Math.max(from, to - 1));
  return edits(inside, workspace.text(file).lineCount, workspace.text(file).text);
}

/** After `}`: the declaration that it closes. */
export async function formatOnType(workspace: Workspace, file: string, position: Position): Promise<TextEdit[]> {
  const text = workspace.text(file);
  const offset = text.offset(position);
  const closed = workspace.load(file)?.tree.declarations.find(({ span }) => span.end === offset);
  return closed ? formatRange(workspace, file, text.range(closed.span)) : [];
}

async function hunksOf(workspace: Workspace, file: string): Promise<readonly Hunk[]> {
  const { text } = workspace.text(file);
  try {
    const formatted = await format(text);
    return formatted === text ? [] : compare(text.split("\n"), formatted.split("\n"));
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** Longer stretches than this are replaced as a whole instead of being compared line by line. */
const COMPARED = 1_500;

/** Runs of lines that differ, by the longest common subsequence of lines. */
function compare(old: readonly string[], fresh: readonly string[]): readonly Hunk[] {
  let start = 0;
  while (start < old.length && start < fresh.length && old[start] === fresh[start]) start++;
  let end = 0;
  while (end < old.length - start && end < fresh.length - start && old.at(-1 - end) === fresh.at(-1 - end)) end++;
  const a = old.slice(start, old.length - end);
  const b = fresh.slice(start, fresh.length - end);
  if (a.length * b.length > COMPARED ** 2) return [{ from: start, to: start + a.length, lines: b }];
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const down = common[(i + 1) * width + j]!;
      const right = common[i * width + j + 1]!;
      common[i * width + j] = a[i] === b[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(down, right);
    }
  }
  const hunks: Hunk[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
      continue;
    }
    const [fromOld, fromNew] = [i, j];
    while ((i < a.length || j < b.length) && !(i < a.length && j < b.length && a[i] === b[j])) {
      const takeOld = j >= b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!);
      if (takeOld) i++;
      else j++;
    }
    hunks.push({ from: start + fromOld, to: start + i, lines: b.slice(fromNew, j) });
  }
  return hunks;
}

function edits(hunks: readonly Hunk[], lineCount: number, text: string): TextEdit[] {
  return hunks.map(({ from, to, lines }) => {
    const last = text.length - (text.lastIndexOf("\n") + 1);
    // The last line has no line end behind it, so the one before the change goes instead.
    if (to >= lineCount && from > 0) {
      const before = text.split("\n")[from - 1]!.length;
      const range = { start: { line: from - 1, character: before }, end: { line: lineCount - 1, character: last } };
      return { range, newText: lines.map((line) => `\n${line}`).join("") };
    }
    const whole = to >= lineCount;
    const end = whole ? { line: lineCount - 1, character: last } : { line: to, character: 0 };
    const newText = whole ? lines.join("\n") : lines.map((line) => `${line}\n`).join("");
    return { range: { start: { line: from, character: 0 }, end }, newText };
  });
}
