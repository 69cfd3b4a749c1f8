/**
 * Integer products of many rows with wide records: each part of the weights is unpacked once to bytes in the first cache
 * and multiplied with all rows.
 */
import { add, convert, fma, mul, shr } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder, Variable } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import { rowPasses, type ManyRows, type UnpackedVectors } from "./row-passes.js";
import {
  halves,
  quantsAt,
  repeatedWords,
  startAt,
  dotSum,
  eachStep,
  words,
  type WideRow,
  type WideTile,
} from "./wide-dots.js";
import { activationBytes, groupRecords, wideRecordBytes, type WideQuants } from "./wide-layouts.js";
import {
  planeBytes,
  planesOf,
  tileList,
  unpackedRecordBytes,
  unpackedScales,
  unpackedTileBytes,
  unpackRecords,
} from "./wide-unpack.js";

/** [row][vector] sums += unpacked records times rows, without the scale of the rows. */
function wideTile(
  k: KernelBuilder,
  shapes: WideShapes,
  format: WideQuants,
  { bytes, start, offsets }: UnpackedVectors,
  rows: readonly WideRow[],
  records: number,
  sums: readonly (readonly Variable[])[],
  eachRecord: (record: Expression) => void,
): void {
  const { lanes, quads, signed } = shapes;
  const planes = planesOf(format, shapes);
  k.loop("record", 0, records, 1, (record) => {
    eachRecord(record);
    const place = k.let("place", add(start, mul(record, unpackedRecordBytes(format, shapes))));
    const copied = k.let("x_at", mul(record, activationBytes));
    const xs = rows.map((row) => add(copied, row.start));
    for (const half of halves) {
      const starts = signed ? [] : rows.map((row, i) => startAt(k, shapes, row, xs[i]!, half));
      const xWords = rows.map((row, i) => repeatedWords(k, shapes, row, xs[i]!, words * half));
      const integers = rows.map((_, i) =>
        offsets.map(() => Array.from({ length: planes }, () => dotSum(k, shapes, starts[i]))),
      );
      eachStep(k, shapes, words, (word) => {
        for (let plane = 0; plane < planes; plane++) {
          const offset = unpackedScales + (half * planes + plane) * planeBytes;
          const at = add(place, mul(64, word));
          const weights = offsets.map((vector) => quantsAt(k, shapes, bytes, add(at, vector + offset)));
          rows.forEach((_, i) => {
            const x = xWords[i]!(word);
            offsets.forEach((_, p) => integers[i]![p]![plane]!.step(x, weights[p]!));
          });
        }
      });
      offsets.forEach((vector, p) => {
        const scales = k.let("w_scale", k.load(bytes, add(place, vector + 64 * half), { lanes, as: "f32" }));
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

export interface WideRows extends ManyRows {
  readonly tiles: readonly WideTile[];
  /** K / 64. */
  readonly records: number;
}

/** Sums of rows `from..to` and a few tiles of one format. */
export function wideRows(k: KernelBuilder, shapes: WideShapes, what: WideRows): void {
  const { tiles, records, unpacked } = what;
  const { format } = tiles[0]!;
  const groupBytes = groupRecords * wideRecordBytes(format);
  const unpackedBytes = unpackedTileBytes(format, shapes);
  rowPasses(k, shapes, what, {
    ...{ tiles, groupBytes, records, unpackedBytes },
    together: shapes[tileList(format, shapes)],
    unpack: (group, count) =>
      tiles.forEach((tile, t) => {
        const from = k.let("records", add(mul(group, groupBytes), tile.start));
        unpackRecords(k, shapes, tile, from, count, unpacked, t * unpackedBytes);
      }),
    multiply: (vectors, rows, count, sums, each) => wideTile(k, shapes, format, vectors, rows, count, sums, each),
  });
}
