/** `contract`: the general product of two tensors over named axes. */
import { mul } from "../kernel-expressions.js";
import type { RegionLowering } from "./region.js";
import { productOf } from "./product.js";
import { reduced } from "./reduction.js";
import { alignedAxes, Mapped, type Tensor } from "./tensor.js";

export function contractTensors(lowering: RegionLowering, a: Tensor, b: Tensor, over: readonly string[]): Tensor {
  const settle = (value: Tensor): Tensor => lowering.settled(value);
  const product = productOf(lowering.entry, a, b, over, settle) ?? productOf(lowering.entry, b, a, over, settle);
  if (product) return product;
  const [x, y] = [settle(a), settle(b)];
  if (over.length === 0) {
    return new Mapped("f32", alignedAxes([x, y]), [x, y], 1, (_, [left, right]) => mul(left!, right!));
  }
  return lowering.entry.store(reduced("dot", [x, y], over, lowering.store));
}
