/** Text in lines of a width. */

/**
 * Lines of at most `width` cells, broken at spaces; a longer word has a line of its own. `first` stands before the first
 * line, `later` before the others.
 */
export function wrapped(text: string, width: number, first = "", later = first): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/ +/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = later;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/**
 * Markdown paragraphs in lines of at most `width` cells: what stood in lines of its source is joined anew. Items of lists
 * keep their indent, fenced code and tables their lines.
 */
export function wrappedParagraphs(markdown: string, width: number): readonly string[] {
  const lines: string[] = [];
  let open: { text: string; first: string; later: string } | undefined;
  let isCode = false;
  const end = (): void => {
    if (open) lines.push(...wrapped(open.text, width, open.first, open.later));
    open = undefined;
  };
  for (const line of markdown.split("\n")) {
    const isFence = line.startsWith("```");
    if (isFence) isCode = !isCode;
    const [, mark, rest] = /^(\s*(?:[-*]|\d+\.) )(.*)$/.exec(line) ?? [];
    if (isCode || isFence || line.trim() === "" || line.startsWith("|")) {
      end();
      lines.push(line);
    } else if (mark !== undefined) {
      end();
      open = { text: rest!, first: mark, later: " ".repeat(mark.length) };
    } else if (open) open.text += ` ${line.trim()}`;
    else open = { text: line, first: "", later: "" };
  }
  end();
  return lines;
}
