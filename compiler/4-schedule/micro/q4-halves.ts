/** The numbers of records of q4 tiles (`layouts.ts`) as bytes of 0..15: vectors of four rows, four columns of each. */
import { add, and, mul, shru } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import { sixteenBytes } from "./block-sums.js";
import { scaleBytes } from "./layouts.js";
import { highHalf, lowHalf } from "./wide-dots.js";

/** Columns 8 * eight .. 8 * eight + 3 of a vector of rows, and the next four. */
export function halvesAt(
  k: KernelBuilder,
  bytes: BufferHandle,
  record: Expression,
  eight: Expression,
  vector: number,
): readonly [Expression, Expression] {
  const at = add(add(record, mul(eight, 64)), scaleBytes + vector * 16);
  const quants = k.let("w", k.load(bytes, at, sixteenBytes));
  return [k.let("low", lowHalf(quants)), k.let("high", highHalf(quants))];
}

/** A record from byte `to` of `target` on: for each four columns the four vectors. */
export function unpackHalves(
  k: KernelBuilder,
  bytes: BufferHandle,
  record: Expression,
  target: BufferHandle,
  to: Expression,
): void {
  k.loop("sixteen", 0, 16, 1, (sixteen) => {
    const quants = k.let("w", k.load(bytes, add(add(record, mul(sixteen, 16)), scaleBytes), sixteenBytes));
    // Vector `sixteen % 4` of the eight columns number `sixteen / 4`: their lower four first.
    const place = add(add(to, mul(shru(sixteen, 2), 128)), mul(and(sixteen, 3), 16));
    k.store(target, place, lowHalf(quants));
    k.store(target, add(place, 64), highHalf(quants));
  });
}
