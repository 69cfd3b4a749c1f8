/**
 * Integer products of one row with the records of `k-layouts.ts`, one tile after the other in the order of memory. In a
 * super-block of 256 columns, which have one scale of activations, sums stay whole numbers: products times small scales,
 * and sums of activations times small minima; its two factors are applied once.
 */
import { add, constant, convert, fma, mul, shl, shr, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { askAhead, lineBytes } from "./ahead.js";
import { chain, minimumsOf, pairOf, pairWords, scalesOf, superFactor, type KTile, type RunPair } from "./k-dots.js";
import { hasSuperblocks, kFormats, kRecordBytes } from "./k-layouts.js";
import { halves, repeatedWords, startAt, tileVectors, words, type WideRow } from "./wide-dots.js";
import { activationBytes, activationGroupBytes, activationScale, groupRecords, recordColumns } from "./wide-layouts.js";

/** The activations of a run, in every lane. */
export interface RunActivations {
  /** Four columns. */
  readonly word: (number: number) => Expression;
  /** -128 times their sum. */
  readonly start: Expression;
}

/** Half of a record of activations, which begins at byte `x`. */
export function runActivations(
  k: KernelBuilder,
  shapes: WideShapes,
  row: WideRow,
  x: Expression,
  half: 0 | 1,
): RunActivations {
  return {
    word: repeatedWords(k, shapes, row, add(x, 4 * words * half)),
    start: startAt(k, shapes, row, x, half),
  };
}

/**
 * What the sum over each part of a run that has a scale begins with, and what is taken off it in the end: offsets times
 * sums of activations.
 *
 * @param ahead 32 times the sum of the first half of the activations, where a run has two scales.
 */
export function offsetsOf(
  { format }: Pick<KTile, "format">,
  start: Expression,
  ahead: Expression | undefined,
): readonly { readonly start?: Expression; readonly less?: Expression }[] {
  // -128 times the sum is there; 16 times is what is wanted, or 32.
  if (kFormats[format].scales === 2 && ahead) return [{ less: ahead }, { start: add(shr(start, 2), ahead) }];
  return [kFormats[format].offset === 16 ? { start: shr(start, 3) } : {}];
}

/** For each scale of a run the sum of the products of its quants, offsets taken off. */
function runSums(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  x: RunActivations,
  weights: readonly Expression[],
  ahead: Expression | undefined,
): readonly Expression[] {
  const offsets = offsetsOf(tile, x.start, ahead);
  const size = words / offsets.length;
  return offsets.map(({ start, less }, part) => {
    const sum = chain(k, shapes, kFormats[tile.format], start);
    for (let j = part * size; j < (part + 1) * size; j++) sum.step(x.word(j), weights[j]!);
    return less ? sub(sum.value(), less) : sum.value();
  });
}

/** What `offsetsOf` wants of the activations beside their sum. */
export function sumAhead(
  k: KernelBuilder,
  shapes: WideShapes,
  { format }: Pick<KTile, "format">,
  x: RunActivations,
): Expression | undefined {
  if (kFormats[format].scales === 1) return undefined;
  const sum = chain(k, shapes, kFormats.q4_1);
  for (let j = 0; j < words / 2; j++) {
    const word = x.word(j);
    sum.step(word, constant(1, word.type));
  }
  return k.let("ahead", shl(sum.value(), 5));
}

/** Sums of one vector of a tile over a group of columns. */
interface GroupSum {
  readonly run: (pair: RunPair, half: 0 | 1, x: RunActivations, ahead: Expression | undefined) => void;
  readonly finish: () => void;
}

/** Whole numbers until the end of the super-block. */
function superblockSum(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  vector: number,
  record: () => Expression,
  xScale: Expression,
  sum: Variable,
): GroupSum {
  const format = kFormats[tile.format];
  const type = registerType("i32", shapes.lanes);
  const products = k.variable("products", 0, type);
  const minimums = format.minimumSign === 0 ? undefined : k.variable("least", 0, type);
  const add2 = (target: Variable, whole: Variable, factor: Expression): void =>
    target.set(fma(convert(whole.get, "f32"), factor, target.get));
  return {
    run: (pair, half, x, ahead) => {
      const weights = pairWords(k, shapes, tile, pair, half, vector);
      runSums(k, shapes, tile, x, weights, ahead).forEach((part, i) =>
        products.set(add(products.get, mul(part, scalesOf(k, shapes, tile, pair, half, i, vector)))),
      );
      minimums?.set(add(minimums.get, mul(x.start, minimumsOf(k, shapes, tile, pair, half, vector))));
    },
    finish: () => {
      add2(sum, products, mul(superFactor(k, shapes, tile, record(), "scales", vector), xScale));
      if (!minimums) return;
      const factor = mul(superFactor(k, shapes, tile, record(), "minimums", vector), -format.minimumSign / 128);
      add2(sum, minimums, mul(factor, xScale));
    },
  };
}

/** A scale, and perhaps a minimum, for each block of 32. */
function blockSum(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  vector: number,
  xScale: Expression,
  sum: Variable,
): GroupSum {
  const { minimumSign } = kFormats[tile.format];
  return {
    run: (pair, half, x) => {
      const weights = pairWords(k, shapes, tile, pair, half, vector);
      const [products] = runSums(k, shapes, tile, x, weights, undefined);
      const scales = mul(scalesOf(k, shapes, tile, pair, half, 0, vector), xScale);
      sum.set(fma(convert(products!, "f32"), scales, sum.get));
      if (minimumSign === 0) return;
      const least = mul(minimumsOf(k, shapes, tile, pair, half, vector), mul(xScale, -minimumSign / 128));
      sum.set(fma(convert(x.start, "f32"), least, sum.get));
    },
    finish: () => undefined,
  };
}

/** Brings near what lies ahead of a pair of runs: of a super-block, whose record has several pairs, its part. */
function bringNear(k: KernelBuilder, { format, bytes }: KTile, { record }: RunPair, pair: Expression): void {
  const pairs = hasSuperblocks(kFormats[format]) ? groupRecords : 1;
  const part = Math.ceil(kRecordBytes(format) / lineBytes / pairs) * lineBytes;
  const from = k.let("ahead", pairs === 1 ? record : add(record, mul(pair, part)));
  // Six bits are put together of two parts, which takes longest of all formats.
  askAhead(k, bytes, from, part, format === "q6_K");
}

/** The sums of one row with `columns` columns of a tile, vector by vector. */
export function kFew(
  k: KernelBuilder,
  shapes: WideShapes,
  tile: KTile,
  row: WideRow,
  columns: number,
): readonly Variable[] {
  const { lanes } = shapes;
  const vectors = tileVectors(shapes);
  const sums = vectors.map(() => k.variable("sum", 0, registerType("f32", lanes)));
  const group = (number: Operand, pairs: number): void => {
    const x = k.let("x_group", add(row.start, mul(number, activationGroupBytes)));
    const xScale = k.let("x_scale", splat(k.load(row.bytes, add(x, activationScale), { as: "f32" }), lanes));
    const running = vectors.map((vector) => {
      const sum = sums[vector]!;
      if (!hasSuperblocks(kFormats[tile.format])) return blockSum(k, shapes, tile, vector, xScale, sum);
      const record = (): Expression => pairOf(k, tile, number, constant(0)).record;
      return superblockSum(k, shapes, tile, vector, record, xScale, sum);
    });
    k.loop("pair", 0, pairs, 1, (pair) => {
      const at = k.let("x_at", add(x, mul(pair, activationBytes)));
      const place = pairOf(k, tile, number, pair);
      bringNear(k, tile, place, pair);
      for (const half of halves) {
        const own = runActivations(k, shapes, row, at, half);
        const ahead = sumAhead(k, shapes, tile, own);
        for (const sum of running) sum.run(place, half, own, ahead);
      }
    });
    for (const sum of running) sum.finish();
  };
  const all = Math.ceil(columns / recordColumns);
  const whole = Math.floor(all / groupRecords);
  k.loop("group", 0, whole, 1, (number) => group(number, groupRecords));
  if (all % groupRecords > 0) group(constant(whole), all % groupRecords);
  return sums;
}
