/**
 * Types: `f32[T, D]`, `[T, D]`, `uint[3][D, F]`, `routes[E]`, `(int, [T])`, with storage formats behind them.
 */
import { tokenMatcher, type ParserMethod, type TokenType } from "../chevrotain.js";
import { T, type MoeToken } from "../lexer.js";
import type { Argument, AxisUse, Expression, Identifier, NamedType, StorageFormat, TypeExpression } from "../tree.js";
import { BaseParser, identifierFrom } from "./base.js";
import type { Alternatives } from "./engine.js";

type TypeParts = Pick<NamedType, "name" | "bits" | "axes" | "args">;

export abstract class TypeParser extends BaseParser {
  abstract readonly expression: ParserMethod<[], Expression>;
  abstract readonly argumentList: ParserMethod<[], Argument[]>;

  /** Any word that is not reserved. */
  readonly identifier = this.RULE("identifier", (): Identifier => {
    if (!this.RECORDING_PHASE && !this.is(T.Identifier)) this.refuseReserved();
    const token = this.expect(1, T.Identifier);
    return this.ACTION(() => identifierFrom(token));
  });

  /** A reserved word where a name belongs is taken as the name, with the one error that says so. */
  protected refuseReserved(): void {
    const token = this.next();
    const behind = this.LA(2);
    const word = /^[a-z]+$/.test(token.image);
    const alone = [T.Colon, T.Equal, T.Comma, T.RParen, T.RBracket, T.LBracket].includes(behind.tokenType);
    if (!word || tokenMatcher(token, T.Identifier) || token.first || !alone) return;
    this.report(this.failure("MOE1013", { word: token.image }).diagnostic);
    token.tokenType = T.Identifier;
    token.tokenTypeIdx = T.Identifier.tokenTypeIdx!;
  }

  /** For the gate of a list of names: lets a reserved word through, with its error. */
  protected nameAhead(close: TokenType): boolean {
    this.refuseReserved();
    return !this.is(close);
  }

  /** Built once. */
  declare private typeForms: Alternatives<TypeExpression> | undefined;

  readonly type: ParserMethod<[], TypeExpression> = this.RULE("type", () => {
    this.typeForms ??= [{ ALT: () => this.SUBRULE(this.tupleType) }, { ALT: () => this.SUBRULE(this.namedType) }];
    this.descend();
    try {
      return this.OR(this.typeForms);
    } finally {
      this.ascend();
    }
  });

  private readonly tupleType = this.RULE("tupleType", (): TypeExpression => {
    const start = this.start();
    const items: TypeExpression[] = [];
    const open = this.CONSUME(T.LParen);
    this.within(open, true, () => {
      this.MANY(() => {
        items.push(this.SUBRULE(this.type));
        this.separator(T.RParen);
      });
      this.expect(1, T.RParen);
    });
    return { kind: "tuple-type", items, span: this.span(start) };
  });

  /** Built once. */
  declare private namedForms: Alternatives<TypeParts> | undefined;

  private readonly namedType = this.RULE("namedType", (): NamedType => {
    const start = this.start();
    const formats: StorageFormat[] = [];
    this.namedForms ??= [
      { ALT: () => ({ axes: this.SUBRULE(this.axisUses) }) },
      { ALT: () => this.SUBRULE(this.wordType) },
    ];
    const parts = this.OR(this.namedForms);
    if (this.mayStart(T.Identifier))
      this.MANY2({
        GATE: () => !this.next().first && this.is(T.LParen, 2) && this.sameLine(2),
        DEF: () => formats.push(this.SUBRULE(this.storageFormat)),
      });
    return { kind: "named-type", ...parts, formats, span: this.span(start) };
  });

  /** A type that begins with a word. */
  private readonly wordType = this.RULE("wordType", (): TypeParts => {
    const name = this.SUBRULE(this.identifier);
    if (!this.mayStart(T.LBracket, T.LParen)) return { name };
    let groups: AxisUse[][] = [];
    this.MANY({
      GATE: () => !this.next().first && groups.length < 2,
      DEF: () => {
        groups = [...groups, this.SUBRULE2(this.axisUses)];
      },
    });
    const args = this.OPTION({ GATE: () => !this.next().first, DEF: () => this.SUBRULE(this.argumentList) });
    return this.ACTION(() => ({ name, ...splitBits(groups), ...(args === undefined ? {} : { args }) }));
  });

  private readonly storageFormat = this.RULE("storageFormat", (): StorageFormat => {
    const start = this.start();
    const name = this.SUBRULE(this.identifier);
    const args = this.SUBRULE(this.argumentList);
    return { kind: "format", name, args, span: this.span(start) };
  });

  readonly axisUses = this.RULE("axisUses", (): AxisUse[] =>
    this.bracketed(T.LBracket, T.RBracket, () => !this.is(T.RBracket), this.axisUse),
  );

  private readonly axisUse = this.RULE("axisUse", (): AxisUse => {
    const start = this.start();
    const bare = this.bareName();
    // The parts of a type are most often names alone.
    if (bare && !this.RECORDING_PHASE) {
      const only = this.SUBRULE(this.identifier);
      return { kind: "axis-use", name: only, span: only.span };
    }
    const name = this.OPTION({
      GATE: () => bare || this.is(T.Equal, 2),
      DEF: () => {
        const written = this.SUBRULE(this.identifier);
        this.OPTION2(() => this.CONSUME(T.Equal));
        return written;
      },
    });
    const size = this.OPTION3({ GATE: () => !bare, DEF: () => this.SUBRULE(this.expression) });
    return {
      kind: "axis-use",
      ...(name === undefined ? {} : { name }),
      ...(size === undefined ? {} : { size }),
      span: this.span(start),
    };
  });

  /** A name and nothing else in its place of a bracketed list. */
  private bareName(): boolean {
    const after = this.LA(2) as MoeToken;
    return this.is(T.Identifier) && (after.tokenType === T.Comma || after.tokenType === T.RBracket);
  }
}

/** `uint[3][D, F]`: of two groups the first is a number of bits. */
function splitBits(groups: readonly (readonly AxisUse[])[]): Pick<NamedType, "bits" | "axes"> {
  const [first, second] = groups;
  if (first === undefined) return {};
  if (second === undefined) return { axes: first };
  const bits = first[0];
  if (bits === undefined) return { axes: second };
  const name = bits.name;
  const value = bits.size ?? (name === undefined ? undefined : ({ kind: "name", name, span: name.span } as const));
  return value === undefined ? { axes: second } : { bits: value, axes: second };
}
