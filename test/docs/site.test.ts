/** Formulas, wiring and code of the documentation site, from the trees of declarations. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ModuleDecl } from "../../grammar/tree.js";
import { parse } from "../../grammar/index.js";
import { libraryEntries, libraryFiles } from "../../cli/library.js";
import { diagramOf } from "../../scripts/docs/diagram.mjs";
import { formulaOf } from "../../scripts/docs/formula.mjs";
import { escapeHtml, highlighter } from "../../scripts/docs/highlight.mjs";

const make = { diagram: diagramOf, formula: formulaOf };

const source = `router TopK[D, E](k: int = 2) {
  param w: [D, E]
  use norm = RMSNorm[D]
  (x: [D]) => {
    let p = softmax(norm(x) @ w / sqrt(D), over: E)
    choose(p, top: k)
  }
}
`;
const decl = parse(source, "a.moe").tree.declarations[0] as ModuleDecl;

describe("formulas", () => {
  it("have one line for each let and one for the result", () => {
    const html = make.formula(decl, source);
    expect(html).toContain("<mfrac>");
    expect(html).toContain("<msqrt>");
    expect(html.match(/<mtr>/g)).toHaveLength(2);
  });

  it("of the whole library are set without an error", () => {
    let set = 0;
    for (const file of libraryFiles()) {
      for (const entry of file.entries) {
        const html = make.formula(entry.decl, file.text);
        expect(html, entry.name).not.toContain("katex-error");
        if (html !== "") set++;
      }
    }
    expect(set).toBeGreaterThan(200);
  });
});

describe("wiring", () => {
  it("has a box for each input, part and value, and a line for each that is read", () => {
    const svg = make.diagram(decl);
    for (const label of ["x", "w", "norm: RMSNorm", "p = softmax(…)", "y = choose(…)"])
      expect(svg).toContain(`>${label}</text>`);
    // x, norm and w into p, p into y; k is a number, not a value.
    expect(svg.match(/<path d="M[^"]*C/g)).toHaveLength(4);
  });

  it("of the whole library has boxes that do not overlap", () => {
    for (const entry of libraryEntries()) {
      const svg = make.diagram(entry.decl);
      const boxes = [...svg.matchAll(/<rect x="([\d.-]+)" y="(\d+)" width="([\d.]+)"/g)].map((match) =>
        match.slice(1).map(Number),
      );
      for (const [i, a] of boxes.entries()) {
        for (const b of boxes.slice(i + 1)) {
          if (a[1] === b[1]) expect(a[0]! + a[2]! <= b[0]! || b[0]! + b[2]! <= a[0]!, entry.name).toBe(true);
        }
      }
    }
  });
});

describe("code", () => {
  it("is coloured by the language's grammar and keeps every letter", async () => {
    const highlight = await highlighter(fileURLToPath(new URL("../../grammar/moe.tmLanguage.json", import.meta.url)));
    for (const file of libraryFiles()) {
      expect(highlight(file.text).replace(/<i style="color:var\(--\w+\)">|<\/i>/g, "")).toBe(escapeHtml(file.text));
    }
    const html = highlight(source);
    expect(html).toContain('<i style="color:var(--k)">router</i>');
    expect(html).toContain('<i style="color:var(--accent)">TopK</i>');
  });
});
