/**
 * How tightly operators bind: one table for the parser, the printer and the reference.
 */
import type { BinaryOperator } from "./tree.js";

/** Where an operator stands and how it groups. `none`: does not chain without parentheses. */
export interface OperatorRank {
  readonly rank: number;
  readonly groups: "left" | "right" | "none";
}

/** From loosest to tightest: `->`, `of`, `..`, then these, with the unary operators just below `**`. */
export const BINARY_RANKS: Readonly<Record<BinaryOperator, OperatorRank>> = {
  "|": { rank: 4, groups: "left" },
  "&": { rank: 5, groups: "left" },
  "==": { rank: 6, groups: "none" },
  "!=": { rank: 6, groups: "none" },
  "<": { rank: 6, groups: "none" },
  "<=": { rank: 6, groups: "none" },
  ">": { rank: 6, groups: "none" },
  ">=": { rank: 6, groups: "none" },
  "+": { rank: 7, groups: "left" },
  "-": { rank: 7, groups: "left" },
  "*": { rank: 8, groups: "left" },
  "/": { rank: 8, groups: "left" },
  "%": { rank: 8, groups: "left" },
  "@": { rank: 9, groups: "left" },
  "**": { rank: 11, groups: "right" },
};

/** Ranks of the forms that are no binary operators. */
export const RANK = { open: 0, arrow: 1, of: 2, range: 3, lowestBinary: 4, unary: 10, postfix: 12, atom: 13 } as const;

/** True when `text` spells a binary operator. */
export function isBinaryOperator(text: string): text is BinaryOperator {
  return Object.hasOwn(BINARY_RANKS, text);
}
