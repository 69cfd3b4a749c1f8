/** Every file of the library checks without errors, its tests hold on the reference, and every declaration is asserted on. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";

const files = readdirSync(join(repository, "stdlib"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".moe") && file !== "std.moe")
  .map((file) => `stdlib/${file}`)
  .sort();
const texts = new Map(files.map((file) => [file, readFileSync(join(repository, file), "utf8")]));
/** All tests of the library as one text: a mask's test may stand in the file that counts it. */
const tests = [...texts.values()].map((text) => text.slice(text.search(/^test /m))).join("\n");

test("std.moe names every file of the library", () => {
  const std = readFileSync(join(repository, "stdlib/std.moe"), "utf8");
  expect(files.filter((file) => !std.includes(`"./${file.slice("stdlib/".length)}"`))).toEqual([]);
});

describe.each(files)("%s", (file) => {
  const project = check(file, testHost());

  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  test("says what each declaration is, and asserts on it", () => {
    const text = texts.get(file)!;
    expect(text).toMatch(/^test "/m);
    for (const [, doc, name] of text.matchAll(
      /^(\/\/\/.*\n)?(?:expert|router|mask|matrix|block|fn|schedule|loss|probe|recipe) (\w+)/gm,
    )) {
      expect(doc, `${name!} has no doc comment`).toBeDefined();
      // Private steps are held by the tests of what calls them.
      const held = new RegExp(`\\b${name!}\\b`);
      expect(held.test(tests) || held.test(text.replace(new RegExp(`^fn ${name!}\\b.*$`, "m"), "")), name).toBe(true);
    }
  });

  for (const result of runTests(project, file)) {
    test(result.name, () => {
      const { failures, diagnostics } = result;
      expect({
        failures: failures.map(({ message }) => message),
        diagnostics: diagnostics.map(({ code, message }) => `${code} ${message}`),
      }).toEqual({ failures: [], diagnostics: [] });
      expect(result.assertions).toBeGreaterThan(0);
    });
  }
});
