/** Code of the language as HTML, coloured by the language's own TextMate grammar. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const CLASSES = [
  [/^comment/, "c"],
  [/^string/, "s"],
  [/^constant/, "n"],
  [/^entity\.name/, "f"],
  [/^(keyword|storage)/, "k"],
  [/^(support|variable\.language)/, "b"],
  [/^entity/, "a"],
];

export const escapeHtml = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** @param {string} grammarFile @returns {Promise<(code: string) => string>} */
export async function highlighter(grammarFile) {
  await oniguruma.loadWASM(readFileSync(createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm")));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: () =>
      Promise.resolve(textmate.parseRawGrammar(readFileSync(grammarFile, "utf8"), "moe.tmLanguage.json")),
  });
  const grammar = await registry.loadGrammar("source.moe");
  return (code) => {
    let stack = textmate.INITIAL;
    const lines = code.split("\n").map((line) => {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
      stack = ruleStack;
      return tokens
        .map(({ startIndex, endIndex, scopes }) => {
          const piece = escapeHtml(line.slice(startIndex, endIndex));
          const scope = [...scopes]
            .reverse()
            .find((one) => one !== "source.moe" && CLASSES.some(([test]) => test.test(one)));
          const name = CLASSES.find(([test]) => test.test(scope ?? ""))?.[1];
          return name ? `<i class="${name}">${piece}</i>` : piece;
        })
        .join("");
    });
    return lines.join("\n");
  };
}
