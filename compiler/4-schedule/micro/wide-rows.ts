/**
 * Integer products of many rows with wide records: each part of the weights is unpacked once to bytes in the first cache
 * and multiplied with all rows.
 */
import {
  add,
  and,
  bitcast,
  convert,
  fma,
  min,
  mul,
  shl,
  shr,
  shru,
  splat,
  sub,
  xor,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { lineBytes } from "./ahead.js";
import { inRowGroups } from "./row-groups.js";
import {
  halves,
  highHalf,
  lowHalf,
  quantsAt,
  repeatedWords,
  scalesAt,
  startAt,
  dotSum,
  eachStep,
  tileVectors,
  words,
  type WideRow,
  type WideTile,
} from "./wide-dots.js";
import {
  activationBytes,
  activationGroupBytes,
  activationScale,
  groupRecords,
  halfBytes,
  recordRows,
  recordScaleBytes,
  wideRecordBytes,
  type WideQuants,
} from "./wide-layouts.js";

/** Bytes of the f32 scales of both halves, at the start of an unpacked record. */
const unpackedScales = 2 * 4 * recordRows;
/** Bytes of half a record with a byte for each quant. */
const planeBytes = 4 * words * recordRows;

/**
 * What a half is unpacked to: bytes of the weights plus 128, as they are in q8_0 and in q4_0 16 times as large; where
 * products are signed, the weights themselves; or, where products are added in pairs, the low and high bits of each byte
 * apart (`wide-dots.ts`).
 */
const planesOf = (format: WideQuants, { quads }: WideShapes): 1 | 2 => (quads || format === "q4_0" ? 1 : 2);

const unpackedRecordBytes = (format: WideQuants, shapes: WideShapes): number =>
  unpackedScales + 2 * planesOf(format, shapes) * planeBytes;

/** Bytes of scratch memory for one tile: the records of a group. */
export const unpackedTileBytes = (format: WideQuants, shapes: WideShapes): number =>
  groupRecords * unpackedRecordBytes(format, shapes);

/** Sixteen times the low bits of each byte. */
const lowBytes = (bytes: Expression): Expression => and(bitcast(shl(bitcast(bytes, "i16"), 4), "i8"), -16);

/** Unpack `count` records from byte `from` into `target` (u8) from byte `to`. */
function unpackRecords(
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

/** Unpacked records of one tile, or of a vector of it, from byte `start`. */
interface Unpacked {
  readonly bytes: BufferHandle;
  readonly start: number;
}

/** [row][vector] sums += unpacked records times rows, without the scale of the rows. */
function wideTile(
  k: KernelBuilder,
  shapes: WideShapes,
  format: WideQuants,
  parts: readonly Unpacked[],
  rows: readonly WideRow[],
  records: Operand,
  sums: readonly (readonly Variable[])[],
): void {
  const { lanes, quads, signed } = shapes;
  const planes = planesOf(format, shapes);
  k.loop("record", 0, records, 1, (record) => {
    const place = k.let("place", mul(record, unpackedRecordBytes(format, shapes)));
    const xs = rows.map(({ start }) => k.let("x_at", add(start, mul(record, activationBytes))));
    for (const half of halves) {
      const starts = signed ? [] : rows.map((row, i) => startAt(k, shapes, row, xs[i]!, half));
      const xWords = rows.map((row, i) => repeatedWords(k, shapes, row, xs[i]!, words * half));
      const integers = rows.map((_, i) =>
        parts.map(() => Array.from({ length: planes }, () => dotSum(k, shapes, starts[i]))),
      );
      eachStep(k, shapes, words, (word) => {
        for (let plane = 0; plane < planes; plane++) {
          const offset = unpackedScales + (half * planes + plane) * planeBytes;
          const at = add(place, mul(64, word));
          const weights = parts.map(({ bytes, start }) => quantsAt(k, shapes, bytes, add(at, start + offset)));
          rows.forEach((_, i) => {
            const x = xWords[i]!(word);
            parts.forEach((_, p) => integers[i]![p]![plane]!.step(x, weights[p]!));
          });
        }
      });
      parts.forEach(({ bytes, start }, p) => {
        const scales = k.let("w_scale", k.load(bytes, add(place, start + 64 * half), { lanes, as: "f32" }));
        rows.forEach((_, i) => {
          const [low, high] = integers[i]![p]!;
          const pairs = (): Expression =>
            high ? add(add(low!.value(), high.value(16)), starts[i]!) : add(low!.value(), shr(starts[i]!, 4));
          const sum = sums[i]![p]!;
          sum.set(fma(convert(quads ? low!.value() : pairs(), "f32"), scales, sum.get));
        });
      });
    }
  });
}

export interface WideRows {
  readonly tiles: readonly WideTile[];
  /** K / 64. */
  readonly records: number;
  readonly from: Expression;
  readonly to: Expression;
  readonly row: (number: Expression) => WideRow;
  /** f32, where the sums of a row and of all tiles lie side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** u8, `unpackedTileBytes` for each tile. */
  readonly unpacked: BufferHandle;
}

/** Lines of each tile's next records that a group of rows brings near, and how far they are apart for one row. */
const linesAhead = 5;
const bytesApart = 96;

/** Sums of rows `from..to` and a few tiles. A group of columns is a pass, so rows have one scale in it. */
export function wideRows(k: KernelBuilder, shapes: WideShapes, what: WideRows): void {
  const { tiles, records, unpacked, sums } = what;
  const { format } = tiles[0]!;
  const { lanes, byteVectors } = shapes;
  const size = wideRecordBytes(format);
  const starts = tiles.map((_, t) => t * unpackedTileBytes(format, shapes));
  const parts = starts.flatMap((start) =>
    tileVectors(shapes).map((vector) => ({ bytes: unpacked, start: start + 4 * lanes * vector })),
  );
  const vectorsOfTile = recordRows / lanes;
  const pass = (number: Operand, count: number, first: boolean): void => {
    const places = tiles.map((tile) => k.let("records", add(mul(number, groupRecords * size), tile.start)));
    tiles.forEach((tile, t) => unpackRecords(k, shapes, tile, places[t]!, count, unpacked, starts[t]!));
    /** Brings some lines of what the next pass unpacks near, others for each group of rows. */
    const ahead = (row: Expression, from: number, to: number): void => {
      const furthest = groupRecords * size - linesAhead * lineBytes;
      const reached = min(mul(sub(row, what.from), bytesApart), furthest);
      const place = k.let("ahead", add(reached, groupRecords * size));
      tiles.slice(from, to).forEach(({ bytes }, t) => {
        const at = k.let("ahead_at", add(places[from + t]!, place));
        for (let line = 0; line < linesAhead; line++) k.prefetch(bytes, add(at, line * lineBytes));
      });
    };
    /** Some rows and the vectors from `vector` on. */
    const rowsOf = (row: Expression, rowsNow: number, vector: number): void => {
      const numbers = Array.from({ length: rowsNow }, (_, i) => add(row, i));
      const list = numbers.map((index) => {
        const { bytes, start } = what.row(index);
        return { bytes, start: k.let("x_start", add(mul(number, activationGroupBytes), start)) };
      });
      const now = parts.slice(vector, vector + byteVectors);
      const registers = list.map(() => now.map(() => k.variable("sum", 0, registerType("f32", lanes))));
      // The tiles that begin among these vectors.
      ahead(row, Math.ceil(vector / vectorsOfTile), Math.ceil((vector + byteVectors) / vectorsOfTile));
      wideTile(k, shapes, format, now, list, count, registers);
      list.forEach((x, i) => {
        const line = k.let("line", add(what.sumsAt(numbers[i]!), vector * lanes));
        const scale = splat(k.load(x.bytes, add(x.start, activationScale), { as: "f32" }), lanes);
        const x_scale = k.let("x_scale", scale);
        registers[i]!.forEach((sum, p) => {
          const at = add(line, p * lanes);
          const before = (): Expression => k.load(sums, at, { lanes });
          k.store(sums, at, first ? mul(sum.get, x_scale) : fma(sum.get, x_scale, before()));
        });
      });
    };
    const sizes = planesOf(format, shapes) === 1 ? shapes.byteRows : shapes.splitRows;
    inRowGroups(k, what.from, what.to, sizes, (from, to, rowsNow) => {
      for (let vector = 0; vector < parts.length; vector += byteVectors) {
        k.loop("row", from, to, rowsNow, (row) => rowsOf(row, rowsNow, vector));
      }
    });
  };
  const whole = Math.floor(records / groupRecords);
  pass(0, Math.min(records, groupRecords), true);
  if (whole > 1) k.loop("pass", 1, whole, 1, (number) => pass(number, groupRecords, false));
  if (records % groupRecords > 0 && whole > 0) pass(whole, records % groupRecords, false);
}
