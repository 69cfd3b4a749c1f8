/** Wide records to bytes of quants and f32 scales in the first cache, for products with many rows. */
import { add, and, bitcast, mul, shl, shru, sub, xor, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import { isK, type KRecords } from "./k-layouts.js";
import { halves, highHalf, lowHalf, quantsAt, scalesAt, tileVectors, words, type WideTile } from "./wide-dots.js";
import {
  groupRecords,
  halfBytes,
  recordRows,
  recordScaleBytes,
  wideRecordBytes,
  type WideQuants,
} from "./wide-layouts.js";

/** Bytes of the f32 scales of both halves, at the start of an unpacked record. */
export const unpackedScales = 2 * 4 * recordRows;
/** Bytes of half a record with a byte for each quant. */
export const planeBytes = 4 * words * recordRows;

/**
 * What a half is unpacked to: bytes of the weights plus 128, as they are in q8_0 and in q4_0 16 times as large; where
 * products are signed, the weights themselves; or, where products are added in pairs, the low and high bits of each byte
 * apart (`wide-dots.ts`).
 */
export const planesOf = (format: WideQuants, { quads }: WideShapes): 1 | 2 => (quads || format === "q4_0" ? 1 : 2);

/** Which list of the target's shapes says what many rows of a format are multiplied by. */
export const tileList = (
  format: WideQuants | KRecords,
  shapes: WideShapes,
): "byteTiles" | "splitTiles" | "fineTiles" =>
  isK(format) ? "fineTiles" : planesOf(format, shapes) === 1 ? "byteTiles" : "splitTiles";

export const unpackedRecordBytes = (format: WideQuants, shapes: WideShapes): number =>
  unpackedScales + 2 * planesOf(format, shapes) * planeBytes;

/** Bytes of scratch memory for one tile: the records of a group. */
export const unpackedTileBytes = (format: WideQuants, shapes: WideShapes): number =>
  groupRecords * unpackedRecordBytes(format, shapes);

/** Sixteen times the low bits of each byte. */
const lowBytes = (bytes: Expression): Expression => and(bitcast(shl(bitcast(bytes, "i16"), 4), "i8"), -16);

/** Unpack `count` records from byte `from` into `target` (u8) from byte `to`. */
export function unpackRecords(
  k: KernelBuilder,
  shapes: WideShapes,
  { format, bytes }: WideTile,
  from: Expression,
  count: Operand,
  target: BufferHandle,
  to: number,
): void {
  const { lanes, quads, signed } = shapes;
  const size = wideRecordBytes(format);
  const planes = planesOf(format, shapes);
  k.loop("unpacked", 0, count, 1, (record) => {
    const at = k.let("at", add(from, mul(record, size)));
    const place = k.let("place", add(mul(record, unpackedRecordBytes(format, shapes)), to));
    for (const half of halves) {
      const source = add(at, recordScaleBytes + half * halfBytes[format]);
      const byte = add(place, unpackedScales + half * planes * planeBytes);
      for (const vector of tileVectors(shapes)) {
        const scales = scalesAt(k, shapes, bytes, add(at, 32 * half + 2 * lanes * vector));
        const unit = quads && !signed && format === "q4_0" ? mul(scales, 1 / 16) : scales;
        k.store(target, add(place, 64 * half + 4 * lanes * vector), unit, { as: "f32" });
        const put = (word: number, plane: number, value: Expression): void =>
          k.store(target, add(byte, plane * planeBytes + 64 * word + 4 * lanes * vector), value);
        const load = (word: number): Expression =>
          quantsAt(k, shapes, bytes, add(source, 64 * word + 4 * lanes * vector));
        if (format === "q4_0") {
          for (let c = 0; c < words / 2; c++) {
            const both = load(c);
            const [low, high] = signed
              ? [sub(lowHalf(both), 8), sub(shru(both, 4), 8)]
              : quads
                ? [lowBytes(both), and(both, -16)]
                : [lowHalf(both), highHalf(both)];
            put(2 * c, 0, low);
            put(2 * c + 1, 0, high);
          }
        } else {
          for (let j = 0; j < words; j++) {
            const both = load(j);
            put(j, 0, signed ? xor(both, -128) : quads ? both : lowHalf(both));
            if (!quads) put(j, 1, highHalf(both));
          }
        }
      }
    }
  });
}
