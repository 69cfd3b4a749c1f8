/**
 * Wide records as bf16 numbers, for processors that multiply tiles of these. A quant takes the highest places of a
 * mantissa, so that one multiply-add makes the number of it without a rounding; bf16 keeps 8 of its bits, which moves it
 * by at most 2^-9 of itself.
 */
import { add, and, bitcast, fma, mul, or, shl, shru, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import { blockElements } from "./layouts.js";
import { halves, scalesAt, type WideTile } from "./wide-dots.js";
import { halfBytes, recordRows, recordScaleBytes, wideRecordBytes, type WideQuants } from "./wide-layouts.js";

/** bf16 numbers of a block of 32 columns and 16 outputs: pairs of columns, those of all outputs side by side. */
export const blockNumbers = blockElements * recordRows;

/** Bits of a quant, and how much larger it is stored than it is. */
const stored: Readonly<Record<WideQuants, { readonly bits: number; readonly offset: number }>> = {
  q4_0: { bits: 4, offset: 8 },
  q8_0: { bits: 8, offset: 128 },
};

/** Places of the mantissa of f32, and the bits of 1. */
const mantissaBits = 23;
const one = 0x3f800000;

/** The places in a word of its columns, in their order (`wide-layouts.ts`). */
function placesOf(format: WideQuants): readonly number[] {
  const bytes = [0, 8, 16, 24];
  return format === "q8_0" ? bytes : [...bytes, ...bytes.map((bit) => bit + 4)];
}

const shifted = (value: Expression, by: number): Expression =>
  by === 0 ? value : by > 0 ? shl(value, by) : shru(value, -by);

/** Two vectors of f32 as pairs of bf16, the first one in the low halves; rounded to the nearest, halves away from zero. */
function pairOf(k: KernelBuilder, first: Expression, second: Expression): Expression {
  const rounded = (value: Expression): Expression =>
    k.let("rounded", add(k.let("bits", bitcast(value, "i32")), 0x8000));
  return or(shru(rounded(first), 16), and(rounded(second), -0x10000));
}

/** Where numbers go: bf16, from number `to` on. */
interface NumberPlace {
  readonly target: BufferHandle;
  readonly to: number;
}

/** Unpack `count` records from the start of the tile on, block behind block. */
export function unpackNumbers(
  k: KernelBuilder,
  shapes: WideShapes,
  { format, bytes, start }: WideTile,
  count: Operand,
  { target, to }: NumberPlace,
): void {
  const { bits, offset } = stored[format];
  const mask = ((1 << bits) - 1) << (mantissaBits - bits);
  const whole = 1 << bits;
  const places = placesOf(format);
  k.loop("unpacked", 0, count, 1, (record) => {
    const at = k.let("at", add(start, mul(record, wideRecordBytes(format))));
    const place = k.let("place", add(mul(record, halves.length * blockNumbers), to));
    k.loop("half", 0, halves.length, 1, (half) => {
      const scales = scalesAt(k, shapes, bytes, k.let("scales", add(at, mul(half, 2 * recordRows))));
      // (1 + q / whole) whole d - (whole + offset) d
      const [unit, less] = [k.let("unit", mul(scales, whole)), k.let("less", mul(scales, -whole - offset))];
      const source = k.let("source", add(add(at, recordScaleBytes), mul(half, halfBytes[format])));
      const own = k.let("own", add(place, mul(half, blockNumbers)));
      k.loop("word", 0, blockElements / places.length, 1, (word) => {
        const from = k.let("from", add(source, mul(word, 4 * recordRows)));
        const quants = k.let("quants", k.load(bytes, from, { lanes: recordRows, as: "i32" }));
        const index = k.let("index", add(own, mul(word, places.length * recordRows)));
        const columns = places.map((bit) => {
          const mantissa = k.let("mantissa", and(shifted(quants, mantissaBits - bits - bit), mask));
          return k.let("w", fma(k.let("fraction", bitcast(or(mantissa, one), "f32")), unit, less));
        });
        for (let column = 0; column < places.length; column += 2) {
          const pair = pairOf(k, columns[column]!, columns[column + 1]!);
          k.store(target, add(index, column * recordRows), pair, { as: "i32" });
        }
      });
    });
  });
}
