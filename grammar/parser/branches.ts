/**
 * Expressions that stretch to the right: lambdas, `if`, `fold`, `scan` and mode branches.
 */
import { tokenMatcher, type IToken, type ParserMethod } from "../chevrotain.js";
import { ModeWord, T, type MoeToken } from "../lexer.js";
import type { BlockExpression, CarryBinding, Expression, Mode, ModeBranch } from "../tree.js";
import { ExpressionParser } from "./expressions.js";

export abstract class BranchParser extends ExpressionParser {
  abstract override readonly block: ParserMethod<[], BlockExpression>;

  protected override startsStretching(): boolean {
    if (this.is(T.If)) return true;
    if (this.is(T.LParen)) return this.startsLambda();
    if (this.is(T.Fold) || this.is(T.Scan)) {
      return this.is(T.LParen, 2) && this.is(T.Identifier, 3) && this.is(T.In, 4);
    }
    return this.startsMode();
  }

  private startsMode(): boolean {
    return this.is(ModeWord) && this.is(T.LBrace, 2) && this.sameLine(2);
  }

  /** `(` opens a lambda when `=>` follows its group, or when it holds a typed parameter, which no tuple does. */
  private startsLambda(): boolean {
    const typed = this.is(T.Identifier, 2) && this.is(T.Colon, 3);
    if (typed) return true;
    let at = this.afterGroup();
    // `(x) -> T => …` against the arrow `(x) -> y`: a type is names and groups, and then `=>` follows.
    if (at?.tokenType === T.Arrow) at = this.afterType(at);
    return at?.tokenType === T.FatArrow;
  }

  private afterType(arrow: MoeToken): MoeToken | undefined {
    const tokens = this.source.tokens;
    let at = tokens[arrow.index + 1];
    while (at !== undefined) {
      const group = at.partner !== undefined && at.partner.index > at.index ? at.partner : undefined;
      if (group === undefined && !tokenMatcher(at, T.Identifier)) break;
      at = tokens[(group ?? at).index + 1];
      if (at?.first === true && at.tokenType !== T.FatArrow) break;
    }
    return at;
  }

  override readonly stretching: ParserMethod<[], Expression> = this.RULE("stretching", () =>
    this.OR<Expression>({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.lambda) },
        { ALT: () => this.SUBRULE(this.condition) },
        { ALT: () => this.SUBRULE(this.fold) },
        { ALT: () => this.SUBRULE(this.mode) },
      ],
    }),
  );

  private readonly lambda = this.RULE("lambda", (): Expression => {
    const start = this.start();
    const params = this.SUBRULE(this.parameterList);
    const result = this.OPTION({
      // `->` before a brace is a mistyped `=>`, which `expect` repairs.
      GATE: () => !this.is(T.LBrace, 2),
      DEF: () => {
        this.CONSUME(T.Arrow);
        return this.SUBRULE(this.type);
      },
    });
    this.expect(1, T.FatArrow, () => this.startsExpression());
    const body = this.SUBRULE(this.body);
    return { kind: "lambda", params, ...(result === undefined ? {} : { result }), body, span: this.span(start) };
  });

  /** What stands behind `=>`; statements without their opening brace are read as the block they were meant to be. */
  readonly body: ParserMethod<[], Expression> = this.RULE("body", (): Expression => {
    if (!this.RECORDING_PHASE && (this.is(T.Let) || this.is(T.Assert))) return this.SUBRULE(this.block);
    return this.SUBRULE(this.expression);
  });

  private readonly condition = this.RULE("condition", (): Expression => {
    const start = this.start();
    this.CONSUME(T.If);
    const condition = this.SUBRULE(this.expression);
    this.expect(1, T.Then, () => this.startsExpression() && !this.is(T.LBrace));
    const then = this.SUBRULE2(this.expression);
    this.expect(1, T.Else);
    const otherwise = this.SUBRULE3(this.expression);
    return { kind: "if", condition, then, else: otherwise, span: this.span(start) };
  });

  private readonly fold = this.RULE("fold", (): Expression => {
    const start = this.start();
    let carry: CarryBinding[] = [];
    let head = undefined as Pick<Extract<Expression, { kind: "fold" }>, "index" | "range"> | undefined;
    let until: Expression | undefined;
    const word = this.OR2<IToken>([{ ALT: () => this.CONSUME(T.Fold) }, { ALT: () => this.CONSUME(T.Scan) }]);
    const open = this.CONSUME(T.LParen);
    this.within(open, true, () => {
      const index = this.SUBRULE(this.identifier);
      this.CONSUME(T.In);
      const range = this.SUBRULE(this.range);
      head = { index, range };
      this.expect(1, T.Comma, () => this.is(T.LParen) || this.is(T.Identifier));
      this.ACTION(() => {
        if (!this.is(T.LParen) && !this.is(T.Identifier)) throw this.expected("a carried value such as `acc = 0`");
      });
      this.OR([
        { ALT: () => (carry = this.SUBRULE(this.carryGroup)) },
        { ALT: () => (carry = [this.SUBRULE(this.carryBinding)]) },
      ]);
      this.OPTION({
        GATE: () => this.LA(2).image === "until",
        DEF: () => {
          this.CONSUME2(T.Comma);
          this.SUBRULE2(this.identifier);
          this.expect(1, T.Colon, () => this.startsExpression());
          until = this.SUBRULE(this.expression);
        },
      });
      this.OPTION2(() => this.CONSUME3(T.Comma));
      this.expect(1, T.RParen);
    });
    if (head === undefined) return this.errorExpression(start);
    this.expect(1, T.FatArrow, () => this.startsExpression());
    const body = this.SUBRULE(this.body);
    return {
      kind: "fold",
      ...(word.tokenType === T.Scan ? { scan: true as const } : {}),
      ...head,
      carry,
      ...(until === undefined ? {} : { until }),
      body,
      span: this.span(start),
    };
  });

  private readonly carryGroup = this.RULE("carryGroup", (): CarryBinding[] => {
    const items: CarryBinding[] = [];
    const open = this.CONSUME(T.LParen);
    this.within(open, true, () => {
      this.MANY({
        GATE: () => !this.is(T.RParen),
        DEF: () => {
          items.push(this.SUBRULE(this.carryBinding));
          this.separator(T.RParen);
        },
      });
      this.expect(1, T.RParen);
    });
    return items;
  });

  private readonly mode = this.RULE("mode", (): Expression => {
    const start = this.start();
    const branches: ModeBranch[] = [];
    branches.push(this.SUBRULE(this.modeBranch));
    this.MANY({
      GATE: () => this.startsMode() && this.sameLine(1),
      DEF: () => branches.push(this.SUBRULE2(this.modeBranch)),
    });
    const otherwise = this.OPTION(() => {
      this.CONSUME(T.Else);
      return this.SUBRULE(this.expression);
    });
    return { kind: "mode", branches, ...(otherwise === undefined ? {} : { otherwise }), span: this.span(start) };
  });

  private readonly modeBranch = this.RULE("modeBranch", (): ModeBranch => {
    const start = this.start();
    const word = this.CONSUME(ModeWord);
    const body = this.SUBRULE(this.block);
    return { kind: "mode-branch", mode: word.image as Mode, body, span: this.span(start) };
  });
}
