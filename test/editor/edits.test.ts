/**
 * Random edits of real files: nothing crashes or is kept for ever, and what the workspace says after each edit is what a
 * fresh check says of the same text.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Position } from "vscode-languageserver";
import { check } from "../../compiler/1-check/index.js";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";
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
import { runs, seed, timeout } from "../fuzz/runs.js";
import { Client, root } from "./client.js";

/** Edits of one text after another until it is mended: damage adds up. */
const IN_A_ROW = 12;
/** 10,000 edits are `MOEC_FUZZ_RUNS=834`. */
const RUNS = runs(20);

const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: join(root, "docs/reference/errors.md") });
const FILES = [
  "examples/sentence-encoder/sentence-encoder.moe",
  "examples/tiny-moe/tiny-moe.moe",
  "stdlib/attention.moe",
  "stdlib/heads/scores.moe",
  "test/samples/hard/04-all-tokens.moe",
  "test/samples/hard/10-time.moe",
]
  .map((file) => join(root, file))
  .map((file) => ({ file, source: readFileSync(file, "utf8") }));

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
  // Every place is as likely as the first and the last.
  at: fc.noBias(fc.nat({ max: 999_999 })).map((millionths) => millionths / 1e6),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 12 })),
  insert: fc.oneof(fc.constant(""), fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })),
});

/** One of them after each edit, all after the last. */
const REQUESTS: readonly ((workspace: Workspace, file: string, position: Position) => void)[] = [
  diagnostics,
  hover,
  completion,
  signatureHelp,
  (workspace, file, position) => void references(workspace, file, position, true),
  (workspace, file) => {
    const text = workspace.text(file);
    inlayHints(workspace, file, text.range({ start: 0, end: text.text.length }));
  },
  (workspace, file) => void semanticTokens(workspace, file),
  foldingRanges,
  (workspace, file, position) => void selectionRanges(workspace, file, [position]),
  (workspace, file) => {
    for (const lens of codeLenses(workspace, file)) if (!lens.command) resolveCodeLens(workspace, lens);
  },
  (workspace, file) => {
    const text = workspace.text(file);
    for (const { range, selectionRange } of documentSymbols(workspace, file)) {
      expect(text.offset(range.start)).toBeLessThanOrEqual(text.offset(selectionRange.start));
      expect(text.offset(selectionRange.end)).toBeLessThanOrEqual(text.offset(range.end));
    }
  },
];

const rows = fc.record({
  index: fc.nat({ max: FILES.length - 1 }),
  edits: fc.array(edit, { minLength: IN_A_ROW, maxLength: IN_A_ROW }),
});

function edited(text: string, { at, remove, insert }: { at: number; remove: number; insert: string }): string {
  const from = Math.floor(at * text.length);
  return text.slice(0, from) + insert + text.slice(from + remove);
}

/** What a workspace that knows nothing says of `text`. */
function fresh(file: string, text: string): readonly Diagnostic[] {
  return check(file, { ...host, read: (name) => (name === file ? text : host.read(name)) }).files.get(file)!.all;
}

v8.setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes in use when nothing but what is reachable is left. */
function heapInUse(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/**
 * What a session may come to hold beside its texts: results of calls (512 for each declaration of the library), names of
 * sizes and what one check of each file leaves. All of it is bounded, so the second half of the edits adds less than that.
 */
const HEAP_GROWTH = 32 * 2 ** 20;

it(
  `survives ${RUNS * IN_A_ROW} random edits of real files, each result that of a fresh check (seed ${seed})`,
  () => {
    const workspace = new Workspace(host);
    let row = 0;
    let halfway = 0;
    fc.assert(
      fc.property(rows, ({ index, edits }) => {
        const { file, source } = FILES[index]!;
        let text = source;
        for (const [turn, one] of edits.entries()) {
          text = edited(text, one);
          workspace.open(file, text);
          const found = workspace.project(file).files.get(file)!.all;
          expect(found, text).toEqual(fresh(file, text));
          const position = workspace.text(file).position(Math.floor(one.at * text.length));
          for (const ask of turn === IN_A_ROW - 1 ? REQUESTS : [REQUESTS[turn % REQUESTS.length]!])
            ask(workspace, file, position);
        }
        // Others may import it.
        workspace.open(file, source);
        if (++row === RUNS >> 1) halfway = heapInUse();
      }),
      { seed, numRuns: RUNS, endOnFailure: true },
    );
    if (halfway > 0) expect(heapInUse() - halfway).toBeLessThan(HEAP_GROWTH);
  },
  timeout(RUNS, 60_000),
);

it("bursts of keystrokes end with the diagnostics of the last text, never of an earlier one", async () => {
  const client = await Client.inProcess();
  const { file, source } = FILES[0]!;
  const uri = host.toUri(file);
  const [bursts] = fc.sample(
    fc.array(fc.array(edit, { minLength: 2, maxLength: 6 }), { minLength: 12, maxLength: 12 }),
    {
      numRuns: 1,
      seed,
    },
  );
  await client.open(uri, source);
  expect(await client.diagnostics(uri), "the source is correct").toEqual([]);
  for (const burst of bursts!) {
    let text = source;
    for (const one of burst) {
      text = edited(text, one);
      await client.change(uri, text);
    }
    const workspace = new Workspace(host);
    workspace.open(file, text);
    expect(await client.diagnostics(uri), text).toEqual(diagnostics(workspace, file));
  }
  client.dispose();
}, 120_000);
