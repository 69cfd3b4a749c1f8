/** The library's files check without errors and their own tests hold. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";

const files = readdirSync(join(repository, "stdlib")).filter((file) => file.endsWith(".moe"));

describe.each(files)("stdlib/%s", (file) => {
  const project = check(`stdlib/${file}`, testHost());

  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  test("its tests hold", () => {
    for (const result of runTests(project)) {
      expect({
        name: result.name,
        failures: result.failures,
        diagnostics: result.diagnostics,
        passed: result.passed,
      }).toEqual({
        name: result.name,
        failures: [],
        diagnostics: [],
        passed: true,
      });
      expect(result.assertions).toBeGreaterThan(0);
    }
  });
});
