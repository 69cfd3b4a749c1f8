/**
 * What every grammar rule leans on: spans, newline rules, and error recovery.
 *
 * Recovery is our own rather than chevrotain's follow sets, because most keywords are also names and every follow set
 * would match everywhere. Three means, in order: `expect` repairs one token in place; `within` skips to the closing
 * bracket of a group; `skipItem` skips to the next statement, member or declaration. Brackets are already matched.
 */
import { tokenMatcher, type IToken, type ParserMethod, type TokenType } from "../chevrotain.js";
import type { Diagnostic, SourceSpan } from "../../compiler/errors/diagnostic.js";
import { replace, syntaxError, type SyntaxCode, type SyntaxExtras } from "../errors.js";
import { Infix, T, VOCABULARY, shorten, type MoeToken } from "../lexer.js";
import { closest } from "../../compiler/errors/closest.js";
import type { ErrorExpression, Identifier, Span } from "../tree.js";
import { GrammarEngine, UNEXPECTED } from "./engine.js";

/** How deep expressions and types may nest: far above any reader's patience, well below the stack. */
export const NESTING_LIMIT = 64;

/** Thrown where a rule cannot go on; caught by the nearest place that can skip. */
export class SyntaxFailure extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

/** What one parse works on. */
export interface ParseInput {
  readonly text: string;
  readonly file: string;
  readonly tokens: MoeToken[];
  /** Doc text by the offset of the token it stands above. */
  readonly docs: ReadonlyMap<number, string>;
}

/** What a form looks like whose middle is missing. */
const EXPECTED_HELP = new Map<TokenType, string>([
  [T.Then, "`if` is an expression: `if condition then a else b`"],
  [T.Else, "both branches are needed: `if condition then a else b`"],
]);

/** Marks that are easily typed for one another. */
const CONFUSED = new Map<TokenType, readonly TokenType[]>([
  [T.Colon, [T.Equal, T.Arrow, T.FatArrow]],
  [T.Equal, [T.Colon, T.EqualEqual, T.FatArrow]],
  [T.FatArrow, [T.Arrow, T.Equal, T.Colon, T.GreaterEqual]],
  [T.Comma, [T.Semicolon, T.Dot]],
]);

/** From the beginning of a token to the end of it, or of a later one. */
export function across(first: IToken, last = first): Span {
  return { start: first.startOffset, end: last.endOffset! + 1 };
}

export function identifierFrom(token: IToken): Identifier {
  return { kind: "identifier", text: token.image, span: across(token) };
}

export abstract class BaseParser extends GrammarEngine {
  protected source: ParseInput = { text: "", file: "", tokens: [], docs: new Map() };
  protected diagnostics: Diagnostic[] = [];
  /** True inside parentheses and brackets, where line ends mean nothing. */
  protected loose = false;
  private depth = 0;
  /** Counts statements, members and declarations: the first error of each is reported, the rest are its echo. */
  private region = 0;
  private brokenRegion = -1;

  protected constructor() {
    super([...VOCABULARY], { recoveryEnabled: false, maxLookahead: 1, skipValidations: true });
  }

  /** Starts over with another file. */
  protected begin(source: ParseInput): void {
    this.source = source;
    this.input = source.tokens;
    this.diagnostics = [];
    this.loose = false;
    this.depth = 0;
    this.region = 0;
    this.brokenRegion = -1;
  }

  // ---- looking ----

  protected is(type: TokenType, ahead = 1): boolean {
    return tokenMatcher(this.LA(ahead), type);
  }

  /** Spares the cost of an optional part in the innermost rules. Always true while chevrotain records the grammar. */
  protected mayStart(first: TokenType, second?: TokenType, third?: TokenType): boolean {
    if (this.RECORDING_PHASE) return true;
    const token = this.LA(1);
    if (tokenMatcher(token, first) || (second && tokenMatcher(token, second))) return true;
    return third !== undefined && tokenMatcher(token, third);
  }

  protected next(): MoeToken {
    return this.LA(1) as MoeToken;
  }

  protected atEnd(): boolean {
    return Number.isNaN(this.LA(1).startOffset);
  }

  /** The next token opens a line, and line ends count here. */
  protected onNewLine(ahead = 1): boolean {
    return !this.loose && (this.LA(ahead) as MoeToken).first;
  }

  protected sameLine(ahead: number): boolean {
    return !(this.LA(ahead) as MoeToken).first;
  }

  /** The token behind the group that the next token opens. */
  protected afterGroup(): MoeToken | undefined {
    const partner = this.next().partner;
    return partner === undefined ? undefined : this.source.tokens[partner.index + 1];
  }

  protected startsExpression(): boolean {
    return EXPRESSION_STARTS.has(this.LA(1).tokenType);
  }

  protected startsType(): boolean {
    return this.is(T.Identifier) || this.is(T.LBracket) || this.is(T.LParen);
  }

  // ---- spans ----

  protected start(): number {
    const offset = this.LA(1).startOffset;
    return Number.isNaN(offset) ? this.source.text.length : offset;
  }

  protected lastEnd(): number {
    const end = this.LA(0).endOffset;
    return end === undefined || Number.isNaN(end) ? 0 : end + 1;
  }

  protected span(start: number): Span {
    return { start, end: Math.max(start, this.lastEnd()) };
  }

  protected doc(start: number): { doc?: string } {
    const doc = this.source.docs.get(start);
    return doc === undefined ? {} : { doc };
  }

  // ---- errors ----

  /** From here on errors belong to another statement, member or declaration. */
  protected newRegion(): void {
    this.region += 1;
  }

  protected report(diagnostic: Diagnostic): void {
    if (this.brokenRegion === this.region) return;
    this.brokenRegion = this.region;
    this.diagnostics.push(diagnostic);
  }

  private reportFailure(error: Error): void {
    const failure = error instanceof SyntaxFailure ? error : this.expected("something else");
    this.report(failure.diagnostic);
  }

  /** An error was reported in this statement, member or declaration. */
  protected brokenHere(): boolean {
    return this.brokenRegion === this.region;
  }

  /** The place of the next token, or the end of the last one where a line or the file is over. */
  protected here(): SourceSpan {
    const token = this.next();
    const file = this.source.file;
    if (this.atEnd() || token.first || token.image === "") return { file, start: this.lastEnd(), end: this.lastEnd() };
    return this.placeOf(token);
  }

  /** The same, with the file that it is in. */
  protected placeOf(first: IToken, last = first): SourceSpan {
    return { file: this.source.file, ...across(first, last) };
  }

  protected found(): string {
    if (this.atEnd()) return "the end of the file";
    const token = this.next();
    if (token.image === "") return "the end of the line";
    return token.first && !this.loose ? `\`${shorten(token.image)}\` on the next line` : `\`${shorten(token.image)}\``;
  }

  protected failure(
    code: SyntaxCode,
    slots: Record<string, string | number>,
    extras?: SyntaxExtras,
    span?: SourceSpan,
  ): SyntaxFailure {
    return new SyntaxFailure(syntaxError(code, slots, span ?? this.here(), extras));
  }

  protected expected(what: string): SyntaxFailure {
    return this.failure("MOE1003", { what, found: this.found() });
  }

  /** An expression that stands for what could not be read. */
  protected errorExpression(start: number): ErrorExpression {
    return { kind: "error", span: { start: Math.min(start, this.lastEnd()), end: this.lastEnd() } };
  }

  // ---- consuming ----

  /**
   * Consumes a `type`, repairing one wrong token: a near miss of the keyword, a mark confused with another, one stray
   * token before the right one, or, where `plausible` says that the rest goes on as if nothing were missing, none at all.
   */
  protected expect(index: number, type: TokenType, plausible?: () => boolean): IToken {
    if (!this.RECORDING_PHASE && !tokenMatcher(this.LA(1), type)) return this.repair(type, plausible);
    return this.consume(index, type);
  }

  /** Consumes the next token, whatever it is; chevrotain's own skip answers with the one behind it. */
  private take(): IToken {
    const token = this.LA(1);
    this.SKIP_TOKEN();
    return token;
  }

  private repair(type: TokenType, plausible?: () => boolean): IToken {
    const label = type.LABEL ?? "a name";
    const help = EXPECTED_HELP.get(type);
    const failure = this.failure(
      "MOE1001",
      { expected: label, found: this.found() },
      help === undefined ? {} : { help },
    );
    const token = this.next();
    const word = label.slice(1, -1);
    const span = failure.diagnostic.span;
    const onLine = !this.atEnd() && !token.first && token.image !== "";
    const withFix = (title: string, text: string) =>
      this.report({ ...failure.diagnostic, fixes: replace(title, span, text) });
    if (onLine && tokenMatcher(token, T.Identifier) && closest(token.image, [word]).length > 0) {
      withFix(`Write ${label}`, word);
      return this.take();
    }
    if (onLine && CONFUSED.get(type)?.includes(token.tokenType) === true) {
      withFix(`Write ${label}`, word);
      return this.take();
    }
    if (onLine && token.partner === undefined && tokenMatcher(this.LA(2), type) && this.sameLine(2)) {
      withFix("Remove it", "");
      this.SKIP_TOKEN();
      return this.take();
    }
    if (plausible?.() === true) {
      const at = { file: span.file, start: span.start, end: span.start };
      this.report({
        ...failure.diagnostic,
        fixes: type.LABEL === undefined ? [] : replace(`Insert ${label}`, at, `${word} `),
      });
      return { ...token, tokenType: type, image: "", startOffset: this.lastEnd(), endOffset: this.lastEnd() - 1 };
    }
    throw failure;
  }

  /** One level deeper: gives up with a coded error before the stack does. Whoever comes here goes back by `ascend`. */
  protected descend(): void {
    if (this.depth >= NESTING_LIMIT) throw this.failure("MOE1010", { limit: NESTING_LIMIT });
    this.depth += 1;
  }

  protected ascend(): void {
    this.depth -= 1;
  }

  /** Reads what stands behind the opening bracket `open`, its closing one included; skips to that when an item is wrong. */
  protected within(open: IToken, loose: boolean, body: () => void, lost?: (value: ErrorExpression) => void): void {
    const outer = this.loose;
    const rule = this.running;
    this.loose = loose;
    try {
      body();
    } catch (error) {
      const partner = (open as MoeToken).partner;
      if (!isFailure(error) || partner === undefined || partner.index < this.position()) throw error;
      this.resume(rule);
      this.reportFailure(error);
      const start = this.start();
      while (this.position() < partner.index) this.SKIP_TOKEN();
      lost?.(this.errorExpression(start));
      this.SKIP_TOKEN();
    } finally {
      this.loose = outer;
    }
  }

  /**
   * A list in brackets, with a comma behind each item but the last, where one may stand as well.
   *
   * @param more True while another item begins.
   * @param lost Makes an item of what could not be read.
   */
  protected bracketed<R>(
    opening: TokenType,
    closing: TokenType,
    more: () => boolean,
    item: ParserMethod<[], R>,
    lost?: (value: ErrorExpression) => R,
  ): R[] {
    const items: R[] = [];
    const open = this.CONSUME(opening);
    this.within(
      open,
      true,
      () => {
        this.MANY({
          GATE: more,
          DEF: () => {
            items.push(this.SUBRULE(item));
            this.separator(closing);
          },
        });
        this.expect(1, closing);
      },
      lost && ((value) => items.push(lost(value))),
    );
    return items;
  }

  /** A separating comma; where it is missing before the next item, one error and on. */
  protected separator(close: TokenType): void {
    if (this.mayStart(T.Comma)) this.option(9, () => this.consume(9, T.Comma));
    if (this.RECORDING_PHASE || this.LA(0).tokenType === T.Comma || this.is(close)) return;
    this.ACTION(() => {
      const before = this.LA(0).image;
      const typeFirst = close === T.RParen && this.is(T.Identifier) && TYPE_WORDS.has(before);
      const failure = this.failure(
        "MOE1001",
        { expected: `\`,\` or ${close.LABEL ?? close.name}`, found: this.found() },
        typeFirst ? { help: `the name comes first: \`${this.LA(1).image}: ${before}\`` } : {},
      );
      if (CONFUSED.get(T.Comma)!.includes(this.LA(1).tokenType)) this.SKIP_TOKEN();
      else if (!this.startsExpression() || this.is(T.LBrace)) throw failure;
      this.report(failure.diagnostic);
    });
  }

  // ---- skipping ----

  protected position(): number {
    return this.atEnd() ? this.source.tokens.length : this.next().index;
  }

  /** Skips one token, or a whole group when it opens one. */
  protected skipGroup(): void {
    const partner = this.next().partner;
    const end = partner === undefined ? 0 : partner.index;
    do this.SKIP_TOKEN();
    while (this.position() <= end);
  }

  /** Skips what is left of a statement or member. */
  protected skipItem(): void {
    for (let any = false; !this.atEnd(); any = true) {
      const token = this.next();
      if (token.boundary === true || token.tokenType === T.RBrace || token.tokenType === T.Semicolon) return;
      if (token.first && !(any && tokenMatcher(token, Infix)) && (any || this.LA(0).endOffset !== undefined)) return;
      if (ITEM_WORDS.includes(token.tokenType)) return;
      this.skipGroup();
    }
  }

  /** Runs a rule; where it fails, reports, skips the rest of the item and gives `instead`. */
  protected attempt<R>(rule: () => R, instead: () => R): R {
    const before = this.loose;
    const running = this.running;
    try {
      return rule();
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.loose = before;
      this.resume(running);
      this.reportFailure(error);
      this.skipItem();
      return instead();
    }
  }
}

const TYPE_WORDS: ReadonlySet<string> = new Set(["int", "float", "bool", "string", "f32", "mask", "block", "router"]);

/** Failures with a message, and where a rule without a better one meets a wrong token. */
function isFailure(error: unknown): error is Error {
  return error === UNEXPECTED || error instanceof SyntaxFailure;
}

const STARTS = [T.Number, T.String, T.LParen, T.LBracket, T.LBrace, T.Minus, T.Bang, T.If, T.True, T.False];
const EXPRESSION_STARTS: ReadonlySet<TokenType> = new Set(
  VOCABULARY.filter((type) =>
    [T.Identifier, ...STARTS].some((start) => type === start || type.CATEGORIES?.includes(start)),
  ),
);

/** Reserved words that open a statement or member wherever they stand. */
export const ITEM_WORDS: readonly TokenType[] = [T.Let, T.Assert, T.Param, T.Use];
