/**
 * How large an error a device may have when every kernel is right: rounding of f32, and of the activations that products
 * of quantized matrices round to 8 bits.
 *
 * A block of 32 roughly normal numbers has its largest near 2.3 deviations, so a step of its 8-bit grid is 2.3 / 127
 * deviations and rounding to it costs step / sqrt(12) = 5.2e-3 of their size. In the groups of 256 that wide tiles read it
 * is near 3 deviations, which costs 6.8e-3. Rounding in f32 costs 2^-24 for each of the
 * sums of a product; 1e-6 bounds products of up to a thousand terms many times over. Errors of products one behind the
 * other add up in quadrature. Norms, softmax and activations can stretch them: a factor of 4 covers what
 * well-conditioned models do. A token that changes its expert is not covered, and is shown by itself.
 */
import { isBlocked } from "../../compiler/4-schedule/layout/layouts.js";
import { isWide } from "../../compiler/4-schedule/layout/wide.js";
import type { CacheStorage } from "../../compiler/4-schedule/options.js";
import type { Plan, PlanWeight } from "../../compiler/4-schedule/plan.js";

const ROUNDED_BLOCKS = 5.2e-3;
const ROUNDED_GROUPS = 6.8e-3;
const ROUNDED_F32 = 1e-6;
const STRETCH = 4;

/**
 * The distance of neighbours, relative to a number, in the formats of caches; in blocks relative to the deviation, of
 * which the largest of 32 numbers has 2.3.
 */
const STEPS: Readonly<Record<CacheStorage, number>> = { f32: 0, f16: 2 ** -10, bf16: 2 ** -7, q8_0: 2.3 / 127 };

/** Upper bound of the relative error of a plan's results against its own stored parameters and caches. */
export function expectedError(plan: Plan, cache: CacheStorage = "f32"): number {
  const errors = plan.weights.map(productError);
  const squares = plan.weights.map((weight, index) => products(weight) * errors[index]! ** 2);
  const cached = plan.states.map(({ kind, layers }) => (kind === "cache" ? layers : 0));
  // A number nearer to the edge of its step s than its error e is stored as its neighbour: 2 e / s of them, s away.
  const moved = cached.map((layers) => layers * 2 * Math.max(ROUNDED_F32, ...errors) * STEPS[cache]);
  const sum = [...squares, ...moved].reduce((total, square) => total + square, 0);
  return STRETCH * Math.sqrt(Math.max(sum, ROUNDED_F32 ** 2));
}

/** Products with this parameter on a token's way: one for each layer. */
function products(weight: PlanWeight): number {
  return weight.axes.slice(0, weight.layerAxes).reduce((product, axis) => product * axis.size, 1);
}

function productError({ storage, matrix, layout }: PlanWeight): number {
  if (!matrix || !isBlocked(storage)) return ROUNDED_F32;
  return isWide(layout) ? ROUNDED_GROUPS : ROUNDED_BLOCKS;
}
