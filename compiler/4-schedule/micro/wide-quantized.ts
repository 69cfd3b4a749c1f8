/**
 * Integer products with wide records (`wide-layouts.ts`): 16 outputs side by side, each lane a sum of four bytes a step.
 * The unsigned bytes are the weights, the signed ones a word of activations that all rows share; a sum starts with the
 * offset of the weights times the sum of the activations, so nothing has to be taken off.
 */
import {
  add,
  and,
  bitcast,
  constant,
  convert,
  dotQuadsUnsigned,
  fma,
  mul,
  rem,
  shl,
  shr,
  shru,
  splat,
  sub,
  type Operand,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import {
  activationBytes,
  activationScales,
  activationSums,
  halfBytes,
  recordRows,
  recordScaleBytes,
  wideRecordBytes,
  type WideQuants,
} from "./wide-layouts.js";

/** Records of one tile of 16 rows. */
export interface WideTile {
  readonly format: WideQuants;
  /** u8. */
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
}

/** A row of activations: i8 records. */
export interface WideRow {
  readonly bytes: BufferHandle;
  /** Byte of the first record. */
  readonly start: Expression;
}

const f32x16 = registerType("f32", 16);
const halves = [0, 1] as const;

/** Groups of four columns in half a record. */
const words = 8;

/** A word of activations for all 16 rows. */
const repeated = (k: KernelBuilder, { bytes }: WideRow, at: Expression): Expression =>
  k.let("x", bitcast(splat(k.load(bytes, at, { as: "i32" }), 16), "i8"));

/** 64 bytes of weights. */
const quants = (k: KernelBuilder, bytes: BufferHandle, at: Expression): Expression =>
  k.let("w", k.load(bytes, at, { lanes: 64, element: "i8" }));

const scalesAt = (k: KernelBuilder, bytes: BufferHandle, at: Expression): Expression =>
  k.let("w_scale", k.load(bytes, at, { lanes: 16, as: "f16", finite: true }));

/** What an integer sum starts with, from -8 times the sum of the activations. */
function startOf(k: KernelBuilder, format: WideQuants, row: WideRow, at: Expression): Expression {
  const eight = splat(k.load(row.bytes, at, { as: "i32" }), 16);
  return k.let("start", format === "q4_0" ? eight : shl(eight, 4));
}

/** sum + integers * weight scales * activation scale. */
function scaled(
  k: KernelBuilder,
  sum: Expression,
  integers: Expression,
  scales: Expression,
  row: WideRow,
  at: Expression,
): Expression {
  const x = splat(k.load(row.bytes, at, { as: "f32" }), 16);
  return fma(convert(integers, "f32"), mul(scales, x), sum);
}

/** The integer sums of half a record for one row: two chains, because each step waits for the one before. */
function halfSum(
  k: KernelBuilder,
  tile: WideTile,
  at: Expression,
  row: WideRow,
  x: Expression,
  half: number,
): Expression {
  const start = startOf(k, tile.format, row, add(x, activationSums + 4 * half));
  const zero = constant(0, start.type);
  const from = add(x, 32 * half);
  if (tile.format === "q8_0") {
    let [even, odd] = [start, zero];
    for (let j = 0; j < words; j += 2) {
      even = dotQuadsUnsigned(repeated(k, row, add(from, 4 * j)), quants(k, tile.bytes, add(at, 64 * j)), even);
      odd = dotQuadsUnsigned(repeated(k, row, add(from, 4 * j + 4)), quants(k, tile.bytes, add(at, 64 * j + 64)), odd);
    }
    return add(even, odd);
  }
  let [low, high] = [start, zero];
  for (let c = 0; c < 4; c++) {
    const both = quants(k, tile.bytes, add(at, 64 * c));
    low = dotQuadsUnsigned(repeated(k, row, add(from, 8 * c)), and(both, 15), low);
    // The high halves stay where they are, 16 times as large: one shift of the sum instead of one for each group.
    high = dotQuadsUnsigned(repeated(k, row, add(from, 8 * c + 4)), and(both, -16), high);
  }
  return add(low, shr(high, 4));
}

/** [tile] sums of one row, a few tiles side by side; `records` is K / 64. Bound by the reading of the weights. */
export function wideFew(
  k: KernelBuilder,
  tiles: readonly WideTile[],
  row: WideRow,
  records: number,
  unroll = 2,
): readonly Variable[] {
  const sums = tiles.map(() => halves.map(() => k.variable("sum", 0, f32x16)));
  const turn = (record: Operand, ahead: number): void => {
    const x = add(add(row.start, mul(record, activationBytes)), ahead * activationBytes);
    tiles.forEach((tile, t) => {
      const size = wideRecordBytes(tile.format);
      const at = add(add(tile.start, mul(record, size)), ahead * size);
      for (const half of halves) {
        const integers = halfSum(k, tile, add(at, recordScaleBytes + half * halfBytes[tile.format]), row, x, half);
        const scales = scalesAt(k, tile.bytes, add(at, 32 * half));
        const sum = sums[t]![half]!;
        sum.set(scaled(k, sum.get, integers, scales, row, add(x, activationScales + 4 * half)));
      }
    });
  };
  const whole = records - (records % unroll);
  k.loop("record", 0, whole, unroll, (record) => {
    for (let i = 0; i < unroll; i++) turn(record, i);
  });
  for (let record = whole; record < records; record++) turn(record, 0);
  return sums.map(([first, second]) => {
    const all = k.variable("all", 0, f32x16);
    all.set(add(first!.get, second!.get));
    return all;
  });
}

/** Bytes of an unpacked record: f32 scales of both halves, then one byte for each quant. */
export const unpackedRecordBytes = 128 + 1024;

/** Records that are unpacked at a time: two tiles of them stay in the first cache beside the activations. */
export const recordsOfPass = 8;

/** Bytes of scratch memory for one tile. */
export const unpackedTileBytes = recordsOfPass * unpackedRecordBytes;

/** Unpack `count` records from byte `from` into `target` (u8) from byte `to`. */
function unpackRecords(
  k: KernelBuilder,
  { format, bytes }: WideTile,
  from: Expression,
  count: Operand,
  target: BufferHandle,
  to: number,
): void {
  const size = wideRecordBytes(format);
  k.loop("unpacked", 0, count, 1, (record) => {
    const at = k.let("at", add(from, mul(record, size)));
    const place = k.let("place", add(mul(record, unpackedRecordBytes), to));
    for (const half of halves) {
      k.store(target, add(place, 64 * half), scalesAt(k, bytes, add(at, 32 * half)), { as: "f32" });
      const source = add(at, recordScaleBytes + half * halfBytes[format]);
      const byte = add(place, 128 + 512 * half);
      if (format === "q8_0") {
        for (let j = 0; j < words; j++) k.store(target, add(byte, 64 * j), quants(k, bytes, add(source, 64 * j)));
      } else {
        for (let c = 0; c < 4; c++) {
          const both = quants(k, bytes, add(source, 64 * c));
          k.store(target, add(byte, 128 * c), and(both, 15));
          const high = bitcast(shru(bitcast(both, "i16"), 4), "i8");
          k.store(target, add(byte, 128 * c + 64), and(high, 15));
        }
      }
    }
  });
}

/** Unpacked records of one tile, from byte `start`. */
interface Unpacked {
  readonly bytes: BufferHandle;
  readonly start: number;
}

/**
 * [row][tile] sums += unpacked records times rows. A word of activations is loaded once for all tiles; two tiles times
 * six rows keep 12 integer and 12 float sums in registers.
 */
function wideTile(
  k: KernelBuilder,
  format: WideQuants,
  tiles: readonly Unpacked[],
  rows: readonly WideRow[],
  records: Operand,
  sums: readonly (readonly Variable[])[],
): void {
  k.loop("record", 0, records, 1, (record) => {
    const place = k.let("place", mul(record, unpackedRecordBytes));
    const xs = rows.map(({ start }) => k.let("x_at", add(start, mul(record, activationBytes))));
    for (const half of halves) {
      const integers = rows.map((row, i) => {
        const start = startOf(k, format, row, add(xs[i]!, activationSums + 4 * half));
        return tiles.map(() => start);
      });
      for (let j = 0; j < words; j++) {
        const weights = tiles.map(({ bytes, start }) =>
          quants(k, bytes, add(place, start + 128 + 512 * half + 64 * j)),
        );
        rows.forEach((row, i) => {
          const x = repeated(k, row, add(xs[i]!, 32 * half + 4 * j));
          tiles.forEach((_, t) => {
            integers[i]![t] = k.let("n", dotQuadsUnsigned(x, weights[t]!, integers[i]![t]!));
          });
        });
      }
      tiles.forEach(({ bytes, start }, t) => {
        const scales = k.let("w_scale", k.load(bytes, add(place, start + 64 * half), { lanes: 16, as: "f32" }));
        rows.forEach((row, i) => {
          const sum = sums[i]![t]!;
          sum.set(scaled(k, sum.get, integers[i]![t]!, scales, row, add(xs[i]!, activationScales + 4 * half)));
        });
      });
    }
  });
}

/** Rows of the activations that are multiplied together, largest first; 1 is the last. */
export const rowGroups: readonly number[] = [6, 4, 2, 1];

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

/** Sums of rows `from..to` and a few tiles: each part of the weights is unpacked once for all rows. */
export function wideRows(k: KernelBuilder, what: WideRows): void {
  const { tiles, records, unpacked, sums } = what;
  const { format } = tiles[0]!;
  const size = wideRecordBytes(format);
  const sources = tiles.map((_, t) => ({ bytes: unpacked, start: t * unpackedTileBytes }));
  const pass = (from: Operand, count: Operand, first: boolean): void => {
    for (const [t, tile] of tiles.entries()) {
      unpackRecords(
        k,
        tile,
        k.let("records", add(mul(from, size), tile.start)),
        count,
        unpacked,
        t * unpackedTileBytes,
      );
    }
    const group = (row: Expression, rowsNow: number): void => {
      const numbers = Array.from({ length: rowsNow }, (_, i) => add(row, i));
      const list = numbers.map((number) => {
        const { bytes, start } = what.row(number);
        return { bytes, start: k.let("x_start", add(mul(from, activationBytes), start)) };
      });
      const lines = numbers.map((number) => k.let("line", what.sumsAt(number)));
      const at = (line: Expression, t: number): Expression => add(line, recordRows * t);
      const registers = lines.map((line) =>
        tiles.map((_, t) =>
          first ? k.variable("sum", 0, f32x16) : k.variable("sum", k.load(sums, at(line, t), { lanes: recordRows })),
        ),
      );
      wideTile(k, format, sources, list, count, registers);
      registers.forEach((row, i) => row.forEach((sum, t) => k.store(sums, at(lines[i]!, t), sum.get)));
    };
    let next = what.from;
    for (const rowsNow of rowGroups) {
      const end = rowsNow === 1 ? what.to : k.let("end", sub(what.to, rem(sub(what.to, next), constant(rowsNow))));
      k.loop("row", next, end, rowsNow, (row) => group(row, rowsNow));
      next = end;
    }
  };
  const one = Math.min(records, recordsOfPass);
  pass(0, one, true);
  const whole = records - (records % recordsOfPass);
  if (whole > recordsOfPass)
    k.loop("pass", recordsOfPass, whole, recordsOfPass, (from) => pass(from, recordsOfPass, false));
  if (whole < records && whole > 0) pass(whole, records - whole, false);
}
