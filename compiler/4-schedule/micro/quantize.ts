/**
 * Activations to integers by blocks of 32: q = round(x * 127 / max|x|), scale = max|x| / 127. An all-zero block has scale
 * 0. The sums of the quants let 4-bit weights be stored with an offset of 8.
 */
import {
  abs,
  add,
  compare,
  constant,
  convert,
  div,
  max,
  mul,
  reduce,
  select,
  splat,
  unary,
  type Operand,
} from "../kernel-expressions.js";
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

/** Quantize `blocks` blocks from element `from` of `source` to element `to` (and block `to / 32`) of `target`. */
export function quantizeBlocks(
  k: KernelBuilder,
  source: BufferHandle,
  from: Operand,
  target: QuantizedActivations,
  to: Operand,
  blocks: Operand,
): void {
  const f32x4 = registerType("f32", 4);
  const toBlock = div(to, blockElements);
  k.loop("quantized", 0, blocks, 1, (block) => {
    const start = k.let("start", mul(block, blockElements));
    const largest = k.variable("largest", 0, f32x4);
    const at = (offset: Operand): ReturnType<KernelBuilder["load"]> =>
      k.load(source, add(add(from, start), offset), { lanes: 4 });
    k.loop("j", 0, blockElements, 4, (j) => largest.set(max(largest.get, abs(at(j)))));
    const bound = k.let("bound", reduce("max", largest.get));
    const inverse = k.let("inverse", select(compare("gt", bound, 0), div(constant(127, bound.type), bound), 0));
    k.store(target.scales, add(toBlock, block), div(bound, 127));
    const sum = target.sums && k.variable("total", 0, registerType("i32", 4));
    k.loop("j", 0, blockElements, 4, (j) => {
      const quants = k.let("quants", convert(unary("round", mul(at(j), splat(inverse, 4))), "i32"));
      k.store(target.quants, add(add(to, start), j), quants);
      sum?.set(add(sum.get, quants));
    });
    if (target.sums && sum) k.store(target.sums, add(toBlock, block), reduce("add", sum.get));
  });
}
