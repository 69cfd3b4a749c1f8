/**
 * Activations to integers by blocks of 32: q = round(x * 127 / max|x|), scale = max|x| / 127. An all-zero block has scale
 * 0. The sums of the quants let weights be multiplied with an offset.
 */
import {
  add,
  and,
  bitcast,
  compare,
  constant,
  div,
  extract,
  max,
  mul,
  or,
  reduce,
  select,
  shl,
  splat,
  sub,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { blockElements } from "./layouts.js";

export interface QuantizedActivations {
  /** One element for each activation, i16 or i8 as the products of the target take them (`ByteDots.quants`). */
  readonly quants: BufferHandle;
  /** Four quants of i8 are stored as one word, where a store of less is dear. */
  readonly inWords?: true;
  /** f32, one for each block. */
  readonly scales: BufferHandle;
  /** i32, one for each block: what its products begin with, a multiple of the sum of its quants. */
  readonly starts?: BufferHandle;
}

/** Where quants go. */
export interface QuantizationTarget extends Omit<QuantizedActivations, "starts"> {
  /** What the sum of each block is multiplied by, and where that goes. */
  readonly starts?: { readonly buffer: BufferHandle; readonly offset: Operand };
}

/** Adding 1.5 * 2^23 rounds to a whole number, half to even, which then lies in the low bits. */
const roundingShift = 12582912;
const roundingShiftBits = 0x4b400000;

/** |x| as bits: without their sign floats are ordered like their bits, and integers have a cheaper maximum. */
export const magnitude = (x: Expression): Expression => and(bitcast(x, "i32"), 0x7fffffff);

/** Of a block with these greatest magnitudes by lane: the greatest number, and 127 divided by it (0 for an empty block). */
export function blockBound(
  k: KernelBuilder,
  largest: Expression,
): { readonly bound: Expression; readonly inverse: Expression } {
  const bound = k.let("bound", bitcast(reduce("max", largest), "f32"));
  const inverse = k.let("inverse", select(compare("gt", bound, 0), div(constant(127, bound.type), bound), 0));
  return { bound, inverse };
}

/** The quants (i32) of a vector of numbers. */
export function quantsOf(k: KernelBuilder, x: Expression, inverse: Expression): Expression {
  const shifted = add(mul(x, splat(inverse, x.type.lanes)), roundingShift);
  return k.let("quants", sub(bitcast(shifted, "i32"), roundingShiftBits));
}

/** Four quants as the bytes of a word. */
const wordOf = (quants: Expression): Expression =>
  [1, 2, 3].reduce(
    (word, lane) => or(word, shl(and(extract(quants, lane), 255), 8 * lane)),
    and(extract(quants, 0), 255),
  );

/** Quantize `blocks` blocks from element `from` of `source` to element `to` (and block `to / 32`) of `target`. */
export function quantizeBlocks(
  k: KernelBuilder,
  source: BufferHandle,
  from: Operand,
  target: QuantizationTarget,
  to: Operand,
  blocks: Operand,
): void {
  const i32x4 = registerType("i32", 4);
  const toBlock = div(to, blockElements);
  const { starts } = target;
  const factor = typeof starts?.offset === "object" ? k.let("sum_offset", starts.offset) : starts?.offset;
  k.loop("quantized", 0, blocks, 1, (block) => {
    const start = k.let("start", mul(block, blockElements));
    const largest = k.variable("largest", 0, i32x4);
    const at = (offset: Operand): Expression => k.load(source, add(add(from, start), offset), { lanes: 4 });
    k.loop("j", 0, blockElements, 4, (j) => largest.set(max(largest.get, magnitude(at(j)))));
    const { bound, inverse } = blockBound(k, largest.get);
    k.store(target.scales, add(toBlock, block), div(bound, 127));
    const sum = starts && k.variable("total", 0, i32x4);
    k.loop("j", 0, blockElements, 4, (j) => {
      const quants = quantsOf(k, at(j), inverse);
      const place = add(add(to, start), j);
      if (target.inWords) k.store(target.quants, place, wordOf(quants), { as: "i32" });
      else k.store(target.quants, place, quants);
      sum?.set(add(sum.get, quants));
    });
    if (starts && sum) k.store(starts.buffer, add(toBlock, block), mul(reduce("add", sum.get), factor!));
  });
}
