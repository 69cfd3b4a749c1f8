/**
 * Members of a module: `param`, `state`, `use`, `stack`, methods and the rest.
 */
import type { ParserMethod } from "../chevrotain.js";
import { T } from "../lexer.js";
import type {
  Argument,
  CarryBinding,
  Expression,
  Identifier,
  Member,
  MethodMember,
  Parameter,
  SettingsMember,
  StackMember,
  TypeExpression,
  WeightEntry,
} from "../tree.js";
import { ITEM_WORDS } from "./base.js";
import { StatementParser } from "./statements.js";

const MEMBER_WORDS = new Map([
  ["param", T.Param],
  ["state", T.State],
  ["knob", T.Knob],
  ["use", T.Use],
  ["stack", T.Stack],
  ["schedule", T.Schedule],
  ["axis", T.Axis],
  ["let", T.Let],
  ["grad", T.Grad],
  ["weights", T.Weights],
]);
const MEMBER_TYPES = [...MEMBER_WORDS.values()];

export abstract class MemberParser extends StatementParser {
  /** `{ … }` with the members of a declaration. */
  readonly members: ParserMethod<[], Member[]> = this.RULE("members", () => {
    const items: Member[] = [];
    this.expect(1, T.LBrace, () => true);
    this.MANY({
      GATE: () => this.moreMembers(),
      DEF: () => {
        this.attempt(
          () => void items.push(this.SUBRULE(this.member)),
          () => undefined,
        );
        this.endOfItem(T.Semicolon);
      },
    });
    this.ACTION(() => this.newRegion());
    this.expect(1, T.RBrace, () => this.atEnd() || this.next().boundary === true);
    return items;
  });

  /** Skips what can open no member, with one error. */
  private moreMembers(): boolean {
    this.newRegion();
    while (!this.atEnd() && !this.is(T.RBrace) && this.next().boundary !== true) {
      this.correctWord(MEMBER_WORDS, "member");
      if (this.startsMember() || this.is(T.LParen)) return true;
      this.report(this.unexpected("a member such as `param`, `use` or a body").diagnostic);
      const before = this.position();
      if (!ITEM_WORDS.includes(this.LA(1).tokenType)) this.skipItem();
      if (this.position() === before) this.SKIP_TOKEN();
    }
    return false;
  }

  protected startsMember(): boolean {
    if (ITEM_WORDS.includes(this.LA(1).tokenType)) return !this.is(T.Assert);
    if (!this.is(T.Identifier)) return false;
    if (MEMBER_TYPES.includes(this.LA(1).tokenType) && this.is(T.Identifier, 2) && this.sameLine(2)) return true;
    return this.is(T.LParen, 2) || ((this.is(T.String, 2) || this.is(T.LBrace, 2)) && this.sameLine(2));
  }

  protected override startsItem(): boolean {
    if (super.startsItem()) return true;
    return this.is(T.Identifier, 2) && this.sameLine(2) && MEMBER_TYPES.includes(this.LA(1).tokenType);
  }

  private readonly member = this.RULE("member", (): Member => {
    const word = !this.is(T.LParen, 2) && !this.is(T.String, 2) && !this.is(T.LBrace, 2);
    const settings = this.is(T.Identifier) && (this.is(T.String, 2) || this.is(T.LBrace, 2));
    const value = this.OR<Member>({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        { ALT: () => this.SUBRULE(this.paramMember) },
        { ALT: () => this.SUBRULE(this.useMember) },
        { ALT: () => this.SUBRULE(this.letMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.stateMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.knobMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.stackMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.scheduleMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.axisMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.gradMember) },
        { GATE: () => word, ALT: () => this.SUBRULE(this.weightsMember) },
        { GATE: () => settings, ALT: () => this.SUBRULE(this.settingsMember) },
        { ALT: () => this.SUBRULE(this.methodMember) },
      ],
    });
    return value;
  });

  private readonly paramMember = this.RULE("paramMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Param);
    const { name, type, init } = this.SUBRULE(this.typedValue);
    return { kind: "param", name, type, ...init, span: this.span(start), ...this.doc(start) };
  });

  private readonly stateMember = this.RULE("stateMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.State);
    const { name, type, init } = this.SUBRULE(this.typedValue);
    return { kind: "state", name, type, ...init, span: this.span(start), ...this.doc(start) };
  });

  /** `gate: [D, F] = normal(0.02)`; a wrong type is skipped up to the next member, and the name stays known. */
  private readonly typedValue = this.RULE(
    "typedValue",
    (): { name: Identifier; type: TypeExpression; init: { init?: Expression } } => {
      const name = this.SUBRULE(this.identifier);
      const type = this.attempt<TypeExpression>(
        () => {
          this.expect(1, T.Colon, () => this.startsType() && !this.next().first);
          return this.SUBRULE(this.type);
        },
        () => ({ kind: "named-type", formats: [], span: { start: this.lastEnd(), end: this.lastEnd() } }),
      );
      const init = this.OPTION(() => {
        this.CONSUME(T.Equal);
        return this.SUBRULE(this.value);
      });
      return { name, type, init: init === undefined ? {} : { init } };
    },
  );

  private readonly knobMember = this.RULE("knobMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Knob);
    const name = this.SUBRULE(this.identifier);
    const type = this.OPTION(() => {
      this.CONSUME(T.Colon);
      return this.SUBRULE(this.type);
    });
    this.expect(1, T.Equal, () => this.startsExpression() && !this.next().first);
    const init = this.SUBRULE(this.value);
    const range = this.OPTION2(() => {
      this.CONSUME(T.In);
      return this.SUBRULE(this.range);
    });
    return {
      kind: "knob",
      name,
      ...(type === undefined ? {} : { type }),
      init,
      ...(range === undefined ? {} : { range }),
      span: this.span(start),
      ...this.doc(start),
    };
  });

  /** `name = value` behind `use`, `schedule` and `let`. */
  private readonly namedValue = this.RULE("namedValue", (): { name: Identifier; value: Expression } => {
    const name = this.SUBRULE(this.identifier);
    this.expect(1, T.Equal, () => this.startsExpression() && !this.next().first);
    const value = this.SUBRULE(this.value);
    return { name, value };
  });

  private readonly useMember = this.RULE("useMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Use);
    const named = this.SUBRULE(this.namedValue);
    return { kind: "use", ...named, span: this.span(start), ...this.doc(start) };
  });

  private readonly scheduleMember = this.RULE("scheduleMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Schedule);
    const named = this.SUBRULE(this.namedValue);
    return { kind: "schedule", ...named, span: this.span(start), ...this.doc(start) };
  });

  private readonly letMember = this.RULE("letMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Let);
    const named = this.SUBRULE(this.namedValue);
    return { kind: "let-member", ...named, span: this.span(start), ...this.doc(start) };
  });

  private readonly stackMember = this.RULE("stackMember", (): StackMember => {
    const start = this.start();
    const carry: CarryBinding[] = [];
    this.CONSUME(T.Stack);
    const name = this.SUBRULE(this.identifier);
    this.expect(1, T.Equal, () => this.startsExpression() && !this.next().first);
    const indexed = this.is(T.Identifier) && this.is(T.In, 2);
    const index = this.OPTION({
      GATE: () => indexed,
      DEF: () => {
        const written = this.SUBRULE2(this.identifier);
        this.CONSUME(T.In);
        return written;
      },
    });
    const layers = this.SUBRULE(this.value);
    const carries = this.is(T.Carry) && this.is(T.Identifier, 2);
    this.OPTION2({
      GATE: () => carries,
      DEF: () => {
        this.CONSUME(T.Carry);
        carry.push(this.SUBRULE(this.carryBinding));
        this.MANY(() => {
          this.CONSUME(T.Comma);
          carry.push(this.SUBRULE2(this.carryBinding));
        });
      },
    });
    return this.ACTION(() => {
      const common = {
        kind: "stack",
        name,
        ...(index === undefined ? {} : { index }),
        carry,
        ...this.doc(start),
      } as const;
      if (layers.kind === "of") return { ...common, count: layers.count, body: layers.body, span: this.span(start) };
      if (!this.brokenHere()) {
        const slots = { expected: "`of`", found: this.found() };
        this.report(
          this.failure("MOE1001", slots, { help: "layers are a count and a module: `L of Layer`" }).diagnostic,
        );
        this.skipItem();
      }
      return { ...common, count: this.errorExpression(layers.span.start), body: layers, span: this.span(start) };
    });
  });

  private readonly methodMember = this.RULE("methodMember", (): MethodMember => {
    const start = this.start();
    const name = this.OPTION(() => this.SUBRULE(this.identifier));
    const params: readonly Parameter[] = this.SUBRULE(this.parameterList);
    let result = this.OPTION2({
      GATE: () => !this.is(T.LBrace, 2),
      DEF: () => {
        this.CONSUME(T.Arrow);
        return this.SUBRULE(this.type);
      },
    });
    this.expect(1, T.FatArrow, () => this.startsExpression() || this.is(T.Let));
    const namesResult = this.is(T.Identifier) && (this.is(T.Colon, 2) || this.is(T.Equal, 2));
    const resultName = this.OPTION3({
      GATE: () => namesResult,
      DEF: () => {
        const written = this.SUBRULE2(this.identifier);
        this.OPTION4(() => {
          this.CONSUME(T.Colon);
          result = this.SUBRULE2(this.type);
        });
        this.expect(1, T.Equal, () => this.startsExpression());
        return written;
      },
    });
    const body = this.SUBRULE(this.bodyValue);
    return {
      kind: "method",
      ...(name === undefined ? {} : { name }),
      params,
      ...(result === undefined ? {} : { result }),
      ...(resultName === undefined ? {} : { resultName }),
      body,
      span: this.span(start),
      ...this.doc(start),
    };
  });

  private readonly gradMember = this.RULE("gradMember", (): Member => {
    const start = this.start();
    this.CONSUME(T.Grad);
    const name = this.SUBRULE(this.identifier);
    const params: readonly Parameter[] | undefined = this.OPTION({
      GATE: () => !this.next().first,
      DEF: () => this.SUBRULE(this.parameterList),
    });
    const body = this.OPTION2(() => {
      this.CONSUME(T.FatArrow);
      return this.SUBRULE(this.bodyValue);
    });
    return {
      kind: "grad",
      name,
      params: params ?? [],
      ...(body === undefined ? {} : { body }),
      span: this.span(start),
      ...this.doc(start),
    };
  });

  private readonly weightsMember = this.RULE("weightsMember", (): Member => {
    const start = this.start();
    const entries: WeightEntry[] = [];
    this.CONSUME(T.Weights);
    const format = this.SUBRULE(this.identifier);
    const open = this.expect(1, T.LBrace);
    this.within(open, false, () => {
      this.MANY({
        GATE: () => !this.is(T.RBrace),
        DEF: () => {
          entries.push(this.SUBRULE(this.weightEntry));
          this.endOfEntry();
        },
      });
      this.expect(1, T.RBrace);
    });
    return { kind: "weights", format, entries, span: this.span(start), ...this.doc(start) };
  });

  private readonly weightEntry = this.RULE("weightEntry", (): WeightEntry => {
    const start = this.start();
    const path = this.SUBRULE(this.path);
    this.expect(1, T.Colon, () => this.is(T.String));
    const source = this.SUBRULE(this.expression);
    return { kind: "weight-entry", path, source, span: this.span(start) };
  });

  private readonly settingsMember = this.RULE("settingsMember", (): SettingsMember => {
    const start = this.start();
    let entries: Argument[] = [];
    const name = this.SUBRULE(this.identifier);
    this.OR([
      {
        ALT: () => {
          const value = this.SUBRULE(this.string);
          entries = [{ kind: "argument", value, span: value.span }];
        },
      },
      { ALT: () => (entries = this.SUBRULE(this.settings)) },
    ]);
    return { kind: "settings", name, entries, span: this.span(start), ...this.doc(start) };
  });

  private readonly settings = this.RULE("settings", (): Argument[] => {
    const entries: Argument[] = [];
    const open = this.CONSUME(T.LBrace);
    this.within(open, false, () => {
      this.MANY({
        GATE: () => !this.is(T.RBrace),
        DEF: () => {
          entries.push(this.SUBRULE(this.argument));
          this.endOfEntry();
        },
      });
      this.expect(1, T.RBrace);
    });
    return entries;
  });

  /** Entries in braces are separated by a comma or by a new line. */
  private endOfEntry(): void {
    const newLine = !this.RECORDING_PHASE && this.next().first && !this.is(T.Comma);
    if (!newLine) this.separator(T.RBrace);
  }
}
