/**
 * Every family the whole way, as a user goes it: the table of docs/import.md. One family in each run of the tests;
 * `STORY=all npx vitest run test/import/story.test.ts` goes through all of them, and with `UPDATE_DOCS=1` writes the table.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasNative } from "../support/native.js";
import { STEPS, story, storyModels, type Outcome } from "./story.js";

/** One whose layers are dense and sparse, and whose states are of two kinds. */
const FEW = ["lfm2-moe"];
const asked = process.env["STORY"];
const names = Object.keys(storyModels).filter((name) => asked === "all" || (asked?.split(",") ?? FEW).includes(name));

const page = new URL("../../docs/import.md", import.meta.url);
const START = "<!-- story: test/import/story.test.ts -->";
const END = "<!-- end of story -->";
const folder = mkdtempSync(join(tmpdir(), "moec-story-"));
const cacheBefore = process.env["MOEC_CACHE"];
beforeAll(() => {
  process.env["MOEC_CACHE"] = join(folder, "cache");
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env["MOEC_CACHE"];
  else process.env["MOEC_CACHE"] = cacheBefore;
  rmSync(folder, { recursive: true, force: true });
});

const found = new Map<string, Outcome>();

/** Rows of the page's table, by the first cell. */
function rowsOfPage(): ReadonlyMap<string, Outcome> {
  const text = readFileSync(page, "utf8");
  const table = text.slice(text.indexOf(START), text.indexOf(END));
  const rows = table.split("\n").filter((line) => line.startsWith("|"));
  return new Map(
    rows.slice(2).map((row): [string, Outcome] => {
      const [name = "", ...cells] = row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
      return [name, Object.fromEntries(STEPS.map((step, i) => [step, cells[i]])) as Outcome];
    }),
  );
}

describe("from a checkpoint to text and back", () => {
  it.each(names)("%s", { timeout: 600_000 }, async (name) => {
    const failures: string[] = [];
    const outcome = await story(storyModels[name]!, {
      cwd: mkdtempSync(join(folder, "model-")),
      native: hasNative,
      onFailure: (text) => failures.push(text),
    });
    found.set(name, outcome);
    if (process.env["UPDATE_DOCS"] === "1") return;
    const said = rowsOfPage().get(name);
    const expected = said && !hasNative ? { ...said, native: "-" } : said;
    expect(outcome, failures.join("\n")).toEqual(expected);
  });

  it("is told of every family on the page", async () => {
    if (process.env["UPDATE_DOCS"] === "1") {
      expect(names, "STORY=all is needed, too").toEqual(Object.keys(storyModels));
      const rows = names.map((name) => `| ${[name, ...STEPS.map((step) => found.get(name)![step])].join(" | ")} |`);
      const table = [`| model | ${STEPS.join(" | ")} |`, `| --- |${" --- |".repeat(STEPS.length)}`, ...rows];
      const text = readFileSync(page, "utf8");
      const before = text.slice(0, text.indexOf(START) + START.length);
      const made = `${before}\n\n${table.join("\n")}\n\n${text.slice(text.indexOf(END))}`;
      writeFileSync(page, await format(made, { parser: "markdown", printWidth: 120 }));
    }
    expect([...rowsOfPage().keys()]).toEqual(Object.keys(storyModels));
  });
});
