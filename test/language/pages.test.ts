/**
 * The pages of docs/language: every block of the language is a file that checks, or, where the fence names a code
 * (```` ```moe MOE2090 ````), that has this one error; the tests in it hold on the reference evaluator.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";

const folder = join(repository, "docs/language");
/**
 * `syntax.md` shows spellings, some with names that nobody declares: the grammar's tests parse it. The examples of
 * `builtins.md` are run where they come from.
 */
const elsewhere = ["syntax.md", "builtins.md"];
const pages = readdirSync(folder).filter((name) => name.endsWith(".md") && !elsewhere.includes(name));
const read = (page: string): string => readFileSync(join(folder, page), "utf8");

describe.each(pages)("%s", (page) => {
  const blocks = [...read(page).matchAll(/^```moe(?: (MOE\d{4}))?\n([^]*?)^```$/gm)];
  blocks.forEach(([, code, text = ""], index) => {
    const file = `docs/language/block-${String(index + 1)}.moe`;
    const [first = ""] = text.split("\n").filter((line) => !/^(import|\/\/|$)/.test(line));
    test(`block ${String(index + 1)}: ${first}`, () => {
      const project = check(file, testHost({ [file]: text }));
      const said = project.diagnostics.map((each) => `${each.code} ${each.message}`);
      if (code !== undefined) {
        expect(
          project.diagnostics.map((each) => each.code),
          said.join("\n"),
        ).toEqual([code]);
        return;
      }
      expect(said, text).toEqual([]);
      for (const { name, failures, diagnostics, assertions } of runTests(project)) {
        expect({ name, failures, diagnostics }).toEqual({ name, failures: [], diagnostics: [] });
        expect(assertions).toBeGreaterThan(0);
      }
    });
  });
});

describe("the map", () => {
  const map = read("README.md");
  test("names every page", () => {
    const missing = pages.filter((page) => page !== "README.md" && !map.includes(`(${page})`));
    expect(missing).toEqual([]);
  });
  test("links to pages that exist", () => {
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((\w+\.md)(?:#[\w-]+)?\)/g)].map(([, to]) => to!),
    );
    expect(links.filter((to) => !elsewhere.includes(to) && !pages.includes(to))).toEqual([]);
  });
});
