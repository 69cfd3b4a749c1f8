/**
 * Both examples of every error page that are written in the language: the wrong one gives the code of the page and no
 * other, the fixed one gives nothing. Examples in other languages (a command, a file of another kind) are for people.
 */
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { check, type SourceHost } from "../../compiler/1-check/index.js";
import { catalog, renderDiagnostics, type CatalogExample } from "../../compiler/errors/index.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = "example/main.moe";

function hostOf(examples: readonly CatalogExample[]): SourceHost {
  const texts = new Map(examples.map(({ file, text }, i) => [i === 0 ? MAIN : `example/${file ?? ""}`, text]));
  return {
    read: (file) => texts.get(file) ?? (existsSync(root + file) ? readFileSync(root + file, "utf8") : undefined),
    resolve: (from, specifier) => (specifier === "std" ? "stdlib/std.moe" : posix.join(posix.dirname(from), specifier)),
  };
}

/** Codes that an example gives, each once, and their text for the message of a failing test. */
function diagnose(examples: readonly CatalogExample[]): { readonly codes: readonly string[]; readonly text: string } {
  const host = hostOf(examples);
  const { diagnostics } = check(MAIN, host);
  return {
    codes: [...new Set(diagnostics.map(({ code }) => code))],
    text: renderDiagnostics(diagnostics, (file) => host.read(file)),
  };
}

const isMoe = (examples: readonly CatalogExample[]): boolean => examples[0]?.language === "moe";
const entries = Object.values(catalog);

describe("wrong examples give their code and no other", () => {
  it.each(entries.filter(({ wrong }) => isMoe(wrong)))("$code $title", ({ code, wrong }) => {
    const { codes, text } = diagnose(wrong);
    expect(codes, text).toEqual([code]);
  });
});

describe("fixed examples give nothing", () => {
  it.each(entries.filter(({ fixed }) => isMoe(fixed)))("$code $title", ({ fixed }) => {
    const { codes, text } = diagnose(fixed);
    expect(codes, text).toEqual([]);
  });
});

describe("the pages", () => {
  it("show the language on both sides or on none", () => {
    expect(entries.filter(({ wrong, fixed }) => isMoe(wrong) !== isMoe(fixed)).map(({ code }) => code)).toEqual([]);
  });
  it("show the language for every error of syntax", () => {
    const syntax = entries.filter(({ code }) => code.startsWith("MOE1"));
    expect(syntax.filter(({ wrong }) => !isMoe(wrong)).map(({ code }) => code)).toEqual([]);
  });
});
