/**
 * Activations to integers by blocks of 32: q = round(x * 127 / max|x|), scale = max|x| / 127. An all-zero block has scale
 * 0. The sums of the quants let 4-bit weights be stored with an offset of 8.
 */
import {
  add,
  and,
  bitcast,
  compare,
  constant,
  div,
  max,
  mul,
  reduce,
  select,
  splat,
  sub,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { blockElements } from "./layouts.js";

export interface QuantizedActivations {
  /** i16 for q8 weights, i8 for q4 weights: one element for each activation. */
  readonly quants: BufferHandle;
  /** f32, one for each block. */
  readonly scales: BufferHandle;
  /** i32, one for each block: the sum of its quants. */
  readonly sums?: BufferHandle;
}

/** Adding 1.5 * 2^23 rounds to a whole number, half to even, which then lies in the low bits. */
const roundingShift = 12582912;
const roundingShiftBits = 0x4b400000;

/** Quantize `blocks` blocks from element `from` of `source` to element `to` (and block `to / 32`) of `target`. */
export function quantizeBlocks(
  k: KernelBuilder,
  source: BufferHandle,
  from: Operand,
  target: QuantizedActivations,
  to: Operand,
  blocks: Operand,
): void {
  const i32x4 = registerType("i32", 4);
  const toBlock = div(to, blockElements);
  k.loop("quantized", 0, blocks, 1, (block) => {
    const start = k.let("start", mul(block, blockElements));
    const largest = k.variable("largest", 0, i32x4);
    const at = (offset: Operand): Expression => k.load(source, add(add(from, start), offset), { lanes: 4 });
    // Without their sign floats are ordered like their bits, and integers have a cheaper maximum.
    const size = (j: Operand): Expression => and(bitcast(at(j), "i32"), 0x7fffffff);
    k.loop("j", 0, blockElements, 4, (j) => largest.set(max(largest.get, size(j))));
    const bound = k.let("bound", bitcast(reduce("max", largest.get), "f32"));
    const inverse = k.let("inverse", select(compare("gt", bound, 0), div(constant(127, bound.type), bound), 0));
    k.store(target.scales, add(toBlock, block), div(bound, 127));
    const sum = target.sums && k.variable("total", 0, i32x4);
    k.loop("j", 0, blockElements, 4, (j) => {
      const shifted = add(mul(at(j), splat(inverse, 4)), roundingShift);
      const quants = k.let("quants", sub(bitcast(shifted, "i32"), roundingShiftBits));
      k.store(target.quants, add(add(to, start), j), quants);
      sum?.set(add(sum.get, quants));
    });
    if (target.sums && sum) k.store(target.sums, add(toBlock, block), reduce("add", sum.get));
  });
}
