/**
 * What those who come from other languages write, and what stands here in its place. The lexer and the parser ask where they
 * cannot go on; nothing here changes what a right file means.
 */
import type { IToken } from "./chevrotain.js";

/** Marks of other languages and of mathematics, by character: the mark of this one. */
export const MARKS: Readonly<Record<string, string>> = {
  "^": "**",
  "#": "//",
  "~": "!",
  "×": "*",
  "·": "*",
  "÷": "/",
  "−": "-",
  "–": "-",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "→": "->",
  "⇒": "=>",
};

/** Marks without one that replaces them. */
export const MARK_HELP: Readonly<Record<string, string>> = {
  "?": "`if condition then a else b` chooses",
  "\\": "a line goes on behind an operator, a comma or an open bracket",
};

/** Words that open a statement elsewhere: what opens it here. */
const OPENERS: Readonly<Record<string, string>> = {
  var: "let",
  const: "let",
  mut: "let",
  not: "!",
  lambda: "(q, k) => …",
  for: "fold(i in 0..n, x = start) => …",
  while: "fold(i in 0..n, x = start, until: done) => …",
};

/** Words between two operands elsewhere. */
const BETWEEN: Readonly<Record<string, string>> = { and: "&", or: "|", is: "==" };

/** What is said, and the edit that mends it where one does. */
export interface Foreign {
  readonly wrong: string;
  readonly right: string;
  /** The token that is wrong. */
  readonly token: IToken;
  readonly edit?: { readonly start: number; readonly end: number; readonly text: string };
}

/** Where two words meet that no line of the language puts side by side: the one that is of another language. */
export function foreignPair(before: IToken, token: IToken): Foreign | undefined {
  const here = (of: IToken, text: string) => ({ start: of.startOffset, end: of.endOffset! + 1, text });
  const between = Object.hasOwn(BETWEEN, token.image) ? BETWEEN[token.image] : undefined;
  if (between !== undefined) return { wrong: token.image, right: between, token, edit: here(token, between) };
  if (token.image === "if") return { wrong: "a if condition else b", right: "if condition then a else b", token };
  if (before.image === "return")
    return {
      wrong: `return ${token.image}`,
      right: token.image,
      token: before,
      edit: { start: before.startOffset, end: token.startOffset, text: "" },
    };
  const opener = Object.hasOwn(OPENERS, before.image) ? OPENERS[before.image] : undefined;
  if (opener === undefined) return undefined;
  const edit = /^\w+$/.test(opener) ? here(before, opener) : undefined;
  return { wrong: before.image, right: opener, token: before, ...(edit ? { edit } : {}) };
}

const STAND_BESIDE = "members stand in the declaration, beside its body";
const DECLARED = "`block`, `expert`, `router` and `model` declare modules, `fn` a function: `fn name(x: [D]) => …`";

/** Help for a token where a declaration, a member or a statement should begin. */
const HELP: Readonly<Record<string, string>> = {
  def: DECLARED,
  class: DECLARED,
  function: DECLARED,
  func: DECLARED,
  struct: DECLARED,
  module: DECLARED,
  from: 'names are imported by `import { Name } from "std"`',
  param: STAND_BESIDE,
  use: STAND_BESIDE,
};
const BODY = "a body is written `(x: [T, D]) => …`, one with a name `forward(x: [T, D]) => …`";

/** What helps those who wrote this token where `what` should begin. */
export function foreignHelp(image: string, isMember: boolean): string | undefined {
  if (isMember && (image === "def" || image === "function" || image === "fn" || image === "func")) return BODY;
  return Object.hasOwn(HELP, image) ? HELP[image] : undefined;
}
