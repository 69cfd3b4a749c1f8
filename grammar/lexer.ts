/**
 * Text to tokens: the chevrotain lexer built from the token table, plus what the parser wants to know of each token
 * (its index, whether it opens a line) and the errors that are visible without a grammar.
 */
import { Lexer, createToken, type IToken, type TokenType } from "./chevrotain.js";
import type { Diagnostic, SourceSpan } from "../compiler/errors/diagnostic.js";
import { replace, syntaxError } from "./errors.js";
import { MARK_HELP, MARKS } from "./foreign.js";
import { readEscapes } from "./strings.js";
import { isBinaryOperator } from "./precedence.js";
import { DECLARATION_WORDS, TOKENS, type TokenEntry, type TokenName } from "./tokens.js";
import type { Comment } from "./tree.js";

/** A token with what bracket matching and newline rules need. */
export interface MoeToken extends IToken {
  index: number;
  /** No other token stands before it on its line. */
  first: boolean;
  /** The bracket that closes or opens this one. */
  partner: MoeToken | undefined;
  /** Opens a declaration, wherever it stands: error recovery never skips over it. */
  boundary: boolean;
}

const MODES = new Set<string>(["Train", "Infer", "Prefill", "Decode"]);

/** Any binary operator, and `->`, `..` and `of`, which combine two expressions just the same. */
export const Infix = createToken({ name: "Infix", pattern: Lexer.NA });
/** `train`, `infer`, `prefill`, `decode`. */
export const ModeWord = createToken({ name: "ModeWord", pattern: Lexer.NA });
/** `expert`, `router`, …: a word that opens a declaration, and `test`. */
export const ContractWord = createToken({ name: "ContractWord", pattern: Lexer.NA });

function buildTokens(): Record<TokenName, TokenType> {
  const built = {} as Record<TokenName, TokenType>;
  const identifier = TOKENS.find((entry) => entry.name === "Identifier")!;
  built.Identifier = createToken({ name: "Identifier", pattern: identifier.pattern });
  // A token that repairs another is matched as that other one, so the repaired ones are built first.
  const entries: readonly TokenEntry[] = TOKENS;
  for (const entry of [
    ...entries.filter((e) => e.repairs === undefined),
    ...entries.filter((e) => e.repairs !== undefined),
  ]) {
    if (entry.name === "Identifier") continue;
    const categories: TokenType[] = [];
    if (entry.category === "keyword" && entry.reserved !== true) categories.push(built.Identifier);
    if (MODES.has(entry.name)) categories.push(ModeWord);
    if (DECLARATION_WORDS.includes(entry.pattern as string)) categories.push(ContractWord);
    if (entry.category === "operator" && typeof entry.pattern === "string") {
      const joins = isBinaryOperator(entry.pattern) || entry.name === "Arrow" || entry.name === "Range";
      if (joins || entry.repairs !== undefined) categories.push(Infix);
    }
    if (entry.name === "Of") categories.push(Infix);
    const spaced = entry.category === "comment" ? "comments" : entry.category === "space" ? Lexer.SKIPPED : undefined;
    if (entry.repairs === "String") categories.push(built.String);
    built[entry.name as TokenName] = createToken({
      name: entry.name,
      pattern: entry.pattern,
      categories,
      ...(typeof entry.pattern === "string" ? { label: `\`${entry.pattern}\`` } : {}),
      ...(entry.category === "keyword" ? { longer_alt: built.Identifier } : {}),
      ...(spaced === undefined ? {} : { group: spaced }),
      ...(entry.name === "BlockComment" || entry.name === "OpenComment" || entry.name === "Space"
        ? { line_breaks: true }
        : {}),
    });
  }
  return built;
}

/** The chevrotain token of every entry of the table. */
export const T: Readonly<Record<TokenName, TokenType>> = buildTokens();

/** All token types the parser can meet, categories included. */
export const VOCABULARY: readonly TokenType[] = [
  Infix,
  ModeWord,
  ContractWord,
  ...TOKENS.map((entry) => T[entry.name]),
];

/** Longer words first: `as` must not cut `assert` short. */
function lexingOrder(): TokenType[] {
  const width = (entry: TokenEntry) => (entry.category === "keyword" ? String(entry.pattern).length : 0);
  const words = TOKENS.filter((entry) => entry.category === "keyword").sort((a, b) => width(b) - width(a));
  const firstWord = TOKENS.findIndex((entry) => entry.category === "keyword");
  const others = TOKENS.filter((entry) => entry.category !== "keyword");
  return [...others.slice(0, firstWord), ...words, ...others.slice(firstWord)].map((entry) => T[entry.name]);
}

const lexer = new Lexer(lexingOrder(), {
  positionTracking: "full",
  ensureOptimizations: false,
  skipValidations: true,
  recoveryEnabled: true,
});

/** As chevrotain's own, with room for what is found out later: an object that grows is made twice. */
function makeToken(
  image: string,
  startOffset: number,
  tokenTypeIdx: number,
  tokenType: TokenType,
  startLine: number,
  startColumn: number,
  length: number,
): MoeToken {
  return {
    image,
    startOffset,
    endOffset: startOffset + length - 1,
    startLine,
    endLine: startLine,
    startColumn,
    endColumn: startColumn + length - 1,
    tokenTypeIdx,
    tokenType,
    index: -1,
    first: false,
    partner: undefined,
    boundary: false,
  };
}
(lexer as unknown as { createTokenInstance: typeof makeToken }).createTokenInstance = makeToken;

/** Tokens that may be wrong by themselves. */
const CHECKED = new Set([T.OpenString, T.SingleQuoted, T.DoubleAmp, T.DoubleBar, T.String, T.Number]);

export interface LexResult {
  readonly tokens: MoeToken[];
  readonly comments: readonly Comment[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Splits `text` into tokens and comments. Never throws. */
export function lex(text: string, file: string): LexResult {
  const raw = lexer.tokenize(text);
  const diagnostics: Diagnostic[] = [];
  const at = (start: number, end: number) => ({ file, start, end });
  for (const { offset, length } of raw.errors) diagnostics.push(unknownText(text, at(offset, offset + length)));
  const comments: Comment[] = (raw.groups["comments"] ?? []).map((token) => {
    const comment = toComment(token);
    if (token.tokenType === T.OpenComment) {
      diagnostics.push(
        syntaxError("MOE1006", {}, at(comment.span.start, comment.span.start + 2), {
          fixes: replace("Close the comment", at(comment.span.end, comment.span.end), " */"),
        }),
      );
    }
    return comment;
  });
  const tokens: MoeToken[] = [];
  let line = -1;
  for (const token of raw.tokens) {
    const last = tokens.at(-1);
    if (
      last !== undefined &&
      last.tokenType === T.Number &&
      token.startOffset === last.endOffset! + 1 &&
      isWordOrNumber(token)
    ) {
      glueBadNumber(last, token, text, file, diagnostics);
      continue;
    }
    if (CHECKED.has(token.tokenType)) checkToken(token, at, diagnostics);
    const kept = token as MoeToken;
    kept.index = tokens.length;
    kept.first = kept.startLine !== line;
    tokens.push(kept);
    line = kept.endLine!;
  }
  return { tokens, comments, diagnostics };
}

/** What no token begins with: a mark of another language, or none at all. */
function unknownText(text: string, span: SourceSpan): Diagnostic {
  const unknown = text.slice(span.start, span.end);
  const [wrong = ""] = unknown;
  const right = MARKS[wrong];
  const help = MARK_HELP[wrong];
  if (right === undefined)
    return syntaxError("MOE1007", { text: shorten(unknown) }, span, help === undefined ? {} : { help });
  const first = { ...span, end: span.start + wrong.length };
  return syntaxError("MOE1012", { right, wrong }, first, { fixes: replace(`Write \`${right}\``, first, right) });
}

function isWordOrNumber(token: IToken): boolean {
  return /^[A-Za-z_0-9]/.test(token.image);
}

/** `12abc` and `1e` are one wrong number, not a number and a name. */
function glueBadNumber(last: MoeToken, token: IToken, text: string, file: string, diagnostics: Diagnostic[]): void {
  last.endOffset = token.endOffset!;
  const previous = diagnostics.at(-1);
  if (previous?.code === "MOE1008" && previous.span.start === last.startOffset) diagnostics.pop();
  const span = { file, start: last.startOffset, end: token.endOffset! + 1 };
  diagnostics.push(syntaxError("MOE1008", { text: shorten(text.slice(span.start, span.end)) }, span));
}

function checkToken(
  token: IToken,
  at: (start: number, end: number) => Diagnostic["span"],
  diagnostics: Diagnostic[],
): void {
  const span = at(token.startOffset, token.endOffset! + 1);
  if (token.tokenType === T.OpenString) {
    const fixes = replace("Close the string", at(span.end, span.end), '"');
    diagnostics.push(syntaxError("MOE1005", {}, at(span.start, span.start + 1), { fixes }));
  } else if (token.tokenType === T.SingleQuoted) {
    const text = JSON.stringify(token.image.slice(1, -1));
    diagnostics.push(
      syntaxError("MOE1012", { right: '"', wrong: token.image.charAt(0) }, span, {
        fixes: replace("Use double quotes", span, text),
      }),
    );
  } else if (token.tokenType === T.DoubleAmp || token.tokenType === T.DoubleBar) {
    const right = token.image.charAt(0);
    diagnostics.push(
      syntaxError("MOE1012", { right, wrong: token.image }, span, {
        fixes: replace(`Write \`${right}\``, span, right),
      }),
    );
  } else if (token.tokenType === T.String) {
    for (const bad of readEscapes(token.image.slice(1, -1)).bad) {
      const start = span.start + 1 + bad.start;
      diagnostics.push(syntaxError("MOE1009", { text: bad.text }, at(start, start + bad.text.length)));
    }
  } else if (token.tokenType === T.Number && !Number.isFinite(Number(token.image.replaceAll("_", "")))) {
    diagnostics.push(
      syntaxError("MOE1008", { text: shorten(token.image) }, span, { help: "the number is too large for 64 bits" }),
    );
  }
}

function toComment(token: IToken): Comment {
  const span = { start: token.startOffset, end: token.endOffset! + 1 };
  const image = token.image;
  if (token.tokenType === T.DocComment) return { kind: "comment", style: "doc", text: image.slice(3).trimEnd(), span };
  if (token.tokenType === T.LineComment)
    return { kind: "comment", style: "line", text: image.slice(2).trimEnd(), span };
  const closed = token.tokenType === T.BlockComment;
  return { kind: "comment", style: "block", text: closed ? image.slice(2, -2) : image.slice(2), span };
}

/** Keeps a message on one line however long the wrong text is. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 40 ? `${line.slice(0, 37)}…` : line;
}
