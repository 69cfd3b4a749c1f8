/** The examples of applications: checked, formatted, their own tests on both devices. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelCost } from "../../cli/cost/model-cost.js";
import { formatText } from "../../cli/format.js";
import { packageRoot } from "../../cli/package-root.js";
import { readProjectFile } from "../../cli/project-file.js";
import { diskHost } from "../../cli/source-host.js";
import { runOnWasm } from "../../cli/test-device.js";
import { check } from "../../compiler/1-check/index.js";
import { prepareTests, runTests } from "../../compiler/2-graph/index.js";
import { applications } from "./applications.js";
import { smallExamples } from "./small.js";

const folder = join(packageRoot, "examples");
const host = diskHost(packageRoot);

it("has sizes for every folder", () => {
  const folders = readdirSync(folder).filter((name) => existsSync(join(folder, name, "moec.yaml")));
  expect(folders.sort()).toEqual(Object.keys(smallExamples).sort());
});

describe.each(Object.entries(applications))("%s", (name, application) => {
  const file = `examples/${name}/${name}.moe`;
  const text = readFileSync(join(packageRoot, file), "utf8");
  const project = check(file, host);

  it("checks and is formatted", async () => {
    expect(project.diagnostics).toEqual([]);
    expect(await formatText(text, file)).toEqual({ ok: true, text });
  });

  it("has a project file for its spec, and a page", () => {
    const yaml = readProjectFile(readFileSync(join(folder, name, "moec.yaml"), "utf8"), "moec.yaml");
    expect(yaml.ok && yaml.project.model).toBe(`${name}.moe`);
    expect(readFileSync(join(folder, name, "README.md"), "utf8")).toMatch(/arXiv:\d{4}\.\d{5}|\d{4}\)/);
  });

  if (application.published)
    it("counts what its makers publish", () => {
      const { numbers: totals } = modelCost(project);
      for (const [found, said] of [
        [totals.parameters, application.published![0]],
        [totals.active, application.published![1]],
      ] as const) {
        if (said === undefined) continue;
        // Said in whole millions: half of one, or 1% where that is more.
        expect(Math.abs(found.evaluate({}) / 1e6 - said)).toBeLessThanOrEqual(Math.max(0.5, 0.01 * said));
      }
    });

  it("keeps its own tests, on the reference and as wasm", async () => {
    const results = [...runTests(project, file)];
    for (const test of prepareTests(project, file)) results.push(await runOnWasm(test));
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) {
      const { failures, diagnostics, assertions } = result;
      expect({ name: result.name, failures, diagnostics, refused: "refused" in result && result.refused }).toEqual({
        name: result.name,
        failures: [],
        diagnostics: [],
        refused: false,
      });
      expect(assertions).toBeGreaterThan(0);
    }
  });
});
