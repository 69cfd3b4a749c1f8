/**
 * How the threads of a block read packed matrices. They take neighbouring words, so that one access of the memory serves
 * all of them: a word of q8 tiles holds two columns of two outputs, a word of q4 tiles eight columns of one.
 */
import {
  add,
  and,
  compare,
  constant,
  convert,
  div,
  fma,
  mul,
  or,
  rem,
  shl,
  shr,
  shru,
  sub,
  thread,
  xor,
} from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { isBlocked } from "../layout/layouts.js";
import { blockElements, q4RecordBytes, q8RecordBytes, scaleBytes, tileRows } from "../micro/layouts.js";
import type { Emitter } from "./emitter.js";
import { productThreads, tileDepth } from "./gpu-shape.js";
import type { Product } from "./product.js";

/** What each thread of a block sums: some outputs of a tile, over a slice of the contracted axis. */
export interface Share {
  /** Neighbouring outputs of one thread. */
  readonly outputs: number;
  /** Threads whose sums make one output. */
  readonly slices: number;
  /** First output of this thread in its tile, and the number of its slice. */
  readonly lane: Expression;
  readonly slice: Expression;
}

export function shareOf({ builder }: Emitter, { layout }: Product): Share {
  const outputs = wordsOf(layout.storage)?.outputs ?? 1;
  const across = tileRows / outputs;
  return {
    outputs,
    slices: productThreads / across,
    lane: builder.let("lane", mul(rem(thread, across), outputs)),
    slice: builder.let("slice", div(thread, across)),
  };
}

/** The signed byte number `at` of a word, as f32. */
function byteOf(word: Expression, at: number): Expression {
  const up = at === 3 ? word : shl(word, 24 - 8 * at);
  return convert(shr(up, 24), "f32");
}

/** The half byte that belongs to column `at` of the eight of a word, as f32. */
function nibbleOf(word: Expression, at: number): Expression {
  return convert(sub(and(shr(word, (at & 3) * 8 + (at >> 2) * 4), 15), 8), "f32");
}

/** The words of a quantized matrix: a line of a record has the words of all outputs of the tile for some columns. */
export interface Words {
  /** Neighbouring outputs of a word, and columns of each. */
  readonly outputs: number;
  readonly columns: number;
  /** A line and a record, counted in halves of words. */
  readonly lineHalves: number;
  readonly recordHalves: number;
  /** A quant of a word, as f32. */
  readonly quant: (word: Expression, output: number, column: number) => Expression;
}

const byteWords: Words = {
  outputs: 2,
  columns: 2,
  lineHalves: tileRows,
  recordHalves: q8RecordBytes / 2,
  quant: (word, output, column) => byteOf(word, 2 * output + column),
};
const nibbleWords: Words = {
  outputs: 1,
  columns: 8,
  lineHalves: 2 * tileRows,
  recordHalves: q4RecordBytes / 2,
  quant: (word, _, column) => nibbleOf(word, column),
};

/**
 * Four columns of an output to a word, of two lines with two columns of two outputs to a word: `a` and `b` are the words
 * of both lines. Gives the word of the first output and that of the second.
 */
export function pairedColumns(a: Expression, b: Expression): readonly [Expression, Expression] {
  return [or(and(a, 0xffff), shl(b, 16)), or(shru(a, 16), and(b, -65536))];
}

/** The low and the high halves of the bytes of a word, each less eight, as signed bytes: no byte borrows from the next. */
export function lessEight(word: Expression): readonly [Expression, Expression] {
  const tops = 0x80808080 | 0;
  const of = (nibbles: Expression): Expression => xor(sub(or(and(nibbles, 0x0f0f0f0f), tops), 0x08080808), tops);
  return [of(word), of(shru(word, 4))];
}

/** Undefined for matrices whose numbers are stored one by one. */
export function wordsOf(storage: Product["layout"]["storage"]): Words | undefined {
  if (storage === "q8_0") return byteWords;
  return storage === "q4_0" ? nibbleWords : undefined;
}

/** Where the quants of a record begin, in halves of words. */
export const scaleHalves = scaleBytes / 2;

export function weights(emitter: Emitter, { layout, weight }: Product): BufferHandle {
  const { storage } = layout;
  return emitter.buffer(weight.place, isBlocked(storage) ? "f16" : storage, "read");
}

/** The sums of a thread over its slice: for each of the tiles (their numbers in the weight) those of its outputs. */
export function sumSlice(
  emitter: Emitter,
  product: Product,
  share: Share,
  tiles: readonly Expression[],
  value: (k: Expression) => Expression,
): readonly (readonly Expression[])[] {
  const { builder } = emitter;
  const sums = tiles.map(() => Array.from({ length: share.outputs }, () => builder.variable("sum", constant(0, f32))));
  const words = wordsOf(product.layout.storage);
  if (words) sumRecords(emitter, product, words, share, tiles, value, sums);
  else sumPanels(emitter, product, share, tiles, value, sums);
  return sums.map((own) => own.map((sum) => sum.get));
}

function sumPanels(
  emitter: Emitter,
  product: Product,
  { lane, slice, slices }: Share,
  tiles: readonly Expression[],
  value: (k: Expression) => Expression,
  sums: readonly (readonly Variable[])[],
): void {
  const { builder } = emitter;
  const { depth } = product.layout;
  const panels = weights(emitter, product);
  const starts = tiles.map((tile) => builder.let("w_start", add(mul(tile, depth * tileRows), lane)));
  const beside = 4;
  const step = beside * slices;
  const whole = depth - (depth % step);
  const meet = (k: Expression): void => {
    const x = builder.let("x", value(k));
    const at = builder.let("w_at", mul(k, tileRows));
    starts.forEach((start, i) => {
      const sum = sums[i]![0]!;
      sum.set(fma(x, builder.load(panels, add(start, at)), sum.get));
    });
  };
  if (whole > 0) {
    builder.loop("k0", 0, whole, step, (k0) => {
      const from = builder.let("k", add(k0, slice));
      for (let i = 0; i < beside; i++) meet(i === 0 ? from : builder.let("k", add(from, i * slices)));
    });
  }
  if (whole < depth) builder.loop("k", add(slice, whole), depth, slices, meet);
}

function sumRecords(
  emitter: Emitter,
  product: Product,
  { columns, lineHalves, recordHalves, quant }: Words,
  { lane, slice, slices, outputs }: Share,
  tiles: readonly Expression[],
  value: (k: Expression) => Expression,
  sums: readonly (readonly Variable[])[],
): void {
  const { builder } = emitter;
  const blocks = product.layout.depth / blockElements;
  const records = weights(emitter, product);
  const starts = tiles.map((tile) => builder.let("w_start", mul(tile, blocks * recordHalves)));
  // A block of eight bits is sixteen rows of words, of which each slice takes four in every second block; one of four
  // bits is as many rows of words as there are slices.
  const turns = outputs;
  const first = turns > 1 ? builder.let("parity", rem(slice, turns)) : constant(0);
  const line = turns > 1 ? builder.let("line", div(slice, turns)) : slice;
  const lines = slices / turns;
  builder.loop("b", first, blocks, turns, (b) => {
    const k0 = builder.let("k", add(mul(b, blockElements), mul(line, columns)));
    const at = builder.let("record", mul(b, recordHalves));
    const own = starts.map((start) => builder.let("record", add(start, at)));
    const parts = own.map(() => Array.from({ length: outputs }, () => builder.variable("part", constant(0, f32))));
    for (let turn = 0; turn < blockElements / (lines * columns); turn++) {
      const xs = Array.from({ length: columns }, (_, j) =>
        builder.let("x", value(add(k0, turn * lines * columns + j))),
      );
      const inBlock = builder.let(
        "word_at",
        add(add(mul(add(line, turn * lines), lineHalves), mul(lane, lineHalves / tileRows)), scaleHalves),
      );
      own.forEach((record, tile) => {
        const word = builder.let("word", builder.load(records, add(record, inBlock), { as: "i32" }));
        parts[tile]!.forEach((part, output) => {
          part.set(xs.reduce((sum, x, j) => fma(quant(word, output, j), x, sum), part.get));
        });
      });
    }
    own.forEach((record, tile) =>
      parts[tile]!.forEach((part, output) => {
        const scale = builder.load(records, add(add(record, lane), output), { as: "f16" });
        sums[tile]![output]!.set(fma(part.get, scale, sums[tile]![output]!.get));
      }),
    );
  });
}

/** Puts `tileDepth` columns of some tiles into shared memory as numbers: [column][output], `width` outputs to a line. */
export function stageWeights(
  emitter: Emitter,
  product: Product,
  tiles: readonly Expression[],
  k0: Expression,
  into: { readonly buffer: BufferHandle; readonly from: number; readonly width: number },
): void {
  const { builder } = emitter;
  const { depth, storage } = product.layout;
  const words = wordsOf(storage);
  const source = weights(emitter, product);
  const { buffer, width } = into;
  tiles.forEach((tile, number) => {
    const column = into.from + number * tileRows;
    if (!words) {
      const start = builder.let("w_start", add(mul(tile, depth * tileRows), mul(k0, tileRows)));
      const isWhole = depth % tileDepth === 0;
      builder.loop("e", thread, tileDepth * tileRows, productThreads, (e) => {
        const k = builder.let("k", div(e, tileRows));
        const place = builder.let("place", add(mul(k, width), add(rem(e, tileRows), column)));
        const copy = (): void => builder.store(buffer, place, builder.load(source, add(start, e)));
        if (isWhole) copy();
        else builder.ifThen(compare("lt", add(k0, k), depth), copy, () => builder.store(buffer, place, 0));
      });
      return;
    }
    const blocks = depth / blockElements;
    const block = builder.let("record", add(mul(tile, blocks), div(k0, blockElements)));
    const { outputs, columns, recordHalves, quant } = words;
    const across = tileRows / outputs;
    const record = builder.let("record", mul(block, recordHalves));
    builder.loop("e", thread, (across * blockElements) / columns, productThreads, (e) => {
      const at = builder.let("w_at", add(record, add(mul(e, 2), scaleHalves)));
      const word = builder.let("word", builder.load(source, at, { as: "i32" }));
      const lane = builder.let("lane", mul(rem(e, across), outputs));
      const line = builder.let("line", mul(div(e, across), columns));
      const place = builder.let("place", add(mul(line, width), add(lane, column)));
      for (let output = 0; output < outputs; output++) {
        const scale = builder.let("scale", builder.load(source, add(add(record, lane), output), { as: "f16" }));
        for (let j = 0; j < columns; j++) {
          builder.store(buffer, add(place, j * width + output), mul(quant(word, output, j), scale));
        }
      }
    });
  });
}
