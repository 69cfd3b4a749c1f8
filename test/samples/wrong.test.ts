/**
 * Wrong files, one mistake each: the checker says what the comments at the end of the file say, once, at the smallest
 * wrong thing; and what it offers as a fix is one. Files in `several/` have more mistakes than one, and as many errors
 * as their first line says; files in a folder `parts/` are imported by others. `UPDATE_EXPECT=1` rewrites the comments.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import type { Diagnostic, Fix } from "../../compiler/errors/diagnostic.js";
import { catalog } from "../../compiler/errors/index.js";
import { repository, testHost } from "../check/host.js";
import { expectationsOf, sourceOf } from "./expectations.js";

const folder = "test/samples/wrong";
const files = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".moe") && !file.split("/").includes("parts"))
  .sort();

/** The number of mistakes in a file. */
function mistakes(file: string, source: string): number {
  if (!file.startsWith("several/")) return 1;
  const [, count] = /^\/\/ (\d+) mistakes/.exec(source) ?? [];
  expect(count, "the first line says `// 2 mistakes: …`").toBeDefined();
  return Number(count);
}

function edited(text: string, fix: Fix): string {
  const edits = [...fix.edits].sort((a, b) => b.span.start - a.span.start);
  return edits.reduce(
    (current, { span, text: by }) => current.slice(0, span.start) + by + current.slice(span.end),
    text,
  );
}

const codesOf = (diagnostics: readonly Diagnostic[]): readonly string[] => diagnostics.map(({ code }) => code).sort();

describe.each(files)("%s", (file) => {
  const path = `${folder}/${file}`;
  const written = readFileSync(join(repository, path), "utf8");
  const source = sourceOf(written);
  const { diagnostics } = check(path, testHost({ [path]: source }));
  const read = (name: string): string => (name === path ? source : (testHost().read(name) ?? ""));
  const wanted = `${source}\n${expectationsOf(diagnostics, path, read).join("\n")}\n`;
  if (process.env["UPDATE_EXPECT"] === "1" && wanted !== written) writeFileSync(join(repository, path), wanted);

  test("is answered as written", () => {
    expect(process.env["UPDATE_EXPECT"] === "1" ? wanted : written).toBe(wanted);
  });

  test("has one error for each mistake", () => {
    expect(diagnostics, wanted).toHaveLength(mistakes(file, source));
  });

  test("is wrong in ways that have a page", () => {
    expect(diagnostics.map(({ code }) => code).filter((code) => !(code in catalog))).toEqual([]);
  });

  for (const diagnostic of diagnostics) {
    for (const fix of diagnostic.fixes) {
      test(`${diagnostic.code}: ${fix.title}`, () => {
        const after = check(path, testHost({ [path]: edited(source, fix) })).diagnostics;
        const left = [...codesOf(diagnostics)];
        left.splice(left.indexOf(diagnostic.code), 1);
        expect(codesOf(after)).toEqual(left);
      });
    }
  }
});

test("the corpus is not small", () => {
  expect(files.length).toBeGreaterThanOrEqual(60);
});
