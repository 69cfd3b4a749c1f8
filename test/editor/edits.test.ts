/** Random edits: nothing crashes, and what the workspace says after each is what a fresh one says of the same text. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { diskWorkspace } from "../../editor/server/disk.js";
import { codeLenses, resolveCodeLens } from "../../editor/server/features/code-lens.js";
import { completion } from "../../editor/server/features/completion/index.js";
import { diagnostics } from "../../editor/server/features/diagnostics.js";
import { hover } from "../../editor/server/features/hover.js";
import { inlayHints } from "../../editor/server/features/inlay-hints.js";
import { references } from "../../editor/server/features/navigation.js";
import { semanticTokens } from "../../editor/server/features/semantic-tokens.js";
import { signatureHelp } from "../../editor/server/features/signature-help.js";
import { foldingRanges, selectionRanges } from "../../editor/server/features/structure.js";
import { documentSymbols } from "../../editor/server/features/symbols.js";
import { Workspace } from "../../editor/server/workspace.js";
import { root } from "./client.js";

const EDITS = 500;

/** Needs no file but its own, so that an edit is checked in a moment. */
const SOURCE = readFileSync(join(root, "examples/sentence-encoder/sentence-encoder.moe"), "utf8")
  .replace(/^import.*\n/, "")
  .replace(/LayerNorm\[(\w)\]\(epsilon: 1e-6\)/g, "Norm[$1]")
  .replace("Everything", "All")
  .replace(/\n {2}weights[^]*$/, "\n}\n")
  .concat(
    "\nmask All = (q, k) => k >= 0\n\nblock Norm[D] {\n  param weight: [D] = 1\n  (x: [D]) => x * weight\n}\n\n",
    'test "all" {\n  let n = Norm[4]\n  let x = random([T = 2, D = 4], seed: 1)\n  assert close(n(x * 2), x * 2)\n}\n',
  );

const PIECES = [
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ".",
  ",",
  ": ",
  " = ",
  "\n",
  '"',
  "x",
  "D",
  "norm1.",
  "let a = ",
  "over: ",
  "0",
  "//",
  "=>",
  "import { Norm } from ",
  "param w: [D]\n",
];

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 12 })),
  insert: fc.oneof(fc.constant(""), fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })),
});

it(`survives ${EDITS} random edits, each result that of a fresh check`, () => {
  const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: join(root, "docs/reference/errors.md") });
  const file = join(root, "examples/sentence-encoder/edited.moe");
  const [edits] = fc.sample(fc.array(edit, { minLength: EDITS, maxLength: EDITS }), { numRuns: 1, seed: 6 });
  const workspace = new Workspace(host);
  let text = SOURCE;
  workspace.open(file, text);
  expect(diagnostics(workspace, file), "the source is correct").toEqual([]);
  for (const [index, { at, remove, insert }] of edits!.entries()) {
    // Damage adds up, so the text is mended from time to time.
    if (index % 12 === 0) text = SOURCE;
    const from = Math.floor(at * text.length);
    text = text.slice(0, from) + insert + text.slice(from + remove);
    workspace.open(file, text);
    const now = text;
    const found = workspace.project(file).files.get(file)!.all;
    const fresh = check(file, { ...host, read: (name) => (name === file ? now : host.read(name)) }).files.get(
      file,
    )!.all;
    expect(found, `after edit ${index}:\n${text}`).toEqual(fresh);
    askEverything(workspace, file, from);
  }
}, 300_000);

function askEverything(workspace: Workspace, file: string, offset: number): void {
  const text = workspace.text(file);
  const position = text.position(offset);
  const whole = text.range({ start: 0, end: text.text.length });
  diagnostics(workspace, file);
  hover(workspace, file, position);
  completion(workspace, file, position);
  signatureHelp(workspace, file, position);
  references(workspace, file, position, true);
  inlayHints(workspace, file, whole);
  semanticTokens(workspace, file);
  foldingRanges(workspace, file);
  selectionRanges(workspace, file, [position]);
  for (const lens of codeLenses(workspace, file)) if (!lens.command) resolveCodeLens(workspace, lens);
  for (const { range, selectionRange } of documentSymbols(workspace, file)) {
    expect(text.offset(range.start)).toBeLessThanOrEqual(text.offset(selectionRange.start));
    expect(text.offset(selectionRange.end)).toBeLessThanOrEqual(text.offset(range.end));
  }
}
