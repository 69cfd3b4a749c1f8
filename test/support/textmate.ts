/** The TextMate grammar in VS Code's engine. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRegistryFromGrammars } from "vscode-tmgrammar-test/dist/common/index.js";

const path = fileURLToPath(new URL("../../grammar/moe.tmLanguage.json", import.meta.url));
const content = readFileSync(path, "utf8");

export const registry = createRegistryFromGrammars([{ grammar: { path, scopeName: "source.moe" }, content }]);

/** A part of a line and the innermost scope of it. */
export interface ScopedPiece {
  readonly start: number;
  readonly text: string;
  readonly scope: string;
}

/** The scopes of a text, line by line. */
export async function scopesOf(text: string): Promise<readonly (readonly ScopedPiece[])[]> {
  const grammar = (await registry.loadGrammar("source.moe"))!;
  let stack: ReturnType<typeof grammar.tokenizeLine>["ruleStack"] | null = null;
  return text.split("\n").map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    return tokens.map(({ startIndex, endIndex, scopes }) => ({
      start: startIndex,
      text: line.slice(startIndex, endIndex),
      scope: scopes.at(-1)!,
    }));
  });
}
