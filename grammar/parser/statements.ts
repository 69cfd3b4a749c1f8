/**
 * Blocks and their statements. A statement ends with its line, at `;`, or before a reserved word that opens the next one.
 */
import { tokenMatcher, type ParserMethod } from "../chevrotain.js";
import { replace, type SyntaxExtras } from "../errors.js";
import { foreignHelp, foreignPair, type Foreign } from "../foreign.js";
import { T, shorten, type MoeToken } from "../lexer.js";
import { closest } from "../../compiler/errors/closest.js";
import type { AxisMember, BlockExpression, Expression, Identifier, Statement } from "../tree.js";
import { ITEM_WORDS, type SyntaxFailure } from "./base.js";
import { BranchParser } from "./branches.js";

const STATEMENT_WORDS = new Map([
  ["let", T.Let],
  ["assert", T.Assert],
  ["axis", T.Axis],
]);

export abstract class StatementParser extends BranchParser {
  override readonly block: ParserMethod<[], BlockExpression> = this.RULE("block", (): BlockExpression => {
    const start = this.start();
    const statements: Statement[] = [];
    const outer = this.loose;
    this.expect(1, T.LBrace, () => this.is(T.Let) || this.is(T.Assert));
    this.ACTION(() => (this.loose = false));
    this.MANY({
      GATE: () => this.moreStatements(),
      DEF: () => {
        this.attempt(
          () => void statements.push(this.SUBRULE(this.statement)),
          () => undefined,
        );
        this.endOfItem(T.Semicolon);
      },
    });
    this.ACTION(() => (this.loose = outer));
    this.expect(1, T.RBrace);
    return this.ACTION((): BlockExpression => {
      const last = statements.at(-1);
      if (last?.kind !== "expression-statement") return { kind: "block", statements, span: this.span(start) };
      return { kind: "block", statements: statements.slice(0, -1), result: last.value, span: this.span(start) };
    });
  });

  private startsAxis(): boolean {
    return this.is(T.Axis) && this.is(T.Identifier, 2) && this.sameLine(2);
  }

  /** Skips what can open no statement, with one error. */
  private moreStatements(): boolean {
    this.newRegion();
    while (!this.atEnd() && !this.is(T.RBrace) && this.next().boundary !== true) {
      if (this.startsAxis()) return true;
      if (this.startsExpression() || this.is(T.Let) || this.is(T.Assert)) {
        this.correctWord(STATEMENT_WORDS, "statement");
        return true;
      }
      this.report(this.unexpected("a statement").diagnostic);
      const before = this.position();
      if (!ITEM_WORDS.includes(this.LA(1).tokenType)) this.skipItem();
      if (this.position() === before) this.SKIP_TOKEN();
    }
    return false;
  }

  /** The next token itself is wrong here, whether it opens a line or not. */
  protected unexpected(what: string): SyntaxFailure {
    const token = this.next();
    if (this.atEnd() || token.image === "") return this.expected(what);
    const span = this.placeOf(token);
    const closes = this.is(T.RParen) || this.is(T.RBracket) || this.is(T.RBrace);
    if (closes)
      return this.failure("MOE1015", { bracket: token.image }, { fixes: replace("Remove it", span, "") }, span);
    return this.failure("MOE1003", { what, found: `\`${shorten(token.image)}\`` }, this.elsewhere(what), span);
  }

  /** What helps where the next token would be right in another language. */
  private elsewhere(what: string): SyntaxExtras {
    const { image } = this.next();
    const isMember = what.startsWith("a member");
    const assigned = isMember && this.is(T.Identifier) && this.is(T.Equal, 2) && this.sameLine(2);
    const help = assigned
      ? `\`use ${image} = …\` makes a module, \`param ${image}: [D, F]\` a parameter, \`let ${image} = …\` names a value`
      : foreignHelp(image, isMember);
    return help === undefined ? {} : { help };
  }

  /** `lte p = …`: two names in a row can only be a misspelt opening word; it is read as the word it resembles. */
  protected correctWord(words: ReadonlyMap<string, typeof T.Let>, what: string): void {
    const token = this.next();
    const behind = this.LA(2);
    const pair = this.is(T.Identifier) && this.sameLine(2) && (this.is(T.Identifier, 2) || this.is(T.String, 2));
    const unpack = this.is(T.Identifier) && this.is(T.LParen, 2) && behind.startOffset > token.endOffset! + 1;
    if (!pair && !unpack) return;
    if (words.has(token.image) && pair) return;
    const suggestion = closest(token.image, words.keys())[0];
    const type = suggestion === undefined ? undefined : words.get(suggestion);
    if (suggestion === undefined || type === undefined || (unpack && type !== T.Let)) return;
    // `tokenizer "x"` is a setting; before a string only `test` can be meant.
    if (this.is(T.String, 2) && type !== T.Test) return;
    if (unpack && !this.unpacks()) return;
    const span = this.placeOf(token);
    const slots = { word: token.image, what, suggestion };
    this.report(
      this.failure("MOE1002", slots, { fixes: replace(`Write \`${suggestion}\``, span, suggestion) }, span).diagnostic,
    );
    token.tokenType = type;
    token.tokenTypeIdx = type.tokenTypeIdx!;
  }

  private unpacks(): boolean {
    const group = this.source.tokens[this.position() + 1]?.partner;
    return group !== undefined && this.source.tokens[group.index + 1]?.tokenType === T.Equal;
  }

  /** After an item: `;`, a new line, `}` or a word that opens the next item. */
  protected endOfItem(separator: typeof T.Semicolon): void {
    let more = false;
    this.option(8, () => {
      this.consume(8, separator);
      more = true;
    });
    this.ACTION(() => {
      if (more || this.atEnd() || this.is(T.RBrace) || this.next().first || this.startsItem()) return;
      if (this.is(separator)) return;
      const start = this.LA(1).startOffset;
      const place = { file: this.source.file, start, end: start };
      const foreign = foreignPair(this.LA(0), this.LA(1));
      if (foreign) this.report(this.foreign(foreign).diagnostic);
      else if (this.startsExpression() && this.LA(1).image !== "")
        this.report(this.failure("MOE1014", {}, { fixes: replace("Insert `;`", place, "; ") }).diagnostic);
      else this.report((this.walrus() ?? this.unexpected("the end of the line")).diagnostic);
      this.skipItem();
    });
  }

  private foreign({ wrong, right, token, edit }: Foreign): SyntaxFailure {
    const { file } = this.source;
    const span = this.placeOf(token);
    const fixes = edit ? replace(`Write \`${right}\``, { file, ...edit }, edit.text) : [];
    return this.failure("MOE1012", { right, wrong }, { fixes }, span);
  }

  /** `y := x`. */
  private walrus(): SyntaxFailure | undefined {
    const name = this.LA(0);
    const adjacent = this.is(T.Colon) && this.is(T.Equal, 2) && this.LA(2).startOffset === this.LA(1).startOffset + 1;
    if (!adjacent || !tokenMatcher(name, T.Identifier)) return undefined;
    const { file } = this.source;
    const span = this.placeOf(this.LA(1), this.LA(2));
    const edits = [
      { span: { file, start: name.startOffset, end: name.startOffset }, text: "let " },
      { span, text: "=" },
    ];
    const slots = { right: `let ${name.image} =`, wrong: `${name.image} :=` };
    return this.failure("MOE1012", slots, { fixes: [{ title: "Write `let`", edits }] }, span);
  }

  /** A word that opens the next item though it stands on the same line. */
  protected startsItem(): boolean {
    return ITEM_WORDS.includes(this.LA(1).tokenType);
  }

  /** `a.b[i].c =`: a path with more than one step in front of `=`. */
  private startsSet(): boolean {
    if (!this.is(T.Identifier)) return false;
    let last = 1;
    for (;;) {
      if (this.is(T.Dot, last + 1) && this.is(T.Identifier, last + 2)) last += 2;
      else {
        const partner = this.is(T.LBracket, last + 1) ? (this.LA(last + 1) as MoeToken).partner : undefined;
        if (!partner) return last > 1 && this.is(T.Equal, last + 1) && this.sameLine(last + 1);
        last = partner.index - this.position() + 1;
      }
    }
  }

  private readonly statement = this.RULE("statement", (): Statement => {
    const start = this.start();
    const assigns = this.is(T.Identifier) && this.is(T.Equal, 2);
    const sets = !this.RECORDING_PHASE && this.startsSet();
    const axis = this.startsAxis();
    return this.OR<Statement>({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.letStatement) },
        { ALT: () => this.SUBRULE(this.assertStatement) },
        {
          GATE: () => axis,
          // Docs belong to declarations and members only.
          ALT: () => this.SUBRULE(this.axisMember, { ARGS: [false] }),
        },
        {
          GATE: () => assigns,
          ALT: () => {
            const target = this.SUBRULE(this.identifier);
            this.CONSUME(T.Equal);
            const value = this.SUBRULE(this.value);
            return { kind: "assign", target, value, span: this.span(start) };
          },
        },
        {
          GATE: () => sets,
          ALT: () => {
            const path = this.SUBRULE(this.path);
            this.CONSUME2(T.Equal);
            const value = this.SUBRULE2(this.value);
            return { kind: "set", path, value, span: this.span(start) };
          },
        },
        {
          ALT: () => {
            const value = this.attempt(
              () => this.SUBRULE(this.expression),
              () => this.errorExpression(start),
            );
            return { kind: "expression-statement", value, span: this.span(start) };
          },
        },
      ],
    });
  });

  /** An expression at the end of an item: where it is wrong, only it is lost. */
  readonly value: ParserMethod<[], Expression> = this.RULE("value", () => {
    const start = this.start();
    return this.attempt(
      () => this.SUBRULE(this.expression),
      () => this.errorExpression(start),
    );
  });

  /** The same behind `=>`. */
  readonly bodyValue: ParserMethod<[], Expression> = this.RULE("bodyValue", () => {
    const start = this.start();
    return this.attempt(
      () => this.SUBRULE(this.body),
      () => this.errorExpression(start),
    );
  });

  private readonly letStatement = this.RULE("letStatement", (): Statement => {
    const start = this.start();
    let names: Identifier[] = [];
    let tuple = false;
    this.CONSUME(T.Let);
    return this.attempt<Statement>(
      () => {
        this.ACTION(() => {
          if (!this.is(T.LParen)) this.refuseReserved();
          if (!this.is(T.LParen) && !this.is(T.Identifier)) throw this.expected("a name");
          if (this.is(T.Comma, 2)) throw this.unpackedBare();
        });
        this.OR([
          {
            ALT: () => {
              tuple = true;
              names = this.SUBRULE(this.nameGroup);
            },
          },
          { ALT: () => (names = [this.SUBRULE(this.identifier)]) },
        ]);
        const type = this.OPTION(() => {
          this.CONSUME(T.Colon);
          return this.SUBRULE(this.type);
        });
        this.expect(1, T.Equal, () => this.startsExpression() && !this.next().first);
        const value = this.SUBRULE(this.value);
        return { kind: "let", names, tuple, ...(type === undefined ? {} : { type }), value, span: this.span(start) };
      },
      () => ({ kind: "let", names, tuple, value: this.errorExpression(this.lastEnd()), span: this.span(start) }),
    );
  });

  /** `let a, b = pair`. */
  private unpackedBare(): SyntaxFailure {
    const names = [this.LA(1).image];
    let last = 1;
    while (this.is(T.Comma, last + 1) && this.is(T.Identifier, last + 2)) names.push(this.LA((last += 2)).image);
    const span = this.placeOf(this.LA(1), this.LA(last));
    const right = `(${names.join(", ")})`;
    const slots = { right, wrong: names.join(", ") };
    return this.failure("MOE1012", slots, { fixes: replace(`Write \`${right}\``, span, right) }, span);
  }

  private readonly nameGroup = this.RULE("nameGroup", (): Identifier[] => {
    const names: Identifier[] = [];
    const open = this.CONSUME(T.LParen);
    this.within(open, true, () => {
      this.MANY(() => {
        names.push(this.SUBRULE(this.identifier));
        this.separator(T.RParen);
      });
      this.expect(1, T.RParen);
    });
    return names;
  });

  private readonly assertStatement = this.RULE("assertStatement", (): Statement => {
    const start = this.start();
    this.CONSUME(T.Assert);
    const value = this.SUBRULE(this.value);
    const message = this.OPTION(() => {
      this.CONSUME(T.Comma);
      return this.SUBRULE(this.string);
    });
    return { kind: "assert", value, ...(message === undefined ? {} : { message }), span: this.span(start) };
  });

  /** `axis C = ceil(T * factor / E)`, among members and in blocks. */
  readonly axisMember = this.RULE("axisMember", (documented = true): AxisMember => {
    const start = this.start();
    this.CONSUME(T.Axis);
    const name = this.SUBRULE(this.identifier);
    this.expect(1, T.Equal, () => this.startsExpression());
    const size = this.SUBRULE(this.value);
    return { kind: "axis", name, size, span: this.span(start), ...(documented ? this.doc(start) : {}) };
  });
}
