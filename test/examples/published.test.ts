/** The examples of published models: specs as `moec import` writes them, and totals as their makers publish them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatText } from "../../cli/format.js";
import { modelCost } from "../../cli/cost/model-cost.js";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { readFamilyConfig } from "../../compiler/checkpoints/families/index.js";
import { designOfConfig, writeDesign } from "../../compiler/checkpoints/import/designs/index.js";
import { modelName, writeSpec } from "../../compiler/checkpoints/import/index.js";

interface Published {
  /** Parameters, as published, and those active for a token. */
  readonly total: number;
  readonly active: number;
  /** What the makers count as active: everything, or without the embedding, or without embedding and output. */
  readonly activeCounts: "all" | "no lookup" | "no vocabulary";
  /** The published total counts a vision tower too, and the spec is the language model alone. */
  readonly part?: "text";
}

const folder = join(packageRoot, "examples");
const published = JSON.parse(readFileSync(join(folder, "published.json"), "utf8")) as Record<string, Published>;
const host = diskHost(packageRoot);

/** The spec for a `config.json` alone. */
function specOf(name: string): string {
  const config = JSON.parse(readFileSync(join(folder, name, "config.json"), "utf8")) as unknown;
  const common = { format: "safetensors", name: modelName(name, "Model"), source: "config.json" } as const;
  const found = designOfConfig(config);
  if (found) return writeDesign({ ...common, design: found.design });
  return writeSpec({ ...common, config: readFamilyConfig({ config }), prefix: "model." });
}

/**
 * Active counts are published with few digits, some rounded and some cut: one unit of the last digit, or 1% where that is
 * more. 3.3 billion is anything from 3.2 to 3.4.
 */
const slack = (value: number): number => {
  const digits = String(value / 1e9).split(".")[1]?.length ?? 0;
  return Math.max(0.01 * value, 10 ** (9 - digits));
};

describe.each(Object.entries(published))("%s", (name, { total, active, activeCounts, part }) => {
  const file = `examples/${name}/${name}.moe`;

  it("is what importing its config writes", async () => {
    const formatted = await formatText(specOf(name), file);
    expect(formatted.ok).toBe(true);
    if (!formatted.ok) return;
    if (process.env["UPDATE_EXPECT"]) writeFileSync(join(packageRoot, file), formatted.text);
    expect(readFileSync(join(packageRoot, file), "utf8")).toBe(formatted.text);
  });

  it("checks, and counts what its makers publish", () => {
    const project = check(file, host);
    expect(project.diagnostics).toEqual([]);
    const { numbers, parameters } = modelCost(project);
    const all = numbers.parameters.evaluate({});
    if (part === "text") {
      // A vision tower of at most two billion parameters is missing, so no more can be said of the sum.
      expect(all, String(all)).toBeLessThan(total);
      expect(all, String(all)).toBeGreaterThan(total - 2e9);
    } else expect(Math.abs(all - total), String(all)).toBeLessThanOrEqual(0.01 * total);
    const vocabulary = parameters.filter(({ path, isTable }) =>
      activeCounts === "no vocabulary" ? /^(tok|output)$/.test(path) : activeCounts === "no lookup" && isTable,
    );
    const counted = numbers.active.evaluate({}) - vocabulary.reduce((sum, param) => sum + param.all, 0);
    expect(Math.abs(counted - active), String(counted)).toBeLessThanOrEqual(slack(active));
  });
});
