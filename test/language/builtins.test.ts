/** The page of builtins is what the table says, each builtin has an example, and the examples hold. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtins } from "../../compiler/1-check/builtins/index.js";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";
import { builtinsPage, CHAPTERS, readExamples } from "./builtins-page.js";

describe.each(CHAPTERS)("$file", ({ file }) => {
  const project = check(`test/samples/builtins/${file}`, testHost());
  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });
  test("its examples hold", () => {
    for (const { name, failures, diagnostics, assertions } of runTests(project)) {
      expect({ name, failures, diagnostics }).toEqual({ name, failures: [], diagnostics: [] });
      expect(assertions).toBeGreaterThan(0);
    }
  });
});

describe("docs/language/builtins.md", () => {
  const path = join(repository, "docs/language/builtins.md");
  test("shows every builtin once, with an example that calls it", () => {
    const shown = CHAPTERS.flatMap(({ file }) => [...readExamples(file)]);
    expect(shown.map(([name]) => name).sort()).toEqual([...builtins.keys()].sort());
    for (const [name, example] of shown)
      expect(example.replace(/^test .*/m, ""), name).toMatch(new RegExp(`\\b${name}\\b`));
  });
  test("is not stale (UPDATE_EXPECT=1 writes it)", () => {
    if (process.env["UPDATE_EXPECT"] === "1") writeFileSync(path, builtinsPage());
    expect(readFileSync(path, "utf8")).toBe(builtinsPage());
  });
});
