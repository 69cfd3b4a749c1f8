/**
 * Integer products of many rows with the records of `k-layouts.ts`: a group of 256 columns is unpacked to bytes, and its
 * scales and minima to f32, in the first cache and multiplied with all rows. Products of the two factors of a scale have
 * at most 19 bits, so they are exact.
 */
import { add, convert, fma, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import { chain, minimumsOf, pairOf, pairWords, scalesOf, superFactor, type KTile, type RunPair } from "./k-dots.js";
import { offsetsOf, runActivations, sumAhead } from "./k-few.js";
import { hasSuperblocks, kFormats, kRecordBytes, type KFormat } from "./k-layouts.js";
import { rowPasses, type ManyRows, type UnpackedVectors } from "./row-passes.js";
import { halves, quantsAt, tileVectors, words, type WideRow } from "./wide-dots.js";
import { tileList } from "./wide-unpack.js";
import { activationBytes, groupColumns, groupRecords, recordColumns, recordRows } from "./wide-layouts.js";

/** Bytes of 16 numbers or words. */
const line = 4 * recordRows;

/** Bytes of an unpacked run: scales, minima, words. */
const unpackedRunBytes = ({ scales, minimumSign }: KFormat): number => line * (scales + Math.abs(minimumSign) + words);

/** Bytes of scratch memory for one tile. */
export const unpackedKBytes = (tile: Pick<KTile, "format">): number =>
  2 * groupRecords * unpackedRunBytes(kFormats[tile.format]);

/** Unpack one run of a pair to byte `to` of `target` (u8). */
function unpackRun(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  pair: RunPair,
  half: 0 | 1,
  target: BufferHandle,
  to: Expression,
): void {
  const format = kFormats[tile.format];
  for (const vector of tileVectors(shapes)) {
    const at = (number: number): Expression => add(to, line * number + 4 * shapes.lanes * vector);
    /** Small numbers times the factor of the super-block. */
    const whole = (small: Expression, of: "scales" | "minimums"): Expression =>
      hasSuperblocks(format)
        ? mul(convert(small, "f32"), superFactor(k, shapes, tile, pair.record, of, vector))
        : small;
    for (let part = 0; part < format.scales; part++) {
      const scales = whole(scalesOf(k, shapes, tile, pair, half, part, vector), "scales");
      k.store(target, at(part), scales, { as: "f32" });
    }
    if (format.minimumSign !== 0) {
      // Runs of activations bring -128 times their sum.
      const least = whole(minimumsOf(k, shapes, tile, pair, half, vector), "minimums");
      k.store(target, at(format.scales), mul(least, -format.minimumSign / 128), { as: "f32" });
    }
    const first = format.scales + Math.abs(format.minimumSign);
    pairWords(k, shapes, tile, pair, half, vector).forEach((word, j) => k.store(target, at(first + j), word));
  }
}

/** [row][vector] sums += unpacked runs times rows, without the scale of the rows. */
function tileProducts(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: Pick<KTile, "format">,
  vectors: UnpackedVectors,
  rows: readonly WideRow[],
  pairs: number,
  sums: readonly (readonly Variable[])[],
  eachRecord: (record: Expression) => void,
): void {
  const format = kFormats[tile.format];
  const first = format.scales + Math.abs(format.minimumSign);
  k.loop("pair", 0, pairs, 1, (pair) => {
    eachRecord(pair);
    const place = k.let("place", add(vectors.start, mul(pair, 2 * unpackedRunBytes(format))));
    const copied = k.let("x_at", mul(pair, activationBytes));
    const xs = rows.map(({ start }) => add(copied, start));
    for (const half of halves) {
      const run = half * unpackedRunBytes(format);
      const at = (vector: number, number: number): Expression => add(place, vector + run + line * number);
      const factors = (vector: number, number: number): Expression =>
        k.let("factor", k.load(vectors.bytes, at(vector, number), { lanes: shapes.lanes, as: "f32" }));
      const activations = rows.map((row, i) => runActivations(k, shapes, row, xs[i]!, half));
      const offsets = activations.map((x) => offsetsOf(tile, x.start, sumAhead(k, shapes, tile, x)));
      const size = words / format.scales;
      for (let scale = 0; scale < format.scales; scale++) {
        const chains = rows.map((_, i) =>
          vectors.offsets.map(() => chain(k, shapes, format, offsets[i]![scale]!.start)),
        );
        for (let j = scale * size; j < (scale + 1) * size; j++) {
          const weights = vectors.offsets.map((vector) => quantsAt(k, shapes, vectors.bytes, at(vector, first + j)));
          const x = activations.map(({ word }) => word(j));
          chains.forEach((list, i) => list.forEach((sum, p) => sum.step(x[i]!, weights[p]!)));
        }
        vectors.offsets.forEach((vector, p) => {
          const scales = factors(vector, scale);
          chains.forEach((list, i) => {
            const { less } = offsets[i]![scale]!;
            const products = less ? sub(list[p]!.value(), less) : list[p]!.value();
            sums[i]![p]!.set(fma(convert(products, "f32"), scales, sums[i]![p]!.get));
          });
        });
      }
      if (format.minimumSign === 0) continue;
      const starts = activations.map((x) => k.let("x_sum", convert(x.start, "f32")));
      vectors.offsets.forEach((vector, p) => {
        const least = factors(vector, format.scales);
        starts.forEach((start, i) => sums[i]![p]!.set(fma(start, least, sums[i]![p]!.get)));
      });
    }
  });
}

/** What `kRows` does: as `WideRows`, with the number of columns. */
export interface KRows extends ManyRows {
  readonly tiles: readonly KTile[];
  readonly columns: number;
}

/** Sums of rows `from..to` and a few tiles of one format. */
export function kRows(k: KernelBuilder, shapes: WideShapes, what: KRows): void {
  const { tiles, unpacked } = what;
  const { format } = tiles[0]!;
  const unpackedBytes = unpackedKBytes({ format });
  const size = unpackedRunBytes(kFormats[format]);
  rowPasses(k, shapes, what, {
    ...{ tiles, unpackedBytes },
    groupBytes: (groupColumns / kFormats[format].columns) * kRecordBytes(format),
    records: Math.ceil(what.columns / recordColumns),
    together: shapes[tileList(format, shapes)],
    unpack: (group, count) =>
      tiles.forEach((tile, t) =>
        k.loop("pair", 0, count, 1, (pair) => {
          const place = pairOf(k, tile, group, pair);
          for (const half of halves) {
            const to = k.let("to", add(mul(pair, 2 * size), t * unpackedBytes + half * size));
            unpackRun(k, shapes, tile, place, half, unpacked, to);
          }
        }),
      ),
    multiply: (vectors, rows, count, sums, each) =>
      tileProducts(k, shapes, { format }, vectors, rows, count, sums, each),
  });
}
