/**
 * How large an error a device may have when every kernel is right: rounding of f32, and of the activations that products
 * of quantized matrices round to 8 bits.
 *
 * A block of 32 roughly normal numbers has its largest near 2.3 deviations, so a step of its 8-bit grid is 2.3 / 127
 * deviations and rounding to it costs step / sqrt(12) = 5.2e-3 of their size. Rounding in f32 costs 2^-24 for each of the
 * sums of a product; 1e-6 bounds products of up to a thousand terms many times over. Errors of products one behind the
 * other add up in quadrature. Norms, softmax and activations can stretch them: a factor of 4 covers what
 * well-conditioned models do. A token that changes its expert is not covered, and is shown by itself.
 */
import type { Plan, PlanWeight } from "../../compiler/4-schedule/plan.js";
import { STORAGE } from "../../compiler/checkpoints/storage.js";

const ROUNDED_ACTIVATIONS = 5.2e-3;
const ROUNDED_F32 = 1e-6;
const STRETCH = 4;

/** Upper bound of the relative error of a plan's results against its own stored parameters. */
export function expectedError(plan: Plan): number {
  const squares = plan.weights.map((weight) => products(weight) * productError(weight) ** 2);
  const sum = squares.reduce((total, square) => total + square, 0);
  return STRETCH * Math.sqrt(Math.max(sum, ROUNDED_F32 ** 2));
}

/** Products with this parameter on a token's way: one for each layer. */
function products(weight: PlanWeight): number {
  return weight.axes.slice(0, weight.layerAxes).reduce((product, axis) => product * axis.size, 1);
}

function productError({ storage, matrix }: PlanWeight): number {
  if (!matrix) return ROUNDED_F32;
  return STORAGE[storage].blockValues > 1 ? ROUNDED_ACTIVATIONS : ROUNDED_F32;
}
