/** What people write for the ops that the checker makes of it: errors speak of `*`, not of `mul`. */
import type { BinaryOperator } from "../../../grammar/tree.js";
import type { Attrs } from "../../ops/types.js";

/** The op of each operator between two values; `@` is a product over the axis that both sides share. */
export const BINARY_OPS = {
  "|": "or",
  "&": "and",
  "==": "eq",
  "!=": "ne",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "mod",
  "**": "pow",
  "@": "contract",
} as const satisfies Readonly<Record<BinaryOperator, string>>;

const WORDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(BINARY_OPS).map(([operator, op]) => [op, operator])),
  not: "!",
  neg: "-",
  routes_scale: "*",
  routes_make: "routes",
  routes_dense: "weights",
  routes_index: "indices",
  routes_weight: "slot_weights",
  routes_count: "counts",
  routes_limit: "limit",
  route: "choose",
};

/** With two sides they are called by these. */
const SIDED: ReadonlySet<string> = new Set(Object.keys(WORDS).filter((op) => /^\W/.test(WORDS[op]!)));

const SIDES = ["the left side", "the right side"];

/** The slots of an op's complaint in the words of the language. */
export function spoken(slots: Readonly<Record<string, string>>, attrs: Attrs = {}): Readonly<Record<string, string>> {
  const { op, other } = slots;
  if (op === undefined) return slots;
  const kind = op === "reduce" ? attrs["kind"] : undefined;
  const word = typeof kind === "string" ? kind : (WORDS[op] ?? op);
  const number = /^operand (\d)$/.exec(other ?? "")?.[1];
  if (number === undefined) return { ...slots, op: word };
  const ordinal = ["first", "second", "third", "fourth"][Number(number)];
  const where = SIDED.has(op) ? SIDES[Number(number)] : ordinal && `the ${ordinal} argument`;
  return { ...slots, op: word, other: where ?? other! };
}
