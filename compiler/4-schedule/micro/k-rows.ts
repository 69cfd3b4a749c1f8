/**
 * Integer products of many rows with the records of `k-layouts.ts`: a group of 256 columns is unpacked to bytes, and its
 * scales and minima to f32, in the first cache and multiplied with all rows. Products of the two factors of a scale have
 * at most 19 bits, so they are exact.
 */
import { add, constant, convert, fma, mul, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import {
  chain,
  groupPairs,
  minimumsOf,
  pairOf,
  pairWords,
  scalesOf,
  superFactor,
  type KTile,
  type RunPair,
} from "./k-dots.js";
import { offsetsOf, runActivations, sumAhead } from "./k-few.js";
import { hasSuperblocks, kFormats, type KFormat } from "./k-layouts.js";
import { inRowGroups } from "./row-groups.js";
import { halves, quantsAt, tileVectors, words, type WideRow } from "./wide-dots.js";
import { activationBytes, activationGroupBytes, activationScale, recordColumns, recordRows } from "./wide-layouts.js";
import type { WideRows } from "./wide-rows.js";

/** Bytes of 16 numbers or words. */
const line = 4 * recordRows;

/** Bytes of an unpacked run: scales, minima, words. */
const unpackedRunBytes = ({ scales, minimumSign }: KFormat): number => line * (scales + Math.abs(minimumSign) + words);

/** Bytes of scratch memory for one tile. */
export const unpackedKBytes = (tile: Pick<KTile, "format">): number =>
  2 * groupPairs * unpackedRunBytes(kFormats[tile.format]);

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

/** A vector of an unpacked tile: byte of its first run. */
interface Part {
  readonly bytes: BufferHandle;
  readonly start: number;
  readonly tile: KTile;
}

/** [row][part] sums += unpacked runs times rows, without the scale of the rows. */
function tileProducts(
  k: KernelBuilder,
  shapes: WideShapes,
  parts: readonly Part[],
  rows: readonly WideRow[],
  pairs: Operand,
  sums: readonly (readonly Variable[])[],
): void {
  const { lanes } = shapes;
  const [{ tile }] = parts as readonly [Part, ...Part[]];
  const format = kFormats[tile.format];
  const first = format.scales + Math.abs(format.minimumSign);
  k.loop("pair", 0, pairs, 1, (pair) => {
    const place = k.let("place", mul(pair, 2 * unpackedRunBytes(format)));
    const xs = rows.map(({ start }) => k.let("x_at", add(start, mul(pair, activationBytes))));
    for (const half of halves) {
      const run = half * unpackedRunBytes(format);
      const at = (part: Part, number: number): Expression => add(place, part.start + run + line * number);
      const factors = (part: Part, number: number): Expression =>
        k.let("factor", k.load(part.bytes, at(part, number), { lanes, as: "f32" }));
      const activations = rows.map((row, i) => runActivations(k, shapes, row, xs[i]!, half));
      const offsets = activations.map((x) => offsetsOf(tile, x.start, sumAhead(k, shapes, [tile], x)));
      const size = words / format.scales;
      for (let scale = 0; scale < format.scales; scale++) {
        const chains = rows.map((_, i) => parts.map(() => chain(k, shapes, format, offsets[i]![scale]!.start)));
        for (let j = scale * size; j < (scale + 1) * size; j++) {
          const weights = parts.map((part) => quantsAt(k, shapes, part.bytes, at(part, first + j)));
          const x = activations.map(({ word }) => word(j));
          chains.forEach((list, i) => list.forEach((sum, p) => sum.step(x[i]!, weights[p]!)));
        }
        parts.forEach((part, p) => {
          const scales = factors(part, scale);
          chains.forEach((list, i) => {
            const { less } = offsets[i]![scale]!;
            const products = less ? sub(list[p]!.value(), less) : list[p]!.value();
            sums[i]![p]!.set(fma(convert(products, "f32"), scales, sums[i]![p]!.get));
          });
        });
      }
      if (format.minimumSign === 0) continue;
      const starts = activations.map((x) => k.let("x_sum", convert(x.start, "f32")));
      parts.forEach((part, p) => {
        const least = factors(part, format.scales);
        starts.forEach((start, i) => sums[i]![p]!.set(fma(start, least, sums[i]![p]!.get)));
      });
    }
  });
}

/** What `kRows` does: as `WideRows`, with the number of columns. */
export interface KRows extends Omit<WideRows, "tiles" | "records"> {
  readonly tiles: readonly KTile[];
  readonly columns: number;
}

/** Sums of rows `from..to` and a few tiles. A group of columns is a pass, so rows have one scale in it. */
export function kRows(k: KernelBuilder, shapes: WideShapes, what: KRows): void {
  const { tiles, unpacked, sums } = what;
  const { lanes, byteVectors } = shapes;
  const parts = tiles.flatMap((tile, t) =>
    tileVectors(shapes).map((vector) => ({
      ...{ tile, bytes: unpacked },
      start: t * unpackedKBytes(tile) + 4 * lanes * vector,
    })),
  );
  const pass = (number: Operand, pairs: number, first: boolean): void => {
    tiles.forEach((tile, t) =>
      k.loop("pair", 0, pairs, 1, (pair) => {
        const place = pairOf(k, tile, number, pair);
        for (const half of halves) {
          const size = unpackedRunBytes(kFormats[tile.format]);
          const to = k.let("to", add(mul(pair, 2 * size), t * unpackedKBytes(tile) + half * size));
          unpackRun(k, shapes, tile, place, half, unpacked, to);
        }
      }),
    );
    /** Some rows and the vectors from `vector` on. */
    const rowsOf = (row: Expression, rowsNow: number, vector: number): void => {
      const numbers = Array.from({ length: rowsNow }, (_, i) => add(row, i));
      const list = numbers.map((index) => {
        const { bytes, start } = what.row(index);
        return { bytes, start: k.let("x_start", add(mul(number, activationGroupBytes), start)) };
      });
      const now = parts.slice(vector, vector + byteVectors);
      const registers = list.map(() => now.map(() => k.variable("sum", 0, registerType("f32", lanes))));
      tileProducts(k, shapes, now, list, pairs, registers);
      list.forEach((x, i) => {
        const to = k.let("line", add(what.sumsAt(numbers[i]!), vector * lanes));
        const scale = splat(k.load(x.bytes, add(x.start, activationScale), { as: "f32" }), lanes);
        const xScale = k.let("x_scale", scale);
        registers[i]!.forEach((sum, p) => {
          const at = add(to, p * lanes);
          const before = (): Expression => k.load(sums, at, { lanes });
          k.store(sums, at, first ? mul(sum.get, xScale) : fma(sum.get, xScale, before()));
        });
      });
    };
    inRowGroups(k, what.from, what.to, shapes.byteRows, (from, to, rowsNow) => {
      for (let vector = 0; vector < parts.length; vector += byteVectors) {
        k.loop("row", from, to, rowsNow, (row) => rowsOf(row, rowsNow, vector));
      }
    });
  };
  const all = Math.ceil(what.columns / recordColumns);
  const whole = Math.floor(all / groupPairs);
  pass(constant(0), Math.min(all, groupPairs), true);
  if (whole > 1) k.loop("pass", 1, whole, 1, (number) => pass(number, groupPairs, false));
  if (all % groupPairs > 0 && whole > 0) pass(constant(whole), all % groupPairs, false);
}
