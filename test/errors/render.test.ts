import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ansiPalette, locateDiagnostics, renderDiagnostic, renderDiagnostics } from "../../compiler/errors/index.js";
import type { Diagnostic, Label, SourceSpan } from "../../compiler/errors/diagnostic.js";
import { displayLine, lineColumn, lineText, sourceLines } from "../../compiler/errors/source-lines.js";

/** Span of the `occurrence`-th place where `part` stands in `text`. */
function spanOf(file: string, text: string, part: string, occurrence = 0): SourceSpan {
  let start = -1;
  for (let turn = 0; turn <= occurrence; turn++) start = text.indexOf(part, start + 1);
  if (start < 0) throw new Error(`"${part}" does not occur`);
  return { file, start, end: start + part.length };
}

function make(span: SourceSpan, parts: Partial<Diagnostic> = {}): Diagnostic {
  return { code: "MOE2041", severity: "error", message: "the sizes differ", span, labels: [], fixes: [], ...parts };
}

const model = `model M {
  param a: [D, F]
  // between
  param b: [G, D]

  forward(x: [T, D]) => {
    x @ a @ b
  }
}
`;
const read =
  (files: Readonly<Record<string, string>>) =>
  (file: string): string | undefined =>
    files[file];

describe("rendering a diagnostic", () => {
  it("shows code, place, marks, help, fix and where to read on", () => {
    const label: Label = { span: spanOf("m.moe", model, "[G, D]"), text: "b has G here" };
    const diagnostic = make(spanOf("m.moe", model, "b", 1), {
      message: "`@` contracts F, which the right side does not have",
      span: spanOf("m.moe", model, "b\n", 0),
      note: "f32[G, D]",
      labels: [label, { span: spanOf("m.moe", model, "[D, F]"), text: "F comes from here" }],
      help: "name the axis of `b` F\nor contract over another axis",
      fixes: [
        { title: "rename G to F", edits: [{ span: spanOf("m.moe", model, "G"), text: "F" }] },
        {
          title: "write it out",
          edits: [
            { span: spanOf("m.moe", model, "x @ a"), text: "let y = x @ a\n   " },
            { span: spanOf("m.moe", model, "@ b"), text: "contract(y, b, over: [G])" },
          ],
        },
      ],
    });
    expect(renderDiagnostic(diagnostic, read({ "m.moe": model }))).toMatchSnapshot();
  });

  it("shows other files below", () => {
    const other = "expert E[D] {\n  (x: [D]) => x\n}\n";
    const diagnostic = make(spanOf("m.moe", model, "[T, D]"), {
      labels: [{ span: spanOf("lib/e.moe", other, "[D]"), text: "declared in another file" }],
    });
    expect(renderDiagnostic(diagnostic, read({ "m.moe": model, "lib/e.moe": other }))).toMatchSnapshot();
  });

  it("says what it can without the source", () => {
    const diagnostic = make(
      { file: "gone.moe", start: 3, end: 4 },
      { note: "f32[T]", fixes: [{ title: "x", edits: [] }] },
    );
    expect(renderDiagnostic(diagnostic, () => undefined)).toMatchSnapshot();
  });

  it("keeps marks below tabs, wide characters and combining marks", () => {
    const text = "\tlet a = 1\n漢字 e\u0301 😀 bad\nx\tbad\n";
    const marks = [make(spanOf("t", text, "a")), make(spanOf("t", text, "bad")), make(spanOf("t", text, "bad", 1))];
    expect(marks.map((mark) => renderDiagnostic(mark, read({ t: text }))).join("\n\n")).toMatchSnapshot();
  });

  it("never lets the source steer the terminal", () => {
    const text = "a \u001b[31m bad \u202e x\n";
    const shown = renderDiagnostic(make(spanOf("t", text, "bad")), read({ t: text }));
    expect(shown).not.toContain("\u001b");
    expect(shown).not.toContain("\u202e");
  });

  it("cuts long lines around the mark", () => {
    const text = `${"a ".repeat(200)}bad${" b".repeat(200)}\n`;
    const shown = renderDiagnostic(make(spanOf("t", text, "bad")), read({ t: text }), { width: 40 });
    expect(shown).toMatchSnapshot();
    const rows = shown.split("\n");
    expect(rows[3]!.indexOf("^")).toBe(rows[2]!.indexOf("bad"));
  });

  it("handles spans over lines, empty spans and spans at the end of the file", () => {
    const text = "one\ntwo\nthree";
    const spans = [
      { file: "t", start: 1, end: 9 },
      { file: "t", start: 4, end: 4 },
      { file: "t", start: 13, end: 13 },
      { file: "t", start: 3, end: 4 },
    ];
    expect(spans.map((span) => renderDiagnostic(make(span), read({ t: text }))).join("\n\n")).toMatchSnapshot();
  });

  it("paints with the palette and is the same text without it", () => {
    const diagnostic = make(spanOf("m.moe", model, "[T, D]"), { severity: "warning", note: "here", help: "do it" });
    const painted = renderDiagnostic(diagnostic, read({ "m.moe": model }), { palette: ansiPalette });
    const escape = String.fromCharCode(27);
    expect(painted).toContain(`${escape}[33mwarning[MOE2041]`);
    expect(painted.replaceAll(new RegExp(`${escape}\\[\\d+m`, "g"), "")).toBe(
      renderDiagnostic(diagnostic, read({ "m.moe": model })),
    );
  });
});

describe("rendering a list", () => {
  const text = "a b c d\n";
  const list = ["a", "b", "c", "d"].map((part, index) =>
    make(spanOf("t", text, part), { severity: index === 3 ? "warning" : "error" }),
  );
  it("counts", () => {
    expect(renderDiagnostics(list, read({ t: text }))).toMatch(/\n3 errors, 1 warning\n$/);
    expect(renderDiagnostics(list.slice(0, 1), read({ t: text }))).toMatch(/\n1 error\n$/);
    expect(renderDiagnostics([], read({ t: text }))).toBe("");
  });
  it("stops at the limit and says how many more there are", () => {
    const shown = renderDiagnostics(list, read({ t: text }), { limit: 1 });
    expect(shown).toMatch(/\n3 errors, 1 warning, 3 more not shown\n$/);
    expect(shown.match(/MOE2041\]/g)).toHaveLength(1);
  });
});

describe("locating for programs", () => {
  it("adds lines and columns to every span and keeps the record", () => {
    const diagnostic = make(spanOf("m.moe", model, "[G, D]"), {
      labels: [{ span: spanOf("m.moe", model, "F"), text: "F" }],
      fixes: [{ title: "f", edits: [{ span: spanOf("gone.moe", "x", "x"), text: "y" }] }],
    });
    const [located] = locateDiagnostics([diagnostic], read({ "m.moe": model }));
    expect(located!.span).toEqual({ ...diagnostic.span, from: { line: 4, column: 12 }, to: { line: 4, column: 18 } });
    expect(located!.labels[0]!.span.from).toEqual({ line: 2, column: 16 });
    expect(located!.fixes[0]!.edits[0]!.span).toEqual({ file: "gone.moe", start: 0, end: 1 });
    expect(JSON.parse(JSON.stringify(located))).toEqual(located);
  });
});

describe("lines and columns", () => {
  const texts = fc.string({
    unit: fc.constantFrom("a", "\n", "\r\n", "\r", "\t", "漢", "😀", "e\u0301", " "),
    maxLength: 40,
  });
  it("are inverse to offsets", () => {
    fc.assert(
      fc.property(texts, fc.nat(60), (text, offset) => {
        const lines = sourceLines(text);
        const at = Math.min(offset, text.length);
        const { line, column } = lineColumn(lines, offset);
        expect(lines.starts[line - 1]! + column - 1).toBe(at);
        expect(text.slice(0, lines.starts[line - 1]).split(/\r\n|\n|\r/).length).toBe(line);
      }),
    );
  });
  it("every offset of a line has a cell, in rising order, and the cells cover the line", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const line = lineText(sourceLines(text), 1);
        const { cells, columns } = displayLine(line);
        expect(columns).toHaveLength(line.length + 1);
        expect([...columns].sort((a, b) => a - b)).toEqual(columns);
        expect(cells.reduce((sum, cell) => sum + cell.to - cell.from, 0)).toBe(columns.at(-1));
      }),
    );
  });
  it("rendering never throws, wherever the spans lie", () => {
    fc.assert(
      fc.property(
        texts,
        fc.nat(60),
        fc.nat(60),
        fc.nat(60),
        fc.integer({ min: 1, max: 30 }),
        (text, a, b, c, width) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          const span = { file: "t", start, end };
          const shown = renderDiagnostic(
            make(span, {
              labels: [{ span: { file: "t", start: c, end: c + 2 }, text: "l" }],
              fixes: [{ title: "f", edits: [{ span, text: "new\nline" }] }],
            }),
            read({ t: text }),
            { width },
          );
          expect(shown).toContain("^");
        },
      ),
    );
  });
});
