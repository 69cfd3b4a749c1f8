/** Code of the language as HTML, coloured by the language's own TextMate grammar. */
import { readFileSync } from "node:fs";
import { createHighlighterCore } from "@shikijs/core";
import { createJavaScriptRegexEngine } from "@shikijs/engine-javascript";

/** Colours are variables of the page's style sheet, which has a light and a dark value for each. */
const THEME = {
  name: "page",
  type: "light",
  fg: "var(--ink)",
  bg: "transparent",
  settings: Object.entries({
    "--quiet": ["comment"],
    "--s": ["string"],
    "--n": ["constant"],
    "--k": ["keyword", "storage"],
    "--accent": ["entity.name"],
    "--b": ["support", "variable.language"],
  }).map(([variable, scope]) => ({ scope, settings: { foreground: `var(${variable})` } })),
};

export const escapeHtml = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);

/** @param {string} grammarFile @returns {Promise<(code: string) => string>} */
export async function highlighter(grammarFile) {
  const shiki = await createHighlighterCore({
    langs: [JSON.parse(readFileSync(grammarFile, "utf8"))],
    themes: [THEME],
    engine: createJavaScriptRegexEngine(),
  });
  return (code) =>
    shiki
      .codeToTokensBase(code, { lang: "moe", theme: "page" })
      .map((line) =>
        line
          .map(({ content, color }) =>
            color === undefined || color === THEME.fg
              ? escapeHtml(content)
              : `<i style="color:${color}">${escapeHtml(content)}</i>`,
          )
          .join(""),
      )
      .join("\n");
}
