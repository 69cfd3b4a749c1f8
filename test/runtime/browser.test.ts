/** The runtime's way into a browser uses nothing of Node, however deep one looks. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

function importsFrom(
  file: string,
  seen = new Map<string, readonly string[]>(),
): ReadonlyMap<string, readonly string[]> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, "utf8");
  // Imports of types vanish.
  const found = [...text.matchAll(/^(?:import|export)\s(?!type\b)[^;]*?from\s+"([^"]+)";/gms)].map(
    (match) => match[1]!,
  );
  seen.set(file, found);
  for (const name of found) {
    if (name.startsWith(".")) importsFrom(join(dirname(file), name.replace(/\.js$/, ".ts")), seen);
  }
  return seen;
}

describe("the runtime in a browser", () => {
  const files = importsFrom(join(root, "runtime/index.ts"));

  it("imports no module of Node and of the compiler only errors and number formats", () => {
    const packages = [...files.values()].flat().filter((name) => !name.startsWith("."));
    expect([...new Set(packages)].filter((name) => name.startsWith("node:"))).toEqual([]);
    const foreign = [...files.keys()]
      .map((file) => file.slice(root.length))
      .filter((file) => file.startsWith("compiler/"));
    for (const file of foreign) expect(file).toMatch(/^compiler\/(errors|axes|checkpoints)\//);
  });

  it("was followed at all", () => {
    expect(files.size).toBeGreaterThan(20);
  });
});
