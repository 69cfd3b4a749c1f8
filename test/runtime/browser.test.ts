/** The runtime's way into a browser uses nothing of Node, however deep one looks. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messages } from "../../compiler/errors/errors.generated.js";
import { buildBrowserRuntime } from "../../scripts/build-browser.mjs";

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
  const files = new Map(
    ["index.ts", "web/runtime-worker.ts", "web/runtime-thread.ts"].flatMap((entry) => [
      ...importsFrom(join(root, "runtime", entry)),
    ]),
  );

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

describe("the runtime that bundles carry", () => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), "moec-runtime-")));
  const contents = (folder: string): ReadonlyMap<string, Buffer> =>
    new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
  beforeAll(() => Promise.all(folders.map((folder) => buildBrowserRuntime(folder))));
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  it("weighs at most 55 KB, all of it, compressed", () => {
    const files = [...contents(folders[0]!)];
    expect(files.map(([file]) => file)).toEqual(
      expect.arrayContaining(["runtime.js", "runtime-worker.js", "runtime-thread.js"]),
    );
    const bytes = files.reduce((sum, [, content]) => sum + gzipSync(content, { level: 9 }).length, 0);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(55_000);
  });

  it("has the sentences of what it refuses, and none of the compiler's", () => {
    const text = [...contents(folders[0]!).values()].join("");
    // Too large a model, a knob that does not exist, a shard that does not match its hash.
    for (const code of ["MOE5310", "MOE5323", "MOE5305"] as const) expect(text).toContain(messages[code].message);
    for (const code of ["MOE2115", "MOE1001", "MOE3352"] as const) expect(text).not.toContain(messages[code].message);
  });

  it("has the same bytes each time it is built", () => {
    expect(contents(folders[1]!)).toEqual(contents(folders[0]!));
  });

  it("names its workers in the form that bundlers know", () => {
    const text = [...contents(folders[0]!).values()].join("");
    for (const file of ["runtime-worker.js", "runtime-thread.js"]) {
      expect(text).toContain(`new Worker(new URL("./${file}",import.meta.url),{type:"module"})`);
    }
  });
});
