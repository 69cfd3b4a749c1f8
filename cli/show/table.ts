/** Columns of text, aligned; numbers to the right. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Lines of a table with a title row. Cells may hold no colours: their width is their length. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  titleColor: (text: string) => string,
): readonly string[] {
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (columns[at]!.align === "right" ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join("  ")
      .trimEnd();
  return [titleColor(line(columns.map(({ title }) => title))), ...rows.map(line)];
}
