import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";
import { beforeAll, describe, expect, it } from "vitest";
import { textMateGrammar } from "../../grammar/textmate.js";
import { TOKENS } from "../../grammar/tokens.js";
import { fixtures } from "./fixtures.js";

const generated = new URL("../../grammar/moe.tmLanguage.json", import.meta.url);
let grammar: textmate.IGrammar;

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: () =>
      Promise.resolve(textmate.parseRawGrammar(readFileSync(generated, "utf8"), "moe.tmLanguage.json")),
  });
  grammar = (await registry.loadGrammar("source.moe"))!;
});

/** The innermost scope of each piece of a text. */
function scopes(text: string): readonly (readonly [string, string])[] {
  let stack = textmate.INITIAL;
  return text.split("\n").flatMap((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens
      .map(({ startIndex, endIndex, scopes }) => [line.slice(startIndex, endIndex), scopes.at(-1)!] as const)
      .filter(([piece]) => piece.trim() !== "");
  });
}

describe("the TextMate grammar", () => {
  it("is generated from the token table", () => {
    const written: unknown = JSON.parse(readFileSync(generated, "utf8"));
    expect(written, "run node scripts/generate-grammar.mjs").toEqual(textMateGrammar());
  });

  it("colours every token of every fixture", () => {
    for (const { name, text } of fixtures) {
      const bare = scopes(text).filter(([, scope]) => scope === "source.moe");
      expect(bare, name).toEqual([]);
    }
  });

  it("knows every keyword in its place", () => {
    const seen = new Set(fixtures.flatMap(({ text }) => scopes(text).map(([piece, scope]) => `${piece} ${scope}`)));
    const missing = TOKENS.filter((each) => each.category === "keyword")
      .map((each) => `${each.pattern} ${each.scope}.moe`)
      .filter((each) => !seen.has(each));
    expect(missing).toEqual([]);
  });

  it("leaves contextual words alone where they are names", () => {
    const found = scopes("let a = Attention[D](mask: Causal, state: train) + axis.fold(batch)");
    const keywords = found
      .filter(([, scope]) => /^(?:keyword\.(?!operator)|storage)/.test(scope))
      .map(([piece]) => piece);
    expect(keywords).toEqual(["let"]);
  });

  it("carries a block comment over lines and ends a string with its line", () => {
    expect(scopes('/* a\nb */ let x = "open\nlet y = 10_000 steps')).toMatchInlineSnapshot(`
      [
        [
          "/*",
          "comment.block.moe",
        ],
        [
          " a",
          "comment.block.moe",
        ],
        [
          "b ",
          "comment.block.moe",
        ],
        [
          "*/",
          "comment.block.moe",
        ],
        [
          "let",
          "keyword.other.member.moe",
        ],
        [
          "x",
          "variable.other.member.moe",
        ],
        [
          "=",
          "keyword.operator.moe",
        ],
        [
          """,
          "string.quoted.double.moe",
        ],
        [
          "open",
          "string.quoted.double.moe",
        ],
        [
          "let",
          "keyword.other.member.moe",
        ],
        [
          "y",
          "variable.other.member.moe",
        ],
        [
          "=",
          "keyword.operator.moe",
        ],
        [
          "10_000",
          "constant.numeric.moe",
        ],
        [
          "steps",
          "keyword.other.unit.moe",
        ],
      ]
    `);
  });
});
