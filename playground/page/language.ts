/** Colours of words while the server has not answered yet; its semantic tokens refine them. */
import * as monaco from "monaco-editor/esm/vs/editor/editor.api.js";
import { TOKENS } from "../../grammar/tokens.js";

const KEYWORDS = TOKENS.filter(({ category }) => category === "keyword").map(({ pattern }) => pattern as string);

export function moeLanguage(): void {
  monaco.languages.register({ id: "moe", extensions: [".moe"] });
  monaco.languages.setLanguageConfiguration("moe", {
    comments: { lineComment: "//", blockComment: ["/*", "*/"] },
    brackets: [
      ["{", "}"],
      ["[", "]"],
      ["(", ")"],
    ],
    autoClosingPairs: [
      { open: "{", close: "}" },
      { open: "[", close: "]" },
      { open: "(", close: ")" },
      { open: '"', close: '"', notIn: ["string", "comment"] },
    ],
  });
  monaco.languages.setMonarchTokensProvider("moe", {
    keywords: KEYWORDS,
    tokenizer: {
      root: [
        [/\/\/.*$/, "comment"],
        [/\/\*/, "comment", "@comment"],
        [/"(?:[^"\\]|\\.)*"?/, "string"],
        [/\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/, "number"],
        [/[A-Za-z_]\w*/, { cases: { "@keywords": "keyword", "@default": "identifier" } }],
        [/=>|->|[-+*/%@&|!<>=]+/, "operator"],
      ],
      comment: [
        [/\*\//, "comment", "@pop"],
        [/./, "comment"],
      ],
    },
  });
  const rules = (dark: boolean): monaco.editor.ITokenThemeRule[] => [
    { token: "comment", foreground: dark ? "93a1ac" : "5c6670", fontStyle: "italic" },
    { token: "keyword", foreground: dark ? "c4a7ff" : "6b21a8" },
    { token: "string", foreground: dark ? "a7d28d" : "2f6b1e" },
    { token: "number", foreground: dark ? "f2b27a" : "9a4a00" },
    { token: "class", foreground: dark ? "6fc3ff" : "0b5cad" },
    { token: "typeParameter", foreground: dark ? "5eead4" : "0f766e" },
    { token: "property", foreground: dark ? "f0a6ca" : "9d174d" },
    { token: "function", foreground: dark ? "e6d17a" : "7a5b00" },
    { token: "method", foreground: dark ? "e6d17a" : "7a5b00" },
  ];
  const define = (name: string, base: "vs" | "vs-dark"): void =>
    monaco.editor.defineTheme(name, { base, inherit: true, colors: {}, rules: rules(base === "vs-dark") });
  define("moe-light", "vs");
  define("moe-dark", "vs-dark");
}

export function moeTheme(dark: boolean): string {
  return dark ? "moe-dark" : "moe-light";
}
