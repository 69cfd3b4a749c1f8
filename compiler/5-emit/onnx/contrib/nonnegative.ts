/** Which values cannot be below 0, as far as the ops that made them say. */
import type { Node, ValueId } from "../../../2-graph/ir.js";

const ALWAYS = new Set(["softmax", "sigmoid", "exp", "abs", "relu", "softplus", "sqrt", "rsqrt", "top_mask"]);
/** Not below 0 when their first operand is not: ops that move, choose or add up. */
const AS_FIRST = new Set(
  "rename split merge order expand slice gather reduce cumsum reciprocal floor ceil route routes_limit routes_dense".split(" "), // prettier-ignore
);
const AS_ALL = new Set(["add", "mul", "div", "min", "concat", "routes_scale"]);

/** @param nodeOf What made a value; undefined for one that comes from outside. */
export function isNonNegative(id: ValueId, nodeOf: (id: ValueId) => Node | undefined): boolean {
  const node = nodeOf(id);
  if (!node) return false;
  const { op, operands, attrs } = node;
  const test = (operand: ValueId): boolean => isNonNegative(operand, nodeOf);
  if (ALWAYS.has(op)) return true;
  if (op === "constant") return typeof attrs.value === "number" && attrs.value >= 0;
  if (op === "max") return operands.some(test);
  if (op === "where") return operands.slice(1).every(test);
  // Operands of `routes_make` are indices and weights; those of `route` by `only` are experts, whose weight is 1.
  if (op === "routes_make") return test(operands[1]!);
  if (op === "route" && attrs.choice === "only") return true;
  if (AS_FIRST.has(op)) return test(operands[0]!);
  return AS_ALL.has(op) && operands.every(test);
}
