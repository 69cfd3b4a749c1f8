/** Masks, experts, matrices, attention and heads of the library check without errors and their closed forms hold. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";

const files = ["masks", "experts", "matrices", "attention"].flatMap((folder) =>
  readdirSync(join(repository, "stdlib", folder))
    .filter((file) => file.endsWith(".moe"))
    .map((file) => `stdlib/${folder}/${file}`),
);

describe.each(files)("%s", (file) => {
  const project = check(file, testHost());

  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  test("has tests", () => {
    expect(runTests(project, file).length).toBeGreaterThan(0);
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
