import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseGrammarTestCase, runGrammarTestCase } from "vscode-tmgrammar-test/dist/unit/index.js";
import { textMateGrammar } from "../../grammar/textmate.js";
import { TOKENS, type TokenEntry } from "../../grammar/tokens.js";
import { registry, scopesOf } from "../support/textmate.js";
import { fixtures } from "./fixtures.js";

const generated = new URL("../../grammar/moe.tmLanguage.json", import.meta.url);
const tokens: readonly TokenEntry[] = TOKENS;

const folder = new URL("syntax/", import.meta.url);
const cases = readdirSync(folder).map((name) => ({
  name,
  ...parseGrammarTestCase(readFileSync(new URL(name, folder), "utf8")),
}));

describe("the TextMate grammar", () => {
  it("is generated from the token table", () => {
    const written: unknown = JSON.parse(readFileSync(generated, "utf8"));
    expect(written, "run node scripts/generate-grammar.mjs").toEqual(textMateGrammar());
  });

  it("colours every token of every fixture", async () => {
    for (const { name, text } of fixtures) {
      const pieces = (await scopesOf(text)).flat();
      const bare = pieces.filter(({ text, scope }) => text.trim() !== "" && scope === "source.moe");
      expect(bare, name).toEqual([]);
    }
  });

  it.each(cases)("colours $name: $metadata.description", async (test) => {
    expect(await runGrammarTestCase(registry, test)).toEqual([]);
  });

  it("is asked about every keyword, mark and kind of literal", () => {
    const asked = cases.flatMap(({ source, assertions }) =>
      assertions.flatMap(({ sourceLineNumber, scopeAssertions }) =>
        scopeAssertions.map(({ from, to, scopes }) => ({
          text: source[sourceLineNumber]!.slice(from, to),
          scope: scopes[0],
        })),
      ),
    );
    const missing = tokens
      .filter(({ scope, repairs }) => scope !== undefined && repairs === undefined)
      .filter(({ pattern, scope }) => {
        const isAsked = asked.some(
          (each) => each.scope === `${scope}.moe` && (typeof pattern !== "string" || each.text === pattern),
        );
        return !isAsked;
      });
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});
