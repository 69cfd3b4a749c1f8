/**
 * Expressions. One rule reads a row of operands and operators; `assemble` gives it its shape. An operand that stretches to
 * the right (lambda, `if`, `fold`, `scan`, mode branch) ends the row.
 */
import { tokenMatcher, type IToken, type OrMethodOpts, type ParserMethod } from "../chevrotain.js";
import { replace } from "../errors.js";
import { Infix, T } from "../lexer.js";
import { UNITS } from "../tokens.js";
import type {
  Argument,
  BlockExpression,
  Expression,
  Identifier,
  IndexEntry,
  NumberLiteral,
  StringLiteral,
} from "../tree.js";
import { readEscapes } from "../strings.js";
import type { Alternatives } from "./engine.js";
import { assemble, type Operand, type Operator } from "./assemble.js";
import { identifierFrom, type SyntaxFailure } from "./base.js";
import { ListParser } from "./parameters.js";

/** How many operators, signs or suffixes one row may have. */
const ROW_LIMIT = 250;
const unitWords = new Set(UNITS);

const NO_PREFIXES: Operand["prefixes"] = [];

export abstract class ExpressionParser extends ListParser {
  abstract readonly block: ParserMethod<[], BlockExpression>;
  abstract readonly stretching: ParserMethod<[], Expression>;
  /** True when the operand just read stretches as far to the right as it can. */
  protected stretched = false;
  /** The longest row of operators or suffixes so far: a cheap bound on how deep the tree can be. */
  protected longestRow = 0;

  override readonly expression: ParserMethod<[], Expression> = this.RULE("expression", () => {
    this.descend();
    try {
      return this.SUBRULE(this.row);
    } finally {
      this.ascend();
    }
  });

  /** Operands with operators between them; nearly always one operand alone. */
  private readonly row = this.RULE("row", (): Expression => {
    const first = this.SUBRULE(this.operand);
    if (!this.mayStart(Infix)) return this.ACTION(() => only(first));
    const operands = [first];
    const operators: Operator[] = [];
    this.MANY({
      GATE: () => !this.stretched && !(this.onNewLine() && this.is(T.Minus)),
      DEF: () => {
        const token = this.CONSUME(Infix);
        this.limitRow(operators.length);
        operators.push({ text: spelling(token), span: { start: token.startOffset, end: token.endOffset! + 1 } });
        operands.push(this.SUBRULE2(this.operand));
      },
    });
    return this.ACTION(() => {
      if (operators.length === 0) return only(first);
      return assemble(operands, operators, (operator) => this.chained(operator));
    });
  });

  /** A row makes a tree as deep as it is long. */
  private limitRow(length: number): void {
    if (length > this.longestRow) this.longestRow = length;
    if (length >= ROW_LIMIT) throw this.failure("MOE1010", { limit: ROW_LIMIT });
  }

  private chained(operator: Operator): void {
    const span = { file: this.source.file, ...operator.span };
    this.report(this.failure("MOE1011", { operator: operator.text }, {}, span).diagnostic);
  }

  private readonly operand = this.RULE("operand", (): Operand => {
    let prefixes = NO_PREFIXES;
    if (this.mayStart(T.Minus, T.Bang)) prefixes = this.SUBRULE(this.signs);
    const start = this.start();
    const value = this.SUBRULE(this.suffixed);
    return { prefixes, value, span: this.span(start), open: this.stretched };
  });

  private readonly signs = this.RULE("signs", (): Operand["prefixes"] => {
    const prefixes: Operand["prefixes"][number][] = [];
    this.MANY(() => {
      const token = this.OR<IToken>([{ ALT: () => this.CONSUME(T.Minus) }, { ALT: () => this.CONSUME(T.Bang) }]);
      this.limitRow(prefixes.length);
      prefixes.push({ operator: token.tokenType === T.Minus ? "-" : "!", start: token.startOffset });
    });
    return prefixes;
  });

  /** What the next suffix belongs to, and where that begins: read before the suffix is, which may have some of its own. */
  declare private suffixOf: Expression;
  declare private suffixStart: number;
  declare private suffixForms: Alternatives<Expression> | undefined;

  /** Built once, as the primaries below. */
  private suffixes(): Alternatives<Expression> {
    return (this.suffixForms ??= [
      {
        ALT: () => {
          const { suffixOf: object, suffixStart } = this;
          this.CONSUME(T.Dot);
          const member = this.SUBRULE(this.identifier);
          return { kind: "member", object, member, span: this.span(suffixStart) };
        },
      },
      {
        ALT: () => {
          const { suffixOf: callee, suffixStart } = this;
          const args: Argument[] = this.SUBRULE(this.argumentList);
          return { kind: "call", callee, args, span: this.span(suffixStart) };
        },
      },
      {
        ALT: () => {
          const { suffixOf: object, suffixStart } = this;
          const entries: IndexEntry[] = this.SUBRULE(this.indexEntries);
          return { kind: "index", object, entries, span: this.span(suffixStart) };
        },
      },
    ]);
  }

  private readonly suffixed = this.RULE("suffixed", (): Expression => {
    const start = this.start();
    // `{ … }` takes no suffix, so that a block and what follows it stay apart.
    const braces = this.is(T.LBrace);
    let value = this.SUBRULE(this.primary);
    let row = 0;
    if (this.mayStart(T.LParen, T.LBracket, T.Dot))
      this.MANY({
        GATE: () => !this.stretched && !braces && (this.is(T.Dot) || !this.onNewLine()),
        DEF: () => {
          row += 1;
          this.limitRow(row);
          this.suffixOf = value;
          this.suffixStart = start;
          value = this.OR(this.suffixes());
          this.stretched = false;
        },
      });
    return value;
  });

  private stretchesHere = false;
  /** Built once: this is the innermost rule. */
  private primaries: OrMethodOpts<Expression> | undefined;

  /** `seen += x`: the operator has been read, and `=` follows. */
  private addedInPlace(): SyntaxFailure | undefined {
    const operator = this.LA(0);
    const name = this.LA(-1);
    const adjacent = this.is(T.Equal) && this.LA(1).startOffset === operator.endOffset! + 1;
    if (!adjacent || !/^[-+*/]$/.test(operator.image) || !tokenMatcher(name, T.Identifier)) return undefined;
    const span = this.placeOf(operator, this.LA(1));
    const wrong = `${name.image} ${operator.image}=`;
    const right = `${name.image} = ${name.image} ${operator.image}`;
    const fixes = replace(`Write \`${right}\``, span, `= ${name.image} ${operator.image}`);
    return this.failure("MOE1012", { right, wrong }, { fixes }, span);
  }

  private readonly primary = this.RULE("primary", (): Expression => {
    this.ACTION(() => {
      if (!this.startsExpression()) throw this.addedInPlace() ?? this.expected("an expression");
    });
    const stretches = !this.RECORDING_PHASE && this.startsStretching();
    this.stretchesHere = stretches;
    this.primaries ??= {
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { GATE: () => this.stretchesHere, ALT: () => this.SUBRULE(this.stretching) },
        { ALT: () => this.nameFrom(this.CONSUME(T.Identifier)) },
        { ALT: () => this.SUBRULE(this.number) },
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.block) },
        { ALT: () => this.SUBRULE(this.string) },
        { ALT: () => this.boolean(this.CONSUME(T.True), true) },
        { ALT: () => this.boolean(this.CONSUME(T.False), false) },
      ],
    };
    const value = this.OR<Expression>(this.primaries);
    this.stretched = stretches;
    return value;
  });

  /** True where a lambda, `if`, `fold`, `scan` or a mode branch stands. */
  protected abstract startsStretching(): boolean;

  private boolean(token: IToken, value: boolean): Expression {
    return { kind: "boolean", value, span: { start: token.startOffset, end: token.endOffset! + 1 } };
  }

  private nameFrom(token: IToken): Expression {
    const name = identifierFrom(token);
    return { kind: "name", name, span: name.span };
  }

  private readonly name = this.RULE("name", (): Expression => {
    const name = this.SUBRULE(this.identifier);
    return { kind: "name", name, span: name.span };
  });

  readonly string = this.RULE("string", (): StringLiteral => {
    const start = this.start();
    const token = this.expect(1, T.String);
    const raw = token.image;
    const closed = raw.length > 1 && token.tokenType !== T.OpenString;
    return this.ACTION(() => ({
      kind: "string",
      value: readEscapes(closed ? raw.slice(1, -1) : raw.slice(1)).value,
      span: this.span(start),
    }));
  });

  /** A number with its unit, or `2:4`. */
  private readonly number = this.RULE("number", (): Expression => {
    const start = this.start();
    const left = this.plainNumber(this.CONSUME(T.Number));
    if (!this.mayStart(T.Colon, T.Identifier)) return left;
    const right = this.OPTION({
      GATE: () => this.is(T.Number, 2),
      DEF: () => {
        this.CONSUME(T.Colon);
        return this.plainNumber(this.CONSUME2(T.Number));
      },
    });
    const hasUnit =
      right === undefined && !this.next().first && unitWords.has(this.LA(1).image) && !this.is(T.Colon, 2);
    const unit = this.OPTION2({ GATE: () => hasUnit, DEF: () => this.SUBRULE(this.identifier) });
    if (right !== undefined) return { kind: "ratio", left, right, span: this.span(start) };
    return unit === undefined ? left : { ...left, unit, span: this.span(start) };
  });

  private plainNumber(token: IToken): NumberLiteral {
    const text = token.image;
    const value = Number(text.replaceAll("_", ""));
    const integer = /^[\d_]+$/.test(text);
    return { kind: "number", value, integer, text, span: { start: token.startOffset, end: token.endOffset! + 1 } };
  }

  /** `(a)` leaves no node, `(a, b)`, `(a,)` and `()` are tuples. */
  private readonly group = this.RULE("group", (): Expression => {
    const start = this.start();
    const items: Expression[] = [];
    let commas = 0;
    const open = this.CONSUME(T.LParen);
    this.within(open, true, () => {
      this.MANY({
        GATE: () => !this.is(T.RParen),
        DEF: () => {
          items.push(this.SUBRULE(this.expression));
          this.separator(T.RParen);
          if (this.LA(0).tokenType === T.Comma) commas += 1;
        },
      });
      this.expect(1, T.RParen);
    });
    const [only] = items;
    if (only !== undefined && items.length === 1 && commas === 0) return only;
    if (items.length === 0 && this.brokenHere()) return this.errorExpression(start);
    return { kind: "tuple", items, span: this.span(start) };
  });

  private readonly list = this.RULE("list", (): Expression => {
    const start = this.start();
    const items = this.SUBRULE(this.listItems);
    return { kind: "list", items, span: this.span(start) };
  });

  /** `layers[i].moe.experts.gate`: a chain without calls. */
  readonly path = this.RULE("path", (): Expression => {
    const start = this.start();
    let value: Expression = this.SUBRULE(this.name);
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(T.Dot);
            const member: Identifier = this.SUBRULE(this.identifier);
            value = { kind: "member", object: value, member, span: this.span(start) };
          },
        },
        {
          ALT: () => {
            const entries = this.SUBRULE(this.indexEntries);
            value = { kind: "index", object: value, entries, span: this.span(start) };
          },
        },
      ]);
    });
    return value;
  });
}

/** An operand with nothing beside it. */
function only(operand: Operand): Expression {
  return operand.prefixes.length === 0 ? operand.value : assemble([operand], [], () => undefined);
}

function spelling(token: IToken): string {
  return token.tokenType === T.DoubleAmp ? "&" : token.tokenType === T.DoubleBar ? "|" : token.image;
}
