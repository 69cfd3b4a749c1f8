/** Values that depend on the training step, read at one step. */
import type { Expression } from "../../../grammar/tree.js";
import type { Place, Walk } from "../context.js";
import type { Value } from "../values.js";
import { evaluate } from "./evaluate.js";

/** `anneal(…)` reads the step of the walk, so a schedule is an expression like any other. */
export function scheduleValue(walk: Walk, value: Expression, place: Place): Value {
  return evaluate(walk, value, place);
}
