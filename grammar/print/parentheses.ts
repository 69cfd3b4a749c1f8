/**
 * Where an expression needs parentheses: decided from the precedence table that the parser reads.
 */
import { BINARY_RANKS, RANK } from "../precedence.js";
import type { Expression } from "../tree.js";

/** How tightly an expression holds together. */
export function rankOf(node: Expression): number {
  switch (node.kind) {
    case "binary":
      return BINARY_RANKS[node.operator].rank;
    case "unary":
      return RANK.unary;
    case "arrow":
      return RANK.arrow;
    case "of":
      return RANK.of;
    case "range":
      return RANK.range;
    case "lambda":
    case "if":
    case "fold":
    case "mode":
      return RANK.open;
    case "member":
    case "call":
    case "index":
      return RANK.postfix;
    default:
      return RANK.atom;
  }
}

/** The operand at the right end, if the expression ends with one. */
function rightEnd(node: Expression): Expression | undefined {
  switch (node.kind) {
    case "binary":
      return node.right;
    case "unary":
      return node.operand;
    case "arrow":
    case "range":
      return node.to;
    case "of":
      return node.body;
    default:
      return undefined;
  }
}

/** The right-hand body of a form that stretches, which ends where the form ends. */
function lastPart(node: Expression): Expression | undefined {
  switch (node.kind) {
    case "lambda":
    case "fold":
      return node.body;
    case "if":
      return node.else;
    case "mode":
      return node.otherwise;
    default:
      return rightEnd(node);
  }
}

function endsWith(
  node: Expression,
  step: (node: Expression) => Expression | undefined,
  test: (node: Expression) => boolean,
): boolean {
  for (let at: Expression | undefined = node; at !== undefined; at = step(at)) if (test(at)) return true;
  return false;
}

/** Ends with a form that would swallow what follows. */
function endsOpen(node: Expression): boolean {
  return endsWith(node, rightEnd, (each) => rankOf(each) === RANK.open);
}

/** `lowest` is the rank which the operand must have; on the right a stretching form may stand bare. */
export function operandNeeds(node: Expression, lowest: number, side: "left" | "right"): boolean {
  if (rankOf(node) === RANK.open) return side === "left";
  if (side === "left" && endsOpen(node)) return true;
  return rankOf(node) < lowest;
}

/** The object of `.`, `(` or `[`. A number would swallow a following `.5`, and braces take no suffix. */
export function objectNeeds(node: Expression): boolean {
  return rankOf(node) < RANK.postfix || node.kind === "block" || node.kind === "number" || node.kind === "ratio";
}

/** A mode branch without `else` must not stand before the `else` of an `if`. */
export function beforeElseNeeds(node: Expression): boolean {
  return endsWith(node, lastPart, (each) => each.kind === "mode" && each.otherwise === undefined);
}
