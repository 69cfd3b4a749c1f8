/**
 * The loop that runs the grammar. Chevrotain records the rules once and computes from them which token begins what; this
 * class asks those tables and nothing else. What chevrotain's own loop does beside (stacks of rule names for its messages,
 * follow sets for its recovery, catching and throwing again at each rule) serves an error recovery that we do not use, and
 * costs as much as all the rest of parsing.
 *
 * The names of the methods are chevrotain's: all its `CONSUME`, `OPTION`, `MANY`, `OR` and `SUBRULE` end in these. They are
 * not of its public interface, so `package.json` names one version; the tests of the grammar say whether another one fits.
 */
import {
  EmbeddedActionsParser,
  tokenMatcher,
  type IToken,
  type OrMethodOpts,
  type ParserMethod,
  type TokenType,
} from "../chevrotain.js";

/** Where a rule meets a token that it has no better message for. There is one, so that it costs no stack trace. */
export const UNEXPECTED: Error = new Error("unexpected token");

/** Which method a table belongs to, as chevrotain numbers them in the keys of its tables. */
const OR = 1 << 8;
const OPTION = 2 << 8;
const MANY = 3 << 8;

const NONE: readonly unknown[] = [];

type Action<R> = () => R;
interface Gated<R> {
  readonly GATE?: () => boolean;
  readonly DEF: Action<R>;
}
/** A choice that is built once, where a new one at each visit would cost more than making it. */
export type Alternatives<R> = NonNullable<OrMethodOpts<R>["DEF"]>;

interface Rule<A extends unknown[], R> extends ParserMethod<A, R> {
  readonly originalGrammarAction: (...args: A) => R;
  readonly ruleName: string;
  /** As `currRuleShortName` has it; kept here at the first use. */
  shortName?: number;
}

/** A decision of a rule: what it asks of the next token, by the token's type. A bit for each alternative that may follow. */
type Decision = (number | undefined)[];

export abstract class GrammarEngine extends EmbeddedActionsParser {
  /** The rule that runs, as the keys of the tables name it. */
  declare private currRuleShortName: number;
  declare private readonly fullRuleNameToShort: Readonly<Record<string, number>>;
  /** Behind the last token stands one of the end, so that looking ahead by one needs no bound. */
  declare private readonly tokVector: readonly IToken[];
  declare private currIdx: number;
  declare private readonly getLaFuncFromCache: (key: number) => (this: this, alternatives?: unknown) => unknown;

  /**
   * Chevrotain's answers so far. Looking ahead by one, they depend on nothing but the type of the next token; and its own
   * tables, where alternatives have gates, are walked path by path at each question.
   */
  private readonly decisions = new Map<number, Decision>();

  /** The rule that runs, to go on with when a rule inside of it has failed. */
  protected get running(): number {
    return this.currRuleShortName;
  }

  protected resume(rule: number): void {
    this.currRuleShortName = rule;
  }

  protected consumeInternal(type: TokenType): IToken {
    const token = this.tokVector[this.currIdx + 1]!;
    if (!tokenMatcher(token, type)) throw UNEXPECTED;
    this.currIdx++;
    return token;
  }

  protected subruleInternal<A extends unknown[], R>(rule: Rule<A, R>, _occurrence: number, options?: { ARGS?: A }): R {
    const outer = this.currRuleShortName;
    this.currRuleShortName = rule.shortName ??= this.fullRuleNameToShort[rule.ruleName]!;
    const result = rule.originalGrammarAction.apply(this, options?.ARGS ?? (NONE as unknown as A));
    this.currRuleShortName = outer;
    return result;
  }

  /** Which alternatives of the decision `key` may begin with the next token, lowest bit first. */
  private openings(key: number, alternatives: number): number {
    let decision = this.decisions.get(key);
    if (!decision) this.decisions.set(key, (decision = []));
    return (decision[this.tokVector[this.currIdx + 1]!.tokenTypeIdx] ??= this.ask(key, alternatives));
  }

  private ask(key: number, alternatives: number): number {
    const look = this.getLaFuncFromCache(key);
    if (alternatives === 0) return look.call(this) === true ? 1 : 0;
    let open = 0;
    for (let asked = 0; asked < alternatives; asked++) {
      const others = Array.from({ length: alternatives }, (_, other) => ({ GATE: () => other === asked }));
      if (look.call(this, others) === asked) open |= 1 << asked;
    }
    return open;
  }

  protected optionInternal<R>(option: Action<R> | Gated<R>, occurrence: number): R | undefined {
    const key = occurrence | OPTION | this.currRuleShortName;
    if (typeof option === "function") return this.openings(key, 0) === 0 ? undefined : option.call(this);
    if (option.GATE !== undefined && !option.GATE.call(this)) return undefined;
    return this.openings(key, 0) === 0 ? undefined : option.DEF.call(this);
  }

  protected manyInternal(occurrence: number, many: Action<unknown> | Gated<unknown>): void {
    const key = occurrence | MANY | this.currRuleShortName;
    const gate = typeof many === "function" ? undefined : many.GATE;
    const action = typeof many === "function" ? many : many.DEF;
    for (let before = -2; before < this.currIdx;) {
      if (gate !== undefined && !gate.call(this)) return;
      if (this.openings(key, 0) === 0) return;
      before = this.currIdx;
      action.call(this);
    }
  }

  protected orInternal<R>(choice: Alternatives<R> | OrMethodOpts<R>, occurrence: number): R {
    const alternatives = Array.isArray(choice) ? choice : choice.DEF;
    let open = this.openings(occurrence | OR | this.currRuleShortName, alternatives.length);
    for (let index = 0; open !== 0; index++, open >>>= 1) {
      if ((open & 1) === 0) continue;
      const { GATE, ALT } = alternatives[index]!;
      if (GATE === undefined || GATE.call(this)) return ALT.call(this);
    }
    throw UNEXPECTED;
  }
}
