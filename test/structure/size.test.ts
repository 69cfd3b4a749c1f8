import { describe, expect, it } from "vitest";
import { isGenerated, sources } from "./sources.js";

/** The budget of lines per file: tables may be long when there is a reason. */
const MEDIAN = 150;
const NINETIETH = 500;
const LARGEST = 800;

/** Files that may be longer than `LARGEST`, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

function lineCount(text: string): number {
  return text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** The smallest value that at least `share` of the sorted values do not exceed. */
const quantile = (sorted: readonly number[], share: number): number => sorted[Math.ceil(sorted.length * share) - 1]!;

describe("the size budget of source files", () => {
  const files = sources(
    ["grammar", "compiler", "runtime", "serve", "cli", "editor", "scripts", "stdlib"],
    [".ts", ".mjs", ".moe"],
  )
    .filter(({ path }) => !isGenerated(path))
    .map(({ path, text }) => ({ path, lines: lineCount(text) }));
  const sorted = files.map(({ lines }) => lines).sort((a, b) => a - b);

  it(`median is at most ${MEDIAN} lines`, () => {
    expect(quantile(sorted, 0.5)).toBeLessThanOrEqual(MEDIAN);
  });
  it(`nine of ten files have at most ${NINETIETH} lines`, () => {
    expect(quantile(sorted, 0.9)).toBeLessThanOrEqual(NINETIETH);
  });
  it(`no file has more than ${LARGEST} lines`, () => {
    expect(files.filter(({ path, lines }) => lines > LARGEST && !(path in EXCEPTIONS))).toEqual([]);
  });
  it("has no exception that is not needed", () => {
    const long = new Set(files.filter(({ lines }) => lines > LARGEST).map(({ path }) => path));
    expect(Object.keys(EXCEPTIONS).filter((path) => !long.has(path))).toEqual([]);
  });
});
