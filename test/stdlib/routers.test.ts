/** The routers of the library check without errors and their closed forms hold on the reference. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { runTests } from "../../compiler/2-graph/index.js";
import { repository, testHost } from "../check/host.js";

const files = readdirSync(join(repository, "stdlib/routers")).filter((file) => file.endsWith(".moe"));

describe.each(files)("stdlib/routers/%s", (file) => {
  const project = check(`stdlib/routers/${file}`, testHost());

  test("checks", () => {
    expect(project.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([]);
  });

  for (const result of runTests(project)) {
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
