/** Powers of e that the softmax of attention weighs keys by. */
import { compare, constant, exp, select } from "../kernel-expressions.js";
import type { KernelBuilder } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";

/**
 * Difference to the greatest score from which on a key has no weight. The sum of the weights is 1 at least, and e^-80 is
 * less than 2^-115: no bit of the sum changes, were there 2^90 such keys.
 */
const leastDifference = -80;

/**
 * On processors, e^difference of f32, lanes or one, for differences to a greatest score: 0 below `leastDifference`, NaN of NaN.
 * Powers of less, or values times them, would be numbers below 2^-126, and some processors take a slow path for each
 * instruction that meets one (docs/benchmarks-native.md). e^-inf, of masked keys, is among them, as the last product of
 * `exp` is too small.
 */
export function weightOfKey(k: KernelBuilder, difference: Expression): Expression {
  const { type } = difference;
  const own = k.let("difference", difference);
  const isNone = k.let("is_none", compare("lt", own, leastDifference));
  return select(isNone, constant(0, type), exp(select(isNone, constant(leastDifference, type), own)));
}

/**
 * What the scores of a row are taken relative to, f32, lanes or one: the greatest so far. Where nothing is allowed yet,
 * differences to 0 keep -inf what it is.
 */
export function baseOfScores(k: KernelBuilder, greatest: Expression): Expression {
  const { type } = greatest;
  const isNone = compare("eq", greatest, constant(-Infinity, type));
  return k.let("base", select(isNone, constant(0, type), greatest));
}
