/**
 * The bracketed lists of the language: axes of a declaration, parameters, arguments, index entries and list items.
 */
import { T } from "../lexer.js";
import type {
  Argument,
  AxisParam,
  CarryBinding,
  Expression,
  Identifier,
  IndexEntry,
  ListItem,
  Parameter,
  RangeExpression,
} from "../tree.js";
import { TypeParser } from "./types.js";

export abstract class ListParser extends TypeParser {
  /** `[V = 512, L, D]` behind a declaration's name. */
  readonly axisParams = this.RULE("axisParams", (): AxisParam[] =>
    this.bracketed(T.LBracket, T.RBracket, () => this.nameAhead(T.RBracket), this.axisParam),
  );

  private readonly axisParam = this.RULE("axisParam", (): AxisParam => {
    const start = this.start();
    const name = this.SUBRULE(this.identifier);
    const value = this.OPTION(() => {
      this.CONSUME(T.Equal);
      return this.SUBRULE(this.expression);
    });
    if (value === undefined) return { kind: "axis-param", name, span: this.span(start) };
    return { kind: "axis-param", name, default: value, span: this.span(start) };
  });

  readonly parameterList = this.RULE("parameterList", (): Parameter[] =>
    this.bracketed(T.LParen, T.RParen, () => this.nameAhead(T.RParen), this.parameter),
  );

  private readonly parameter = this.RULE("parameter", (): Parameter => {
    const start = this.start();
    const isKnob = this.is(T.Identifier, 2) && this.is(T.Knob);
    const knob = this.OPTION({ GATE: () => isKnob, DEF: () => this.CONSUME(T.Knob) }) !== undefined;
    const name = this.SUBRULE(this.identifier);
    const type = this.OPTION2(() => {
      this.CONSUME(T.Colon);
      return this.SUBRULE(this.type);
    });
    const value = this.OPTION3(() => {
      this.CONSUME(T.Equal);
      return this.SUBRULE(this.expression);
    });
    const range = this.OPTION4(() => {
      this.CONSUME(T.In);
      return this.SUBRULE(this.range);
    });
    return {
      kind: "parameter",
      knob,
      name,
      ...(type === undefined ? {} : { type }),
      ...(value === undefined ? {} : { default: value }),
      ...(range === undefined ? {} : { range }),
      span: this.span(start),
    };
  });

  /** An expression that must be a range. */
  readonly range = this.RULE("range", (): RangeExpression => {
    const start = this.start();
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => this.asRange(value, start));
  });

  protected asRange(value: Expression, start: number): RangeExpression {
    if (value.kind === "range") return value;
    const span = { file: this.source.file, ...value.span };
    if (value.kind !== "error")
      this.report(this.failure("MOE1003", { what: "a range such as `0..8`", found: "one value" }, {}, span).diagnostic);
    return { kind: "range", from: value, to: this.errorExpression(this.lastEnd()), span: this.span(start) };
  }

  readonly argumentList = this.RULE("argumentList", (): Argument[] =>
    this.bracketed(
      T.LParen,
      T.RParen,
      () => (this.is(T.Colon, 2) ? this.nameAhead(T.RParen) : !this.is(T.RParen)),
      this.argument,
      (value) => ({ kind: "argument", value, span: value.span }),
    ),
  );

  readonly argument = this.RULE("argument", (): Argument => {
    const start = this.start();
    const named = this.is(T.Colon, 2) && (this.is(T.Identifier) || /^[a-z]+$/.test(this.LA(1).image));
    const name = this.OPTION({ GATE: () => named, DEF: () => this.SUBRULE(this.labelName) });
    const value = this.SUBRULE(this.expression);
    if (name === undefined) return { kind: "argument", value, span: this.span(start) };
    return { kind: "argument", name, value, span: this.span(start) };
  });

  private readonly labelName = this.RULE("labelName", (): Identifier => {
    const name = this.SUBRULE(this.identifier);
    this.CONSUME(T.Colon);
    return name;
  });

  readonly indexEntries = this.RULE("indexEntries", (): IndexEntry[] =>
    this.bracketed(
      T.LBracket,
      T.RBracket,
      () => !this.is(T.RBracket),
      this.indexEntry,
      (value) => ({ kind: "plain", value, span: value.span }),
    ),
  );

  private readonly indexEntry = this.RULE("indexEntry", (): IndexEntry => {
    const start = this.start();
    const name = this.is(T.Identifier);
    const mark = name ? this.LA(2).tokenType : undefined;
    // Most often a name alone.
    if (!this.RECORDING_PHASE && (mark === T.Comma || mark === T.RBracket)) {
      const value = this.SUBRULE4(this.expression);
      return { kind: "plain", value, span: this.span(start) };
    }
    const renames = mark === T.Arrow && this.is(T.Identifier, 3) && (this.is(T.Comma, 4) || this.is(T.RBracket, 4));
    return this.OR<IndexEntry>({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        {
          GATE: () => renames,
          ALT: () => {
            const from = this.SUBRULE(this.identifier);
            this.CONSUME(T.Arrow);
            const to = this.SUBRULE2(this.identifier);
            return { kind: "rename", from, to, span: this.span(start) };
          },
        },
        {
          GATE: () => mark === T.Equal,
          ALT: () => {
            const named = this.SUBRULE3(this.identifier);
            this.CONSUME(T.Equal);
            const value = this.SUBRULE(this.expression);
            return { kind: "named", name: named, value, span: this.span(start) };
          },
        },
        {
          GATE: () => mark === T.Colon,
          ALT: () => {
            const axis = this.SUBRULE4(this.identifier);
            this.CONSUME(T.Colon);
            const value = this.SUBRULE2(this.expression);
            return { kind: "pick", axis, value, span: this.span(start) };
          },
        },
        {
          ALT: () => {
            const value = this.SUBRULE3(this.expression);
            return { kind: "plain", value, span: this.span(start) };
          },
        },
      ],
    });
  });

  readonly listItems = this.RULE("listItems", (): ListItem[] =>
    this.bracketed(
      T.LBracket,
      T.RBracket,
      () => !this.is(T.RBracket),
      this.listItem,
      (value) => ({ kind: "list-item", value, span: value.span }),
    ),
  );

  private readonly listItem = this.RULE("listItem", (): ListItem => {
    const start = this.start();
    const named = this.is(T.Identifier) && this.is(T.Equal, 2);
    const name = this.OPTION({
      GATE: () => named,
      DEF: () => {
        const written = this.SUBRULE(this.identifier);
        this.CONSUME(T.Equal);
        return written;
      },
    });
    const value = this.SUBRULE(this.expression);
    if (name === undefined) return { kind: "list-item", value, span: this.span(start) };
    return { kind: "list-item", name, value, span: this.span(start) };
  });

  /** `h: [T, R] = 0`, in a stack, a fold and a scan. */
  readonly carryBinding = this.RULE("carryBinding", (): CarryBinding => {
    const start = this.start();
    const name = this.SUBRULE(this.identifier);
    const type = this.OPTION(() => {
      this.CONSUME(T.Colon);
      return this.SUBRULE(this.type);
    });
    this.expect(1, T.Equal, () => this.startsExpression());
    const init = this.SUBRULE(this.expression);
    return { kind: "carry", name, ...(type === undefined ? {} : { type }), init, span: this.span(start) };
  });
}
