import { describe, expect, it } from "vitest";
import { catalog } from "../../compiler/errors/index.js";
import { isGenerated, sources } from "../structure/sources.js";

const files = sources(["grammar", "compiler", "runtime", "serve", "cli", "editor"]).filter(
  ({ path }) => !isGenerated(path),
);
const withoutComments = (text: string): string => text.replace(/\/\*[^]*?\*\//g, "").replace(/\/\/.*$/gm, "");

/** Codes that sources name, or whose constructor they call. */
const used = new Map<string, string>();
for (const { path, text } of files) {
  const code = withoutComments(text);
  for (const [name] of code.matchAll(/\bMOE\d{4}\b/g)) used.set(name, path);
  for (const [, name] of code.matchAll(/\berrors\.(\w+)\(/g)) {
    const entry = Object.values(catalog).find((each) => each.name === name);
    if (entry) used.set(entry.code, path);
  }
}

describe("codes", () => {
  it("that are used have a page", () => {
    const known = new Set<string>(Object.keys(catalog));
    expect([...used].filter(([code]) => !known.has(code)).map(([code, path]) => `${code} in ${path}`)).toEqual([]);
  });
  it("that have a page are used", () => {
    expect(Object.keys(catalog).filter((code) => !used.has(code))).toEqual([]);
  });
});
