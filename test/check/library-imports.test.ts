/** Where the import of a name of the library is written. */
import { expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { testHost } from "./host.js";

const body = "block Ffn[D, F] {\n  use ffn = SwiGLU[D, F]\n  (x: [T, D]) => x + ffn(x)\n}\n";

/** The text with the only fix of its only error made. */
function mended(text: string): string {
  const { diagnostics } = check("open.moe", testHost({ "open.moe": text }));
  expect(diagnostics.map(({ code, fixes }) => [code, fixes.length])).toEqual([["MOE2001", 1]]);
  const edits = diagnostics[0]!.fixes[0]!.edits.toSorted((a, b) => b.span.start - a.span.start);
  const after = edits.reduce((all, { span, text: by }) => all.slice(0, span.start) + by + all.slice(span.end), text);
  expect(check("open.moe", testHost({ "open.moe": after })).diagnostics).toEqual([]);
  return after;
}

test.each([
  ["a file without imports", "", 'import { SwiGLU } from "std"\n\n'],
  ["a file with a byte order mark", "\uFEFF", '\uFEFFimport { SwiGLU } from "std"\n\n'],
  ["an import of the library", 'import { GeGLU } from "std"\n', 'import { GeGLU, SwiGLU } from "std"\n'],
  ["an import of nothing", 'import {} from "std"\n', 'import { SwiGLU } from "std"\n'],
  [
    "an import of nothing before one of something",
    'import {} from "std"\nimport { GeGLU } from "std"\n',
    'import {} from "std"\nimport { GeGLU, SwiGLU } from "std"\n',
  ],
  ["an import of nothing behind a mark", '\uFEFFimport { } from "std"\n\n', '\uFEFFimport { SwiGLU } from "std"\n\n'],
])("%s", (_, before, after) => {
  expect(mended(before + body)).toBe(after + body);
});
