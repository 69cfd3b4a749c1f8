/** Checking after an edit with the earlier result at hand says the same as checking anew. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check, type CheckedProject } from "../../compiler/1-check/index.js";
import { testHost } from "./host.js";

const files = [
  "test/samples/hard/01-sharing.moe",
  "test/samples/hard/04-all-tokens.moe",
  "stdlib/routers.moe",
  "examples/tiny-moe/tiny-moe.moe",
];
const seed = Number(process.env["SEED"] ?? 20261122);

/** All that a check says about a file, as plain data. */
function said(project: CheckedProject, file: string) {
  const info = project.info(file)!;
  const byPlace = (a: { start: number; text: string }, b: { start: number; text: string }) =>
    a.start - b.start || (a.text < b.text ? -1 : 1);
  return {
    diagnostics: project.diagnostics,
    types: info.types.map(({ span, type }) => ({ start: span.start, text: `${span.end} ${type()}` })).sort(byPlace),
    definitions: info.definitions
      .map(({ span, definition }) => ({
        start: span.start,
        text: `${span.end} ${definition.file} ${definition.start}`,
      }))
      .sort(byPlace),
  };
}

/** An edit at a place that is part of the way through the text. */
const edits = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom("blank line", "comment", "misspell", "number", "drop line"),
  }),
  { minLength: 1, maxLength: 3 },
);

function edited(text: string, edit: { readonly at: number; readonly kind: string }): string {
  const lines = text.split("\n");
  const line = Math.min(lines.length - 1, Math.floor(edit.at * lines.length));
  switch (edit.kind) {
    case "blank line":
      lines.splice(line, 0, "");
      break;
    case "comment":
      lines.splice(line, 0, "// a remark about D and E");
      break;
    case "drop line":
      lines.splice(line, 1);
      break;
    case "number":
      lines[line] = lines[line]!.replace(/\d+/, (digits) => String(Number(digits) + 1));
      break;
    default:
      lines[line] = lines[line]!.replace(/[A-Za-z]\w+(?=[^\w]*$)/, "Qzq");
  }
  return lines.join("\n");
}

describe.each(files)("%s", (file) => {
  const first = check(file, testHost());
  const { text } = first.files.get(file)!;

  test(`any edit (seed ${seed})`, () => {
    fc.assert(
      fc.property(edits, (list) => {
        let previous = first;
        let now = text;
        for (const edit of list) {
          now = edited(now, edit);
          const host = testHost({ [file]: now });
          previous = check(file, host, { previous });
          expect(said(previous, file)).toEqual(said(check(file, host), file));
        }
      }),
      { seed, numRuns: Number(process.env["RUNS"] ?? 8) },
    );
  });

  test("nothing is done again without an edit", () => {
    const again = check(file, testHost(), { previous: first });
    expect(again.files.get(file)).toBe(first.files.get(file));
  });
});

test("how a broken declaration is mended depends on the rest of the file, and so does what is said of its uses", () => {
  const text = `block A[D] {
  param s: [D]
  (x: [T, D]) => sum(x / (exp(s=>a) * 2), over: D)
}

test "user" {
  let m = A[4]
  assert close(m(random([T = 3, D = 4], seed: 4)), 0)
}

test "other" {
  let y = random([T = 3, D = 4], seed: 4)
  assert close(y, y)
}
`;
  const edit = text.replace("let y = random([T = 3, D = 4]", "let y = random([T = 3, D = 4]{");
  const host = (now: string) => testHost({ "a.moe": now });
  const previous = check("a.moe", host(text));
  expect(check("a.moe", host(edit), { previous }).diagnostics).toEqual(check("a.moe", host(edit)).diagnostics);
});
