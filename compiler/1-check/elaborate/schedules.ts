/** Values that depend on the training step, read at one step. */
import type { Expression } from "../../../grammar/tree.js";
import type { Place, Walk } from "../context.js";
import { numberValue, unknown, type Value } from "../values.js";
import { at } from "../context.js";
import { evaluate, needNumber } from "./evaluate.js";

/** `anneal(…)` reads the step of the walk, so a schedule is an expression like any other; it gives a number. */
export function scheduleValue(walk: Walk, value: Expression, place: Place): Value {
  const number = needNumber(walk, evaluate(walk, value, place), at(place, value));
  return number ? numberValue(number) : unknown;
}
