/**
 * Bracket matching before parsing. A bracket that is never closed gets its one error here, and a closing token of no
 * width where it most likely belongs, so that the parser always sees closed groups and one lost bracket stays one error.
 *
 * Three facts of the language find the place: a declaration word followed by a name opens a declaration wherever it
 * stands; `param`, `use`, `let`, `assert` never occur inside parentheses; and `=>` follows a closed parenthesis.
 */
import { createTokenInstance, tokenMatcher, type TokenType } from "./chevrotain.js";
import type { Diagnostic } from "../compiler/errors/diagnostic.js";
import { replace, syntaxError } from "./errors.js";
import { ContractWord, Infix, ModeWord, T, type MoeToken } from "./lexer.js";
import type { Span } from "./tree.js";

const CLOSER = new Map<TokenType, TokenType>([
  [T.LParen, T.RParen],
  [T.LBracket, T.RBracket],
  [T.LBrace, T.RBrace],
]);
const CLOSERS = new Set<TokenType>(CLOSER.values());
const MEMBER_WORDS = new Set<TokenType>([T.State, T.Stack, T.Axis, T.Schedule, T.Grad, T.Weights]);
const NEVER_GROUPED = new Set<TokenType>([T.Param, T.Use, T.Let, T.Assert, T.Import]);

/** Behind a reserved word these show that it was meant as a name. */
const NAMES_ONLY = new Set<TokenType>([T.Colon, T.Equal, T.Comma, T.RParen, T.RBracket]);

interface Frame {
  readonly open: MoeToken;
  /** Column of the first token on the line of the opening bracket. */
  readonly indent: number;
  /** A parenthesis was closed inside since the last comma, so that `=>` may follow. */
  parenthesis: boolean;
}

interface Insertion {
  readonly open: MoeToken;
  /** Index of the token before which the closing bracket goes. */
  readonly before: number;
}

export interface Repaired {
  readonly tokens: MoeToken[];
  readonly diagnostics: readonly Diagnostic[];
  /** Where a guess was made: the parser's own complaints there would say the same thing twice. */
  readonly quiet: readonly Span[];
}

/** Pairs the brackets of `tokens` and closes those which are left open. */
export function matchBrackets(tokens: MoeToken[], file: string): Repaired {
  for (const token of tokens) token.boundary = opensDeclaration(token, tokens[token.index + 1], false);
  if (pairBalanced(tokens)) return { tokens, diagnostics: [], quiet: [] };
  for (const token of tokens) token.partner = undefined;
  const plain = new Matcher(tokens, file, false);
  plain.run();
  if (!plain.leftBraceOpen) return plain.result();
  // Some brace is missing: let indentation say which one.
  for (const token of tokens) {
    token.partner = undefined;
    token.boundary = opensDeclaration(token, tokens[token.index + 1], true);
  }
  const careful = new Matcher(tokens, file, true);
  careful.run();
  return careful.result();
}

/** Pairs brackets that match as they stand; the guesses below are for files where they do not. */
function pairBalanced(tokens: readonly MoeToken[]): boolean {
  const open: MoeToken[] = [];
  for (const token of tokens) {
    if (CLOSER.has(token.tokenType)) open.push(token);
    else if (CLOSERS.has(token.tokenType)) {
      const last = open.pop();
      if (last === undefined || CLOSER.get(last.tokenType) !== token.tokenType) return false;
      last.partner = token;
      token.partner = last;
    }
  }
  return open.length === 0;
}

function opensDeclaration(token: MoeToken, next: MoeToken | undefined, careful: boolean): boolean {
  if (!token.first || next === undefined || next.first) return false;
  if (token.tokenType === T.Test) return tokenMatcher(next, T.String);
  // A schedule is also a member: only where braces are missing does one at the margin count as a declaration.
  if (token.tokenType === T.Schedule) return careful && token.startColumn === 1 && tokenMatcher(next, T.Identifier);
  return tokenMatcher(token, ContractWord) && tokenMatcher(next, T.Identifier);
}

class Matcher {
  private readonly frames: Frame[] = [];
  private readonly insertions: Insertion[] = [];
  private readonly diagnostics: Diagnostic[] = [];
  private readonly brokenLines = new Set<number>();
  private readonly virtualEnd = new Map<MoeToken, number>();
  leftBraceOpen = false;

  constructor(
    private readonly tokens: readonly MoeToken[],
    private readonly file: string,
    private readonly byIndent: boolean,
  ) {
    for (const token of tokens) {
      if (token.tokenType === T.OpenString) this.brokenLines.add(token.startLine!);
    }
  }

  run(): void {
    let indent = 1;
    for (const token of this.tokens) {
      if (token.first) indent = token.startColumn!;
      if (token.boundary === true) this.closeAll(token);
      this.closeGroups(token);
      if (CLOSER.has(token.tokenType)) this.frames.push({ open: token, indent, parenthesis: false });
      else if (token.tokenType === T.RBrace) this.closeBrace(token);
      else if (CLOSERS.has(token.tokenType)) this.closeGroup(token);
      else if (token.tokenType === T.Comma && this.frames.length > 0) this.frames.at(-1)!.parenthesis = false;
    }
    while (this.frames.length > 0) this.leaveOpen(this.tokens.length);
  }

  result(): Repaired {
    if (this.insertions.length === 0) return { tokens: [...this.tokens], diagnostics: this.diagnostics, quiet: [] };
    const tokens: MoeToken[] = [];
    const quiet: Span[] = [];
    const sorted = this.insertions.map((insertion, order) => ({ ...insertion, order }));
    sorted.sort((a, b) => a.before - b.before || a.order - b.order);
    let next = 0;
    for (let i = 0; i <= this.tokens.length; i += 1) {
      for (; sorted[next]?.before === i; next += 1) {
        const { open } = sorted[next]!;
        const close = this.closing(open, tokens.at(-1)!);
        tokens.push(close);
        quiet.push({ start: open.startOffset, end: (this.tokens[i]?.endOffset ?? close.startOffset) + 1 });
      }
      const token = this.tokens[i];
      if (token !== undefined) tokens.push(token);
    }
    tokens.forEach((token, index) => (token.index = index));
    return { tokens, diagnostics: this.diagnostics, quiet };
  }

  /** A closing bracket of no width right behind `previous`. */
  private closing(open: MoeToken, previous: MoeToken): MoeToken {
    const at = previous.endOffset! + 1;
    const type = CLOSER.get(open.tokenType)!;
    const made = createTokenInstance(
      type,
      "",
      at,
      at - 1,
      previous.endLine!,
      previous.endLine!,
      previous.endColumn!,
      previous.endColumn!,
    );
    const close: MoeToken = Object.assign(made, { index: 0, first: false, partner: open, boundary: false });
    open.partner = close;
    return close;
  }

  /** Words and marks that cannot stand inside the parentheses which are open now close them. */
  private closeGroups(token: MoeToken): void {
    let top = this.frames.at(-1);
    if (top === undefined || top.open.tokenType === T.LBrace) return;
    const previous = this.tokens[token.index - 1]!;
    const next = this.tokens[token.index + 1];
    const startsMember =
      (NEVER_GROUPED.has(token.tokenType) && next !== undefined && !NAMES_ONLY.has(next.tokenType)) ||
      (token.first && MEMBER_WORDS.has(token.tokenType) && next !== undefined && tokenMatcher(next, T.Identifier));
    if (startsMember) {
      while (top !== undefined && top.open.tokenType !== T.LBrace) {
        this.leaveOpen(token.index);
        top = this.frames.at(-1);
      }
    } else if (token.tokenType === T.FatArrow && previous.tokenType !== T.RParen && !top.parenthesis) {
      this.leaveOpen(token.index);
    } else if (token.tokenType === T.LBrace && endsOperand(previous)) {
      this.leaveOpen(token.index);
    }
  }

  private closeAll(token: MoeToken): void {
    while (this.frames.length > 0) this.leaveOpen(token.index);
  }

  private closeBrace(token: MoeToken): void {
    if (!this.frames.some((frame) => frame.open.tokenType === T.LBrace)) return;
    while (this.frames.at(-1)!.open.tokenType !== T.LBrace) this.leaveOpen(token.index);
    if (this.byIndent && token.first) {
      const column = token.startColumn!;
      const outer = this.frames.some((frame) => frame.open.tokenType === T.LBrace && frame.indent === column);
      while (outer && this.frames.at(-1)!.indent > column) this.leaveOpen(token.index);
    }
    this.pair(this.frames.pop()!.open, token);
  }

  private closeGroup(token: MoeToken): void {
    const wants = [...CLOSER].find(([, closer]) => closer === token.tokenType)![0];
    let depth = this.frames.length - 1;
    while (depth >= 0 && this.frames[depth]!.open.tokenType !== wants) {
      const { open } = this.frames[depth]!;
      // A brace opened on an earlier line is not given up for a stray `)`.
      if (open.tokenType === T.LBrace && open.startLine !== token.startLine) return this.strayClose(token);
      depth -= 1;
    }
    if (depth < 0) return this.strayClose(token);
    while (this.frames.length - 1 > depth) this.leaveOpen(token.index);
    this.pair(this.frames.pop()!.open, token);
    const outer = this.frames.at(-1);
    if (outer !== undefined && token.tokenType === T.RParen) outer.parenthesis = true;
  }

  /** `x[D)`: the wrong closing bracket for the innermost group; any other stray one is the parser's to report. */
  private strayClose(token: MoeToken): void {
    const top = this.frames.at(-1);
    if (top === undefined || top.open.tokenType === T.LBrace || top.open.startLine !== token.startLine) return;
    const right = CLOSER.get(top.open.tokenType)!;
    const text = right.LABEL ?? right.name;
    const span = { file: this.file, start: token.startOffset, end: token.endOffset! + 1 };
    this.diagnostics.push(
      syntaxError("MOE1001", { expected: text, found: `\`${token.image}\`` }, span, {
        fixes: replace(`Write ${text}`, span, text.slice(1, -1)),
      }),
    );
    token.tokenType = right;
    token.tokenTypeIdx = right.tokenTypeIdx!;
    this.pair(this.frames.pop()!.open, token);
  }

  private pair(open: MoeToken, close: MoeToken): void {
    open.partner = close;
    close.partner = open;
  }

  /** Gives up on the innermost bracket: one error at it, and a closing one where its line (or its group) ends. */
  private leaveOpen(limit: number): void {
    const { open } = this.frames.pop()!;
    const before = open.tokenType === T.LBrace ? limit : this.endOfGroup(open, limit);
    this.virtualEnd.set(open, before);
    this.insertions.push({ open, before });
    if (this.brokenLines.has(open.startLine!)) return;
    if (open.tokenType === T.LBrace) this.leftBraceOpen = true;
    const at = this.tokens[before - 1]!.endOffset! + 1;
    const place = { file: this.file, start: at, end: at };
    const closer = CLOSER.get(open.tokenType)!.LABEL!;
    const span = { file: this.file, start: open.startOffset, end: open.startOffset + 1 };
    this.diagnostics.push(
      syntaxError("MOE1004", { bracket: open.image }, span, {
        labels: [{ span: place, text: `${closer} may belong here` }],
        fixes: replace(`Close it with ${closer}`, place, open.tokenType === T.LBrace ? "\n}" : closer.slice(1, -1)),
      }),
    );
  }

  private endOfGroup(open: MoeToken, limit: number): number {
    for (let i = open.index + 1; i < limit; i += 1) {
      const token = this.tokens[i]!;
      const inner =
        token.partner !== undefined && token.partner.index > i ? token.partner.index : this.virtualEnd.get(token);
      if (inner !== undefined) i = this.virtualEnd.has(token) ? Math.max(i, inner - 1) : inner;
      const last = this.tokens[i]!;
      const next = this.tokens[i + 1];
      if (i + 1 >= limit) return limit;
      if (next!.first && !continues(last) && !continues(next!)) return i + 1;
    }
    return limit;
  }
}

/** A line does not end behind this token, or does not start with it. */
function continues(token: MoeToken): boolean {
  const type = token.tokenType;
  return (
    tokenMatcher(token, Infix) ||
    CLOSER.has(type) ||
    type === T.Comma ||
    type === T.Colon ||
    type === T.Equal ||
    type === T.FatArrow ||
    type === T.Dot
  );
}

/** `{` directly behind an operand is no expression: the group around the operand was meant to end before it. */
function endsOperand(token: MoeToken): boolean {
  const type = token.tokenType;
  if (type === T.Number || type === T.RParen || type === T.RBracket) return true;
  return tokenMatcher(token, T.Identifier) && !tokenMatcher(token, ModeWord);
}
