/** The runtimes that bundles carry: the way into a browser uses nothing of Node, and both stay small. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messages } from "../../compiler/errors/errors.generated.js";
import { buildRuntime } from "../../scripts/build-runtimes.mjs";

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

const contents = (folder: string): ReadonlyMap<string, Buffer> =>
  new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))]));
const textOf = (folder: string): string => [...contents(folder).values()].join("");

describe.each([
  ["browser", 55_000, ["runtime.js", "runtime-worker.js", "runtime-thread.js"]],
  ["node", 70_000, ["runtime-node.js", "runtime-node-thread.js"]],
] as const)("the runtime for %s that bundles carry", (name, most, entries) => {
  const folders = [0, 1].map(() => mkdtempSync(join(tmpdir(), "moec-runtime-")));
  beforeAll(() => Promise.all(folders.map((folder) => buildRuntime(name, folder))));
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  it(`weighs at most ${most / 1000} KB, all of it, compressed`, () => {
    const files = [...contents(folders[0]!)];
    expect(files.map(([file]) => file)).toEqual(expect.arrayContaining([...entries]));
    const bytes = files.reduce((sum, [, content]) => sum + gzipSync(content, { level: 9 }).length, 0);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(most);
  });

  it("has the sentences of what it refuses, and none of the compiler's", () => {
    const text = textOf(folders[0]!);
    // Too large a model, a knob that does not exist, a shard that does not match its hash.
    for (const code of ["MOE5310", "MOE5323", "MOE5305"] as const) expect(text).toContain(messages[code].message);
    for (const code of ["MOE2115", "MOE1001", "MOE3352"] as const) expect(text).not.toContain(messages[code].message);
    // Native code is a matter of Node alone.
    expect(text.includes('"koffi"')).toBe(name === "node");
  });

  it("has the sentence of every code that it can throw, and of no other", () => {
    const text = textOf(folders[0]!);
    // Calls have their code as an argument; the table has it as a key.
    const thrown = new Set([...text.matchAll(/(["'`])(MOE\d{4})\1/g)].map((match) => match[2]!));
    expect(thrown.size).toBeGreaterThan(20);
    const told = [...text.matchAll(/(MOE\d{4}):\{message:/g)].map((match) => match[1]!);
    expect(told.sort()).toEqual([...thrown].sort());
  });

  it("has the same bytes each time it is built", () => {
    expect(contents(folders[1]!)).toEqual(contents(folders[0]!));
  });

  it("imports itself and, in Node, what Node brings", () => {
    const imported = [...textOf(folders[0]!).matchAll(/(?:\bfrom|\bimport\(?)\s*"([^"]+)"/g)].map((match) => match[1]!);
    expect(imported.length).toBeGreaterThan(3);
    const others = imported.filter((path) => !path.startsWith("./runtime-"));
    for (const path of others) expect(path).toMatch(name === "node" ? /^node:/ : /^$/);
  });

  it.runIf(name === "browser")("names its workers in the form that bundlers know", () => {
    const text = textOf(folders[0]!);
    for (const file of ["runtime-worker.js", "runtime-thread.js"]) {
      expect(text).toContain(`new Worker(new URL("./${file}",import.meta.url),{type:"module"})`);
    }
  });
});
