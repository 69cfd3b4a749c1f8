/**
 * Whatever is typed, `parse` returns: no exception, no hang, spans inside the file and inside their parents.
 * `MOEC_FUZZ_RUNS` raises the number of runs.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "../../grammar/parse.js";
import { TOKENS } from "../../grammar/tokens.js";
import { fixtures } from "./fixtures.js";

const numRuns = Number(process.env["MOEC_FUZZ_RUNS"] ?? 600);
const timeout = 120_000 + numRuns * 20;

interface Spanned {
  readonly kind: string;
  readonly span: { readonly start: number; readonly end: number };
}

function checkSpans(node: Spanned, outer: Spanned["span"], text: string): void {
  const { start, end } = node.span;
  const inside = Number.isInteger(start) && outer.start <= start && start <= end && end <= outer.end;
  expect(
    inside,
    `${node.kind} ${String(start)}..${String(end)} in ${String(outer.start)}..${String(outer.end)} of ${JSON.stringify(text)}`,
  ).toBe(true);
  for (const value of Object.values(node) as unknown[]) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof child === "object" && child !== null && "kind" in child) checkSpans(child as Spanned, node.span, text);
    }
  }
}

function check(text: string): void {
  const before = performance.now();
  const { tree, diagnostics } = parse(text, "a.moe");
  expect(performance.now() - before).toBeLessThan(5000);
  checkSpans(tree, { start: 0, end: text.length }, text);
  for (const { code, span, labels, fixes } of diagnostics) {
    expect(code).toMatch(/^MOE1\d{3}$/);
    const spans = [
      span,
      ...labels.map((each) => each.span),
      ...fixes.flatMap((each) => each.edits.map((edit) => edit.span)),
    ];
    for (const { start, end } of spans) expect(0 <= start && start <= end && end <= text.length, text).toBe(true);
  }
}

const marks = TOKENS.flatMap((each) => (typeof each.pattern === "string" ? [each.pattern] : []));
const piece = fc.oneof(
  fc.constantFrom(...marks),
  fc.constantFrom(
    "x",
    "D",
    "1",
    "10_000 steps",
    '"s"',
    '"open',
    "/*",
    "*/",
    "//",
    "///",
    "\n",
    "\n\n",
    " ",
    "'",
    "1.",
    "2x",
    "\\",
    "#",
    "é",
  ),
);

describe("parse survives", () => {
  it("any text", { timeout }, () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), check), { numRuns });
  });
  it("any row of tokens", { timeout }, () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => check(pieces.join(" "))),
      { numRuns },
    );
  });
  it("any declaration around any row of tokens", { timeout }, () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) =>
        check(`expert A[D] {\n  (x: [D]) => ${pieces.join(" ")}\n}\nmask B = x`),
      ),
      { numRuns },
    );
  });
  it("cuts, swaps and insertions in real files", { timeout }, () => {
    const edit = fc.record({ at: fc.nat(), length: fc.nat({ max: 12 }), text: fc.oneof(fc.constant(""), piece) });
    const texts = fc.constantFrom(...fixtures.map(({ text }) => text));
    const run = (text: string, edits: readonly { at: number; length: number; text: string }[]) => {
      let typed = text;
      for (const each of edits) {
        const at = each.at % (typed.length + 1);
        typed = typed.slice(0, at) + each.text + typed.slice(at + each.length);
      }
      check(typed);
    };
    fc.assert(fc.property(texts, fc.array(edit, { minLength: 1, maxLength: 6 }), run), { numRuns });
  });
  it("any prefix of a real file", { timeout }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...fixtures), fc.nat(), ({ text }, end) => check(text.slice(0, end % text.length))),
      { numRuns: Math.ceil(numRuns / 3) },
    );
  });
});
