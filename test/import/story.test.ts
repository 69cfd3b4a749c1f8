/**
 * Every family the whole way, as a user goes it: the table of docs/import.md. A run of the tests takes the family whose day
 * it is, so that a month of daily runs goes through all. `STORY=<name>` takes that one, `npm run test:story` all of them;
 * with `UPDATE_DOCS=1` the latter writes the table.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasNative } from "../support/native.js";
import { STEPS, story, storyModels, type Outcome } from "./story.js";

const all = Object.keys(storyModels);
/** The family of a day: the days since 1970 (UTC) count through the table, past the end of a year, too. */
const ofDay = (time: number): string => all[Math.floor(time / 86_400_000) % all.length]!;
const asked = process.env["STORY"];
const names = asked === undefined ? [ofDay(Date.now())] : asked === "all" ? all : asked.split(",");

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
  it.each(names)(
    asked === undefined ? "%s, whose day it is (STORY=<name> repeats it)" : "%s",
    { timeout: 600_000 },
    async (name) => {
      const model = storyModels[name];
      expect(model, `STORY is one of ${all.join(", ")}, several by commas, or all`).toBeDefined();
      const failures: string[] = [];
      const outcome = await story(model!, {
        cwd: mkdtempSync(join(folder, "model-")),
        native: hasNative,
        onFailure: (text) => failures.push(text),
      });
      found.set(name, outcome);
      if (process.env["UPDATE_DOCS"] === "1") return;
      const said = rowsOfPage().get(name);
      const expected = said && !hasNative ? { ...said, native: "-" } : said;
      expect(outcome, failures.join("\n")).toEqual(expected);
    },
  );

  it("comes to every family", () => {
    const start = Date.now();
    const month = all.map((_, day) => ofDay(start + day * 86_400_000));
    expect(month.sort()).toEqual([...all].sort());
  });

  it("is told of every family on the page", async () => {
    if (process.env["UPDATE_DOCS"] === "1") {
      expect(names, "STORY=all is needed, too").toEqual(all);
      const rows = names.map((name) => `| ${[name, ...STEPS.map((step) => found.get(name)![step])].join(" | ")} |`);
      const table = [`| model | ${STEPS.join(" | ")} |`, `| --- |${" --- |".repeat(STEPS.length)}`, ...rows];
      const text = readFileSync(page, "utf8");
      const before = text.slice(0, text.indexOf(START) + START.length);
      const made = `${before}\n\n${table.join("\n")}\n\n${text.slice(text.indexOf(END))}`;
      writeFileSync(page, await format(made, { parser: "markdown", printWidth: 120 }));
    }
    expect([...rowsOfPage().keys()]).toEqual(all);
  });
});
