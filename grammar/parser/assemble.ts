/**
 * Operators and operands, read as a flat row, become a tree by the precedence table.
 */
import { BINARY_RANKS, RANK, isBinaryOperator, type OperatorRank } from "../precedence.js";
import type { Expression, Span, UnaryOperator } from "../tree.js";

/** One operand with its prefix operators, and where it stands with its parentheses. */
export interface Operand {
  readonly prefixes: readonly { readonly operator: UnaryOperator; readonly start: number }[];
  readonly value: Expression;
  readonly span: Span;
  /** A lambda, `if`, `fold`, `scan` or mode branch: nothing may follow it in the row. */
  readonly open: boolean;
}

export interface Operator {
  readonly text: string;
  readonly span: Span;
}

/** Called where two operators of one rank stand side by side that do not chain. */
export type OnChain = (operator: Operator) => void;

function rankOf(text: string): OperatorRank {
  if (isBinaryOperator(text)) return BINARY_RANKS[text];
  if (text === "..") return { rank: RANK.range, groups: "none" };
  if (text === "of") return { rank: RANK.of, groups: "right" };
  return { rank: RANK.arrow, groups: "none" };
}

interface Placed {
  readonly value: Expression;
  readonly span: Span;
}

/** Builds the tree of a row; `operators` is one shorter than `operands`. */
export function assemble(operands: readonly Operand[], operators: readonly Operator[], onChain: OnChain): Expression {
  let at = 0;

  const climb = (lowest: number): Placed => {
    let left = prefixed();
    let lastUnchained = -1;
    for (let operator = operators[at]; operator !== undefined; operator = operators[at]) {
      const { rank, groups } = rankOf(operator.text);
      if (rank < lowest) break;
      const chains = groups === "none" && rank === lastUnchained;
      if (chains) onChain(operator);
      lastUnchained = groups === "none" ? rank : -1;
      at += 1;
      left = join(operator, left, climb(groups === "right" ? rank : rank + 1));
      // Which of the two comparisons was meant is unknown, so later stages stay silent about both.
      if (chains) left = { value: { kind: "error", span: left.span }, span: left.span };
    }
    return left;
  };

  const prefixed = (): Placed => {
    const operand = operands[at]!;
    if (operand.prefixes.length === 0) return operand;
    // A power binds tighter than a sign: -a ** b is -(a ** b).
    let inner: Placed = { value: operand.value, span: operand.span };
    while (operators[at]?.text === "**") {
      const operator = operators[at]!;
      at += 1;
      inner = join(operator, inner, climb(BINARY_RANKS["**"].rank));
    }
    for (const { operator, start } of [...operand.prefixes].reverse()) {
      const span = { start, end: inner.span.end };
      inner = { value: { kind: "unary", operator, operand: inner.value, span }, span };
    }
    return inner;
  };

  return climb(RANK.arrow).value;
}

function join(operator: Operator, left: Placed, right: Placed): Placed {
  const span = { start: left.span.start, end: right.span.end };
  const text = operator.text;
  if (isBinaryOperator(text)) {
    const value: Expression = {
      kind: "binary",
      operator: text,
      left: left.value,
      right: right.value,
      operatorSpan: operator.span,
      span,
    };
    return { value, span };
  }
  if (text === "..") return { value: { kind: "range", from: left.value, to: right.value, span }, span };
  if (text === "of") return { value: { kind: "of", count: left.value, body: right.value, span }, span };
  return { value: { kind: "arrow", from: left.value, to: right.value, span }, span };
}
