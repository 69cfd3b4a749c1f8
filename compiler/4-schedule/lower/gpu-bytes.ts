/**
 * Products of few rows with quantized weights by products of four bytes at a time. Eight threads take a record of 16
 * outputs and 32 columns: each some of the outputs and some of the columns, four neighbouring ones to a word. Integer
 * sums of a thread are exact, scaled into its f32 sums, and these are added up: by shuffles within a warp on CUDA, in
 * shared memory on WebGPU, which has no shuffles to count on.
 */
import {
  add,
  bitcast,
  compare,
  constant,
  convert,
  div,
  dotQuads,
  extract,
  fma,
  mul,
  rem,
  sub,
  thread,
  type Operand,
} from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import { warpThreads } from "../kernel-fragments.js";
import type { Expression } from "../kernel-ir.js";
import { f32, i32 } from "../kernel-types.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import type { Emitter } from "./emitter.js";
import { productThreads } from "./gpu-shape.js";
import { lessEight, pairedColumns, scaleHalves, weights, wordsOf } from "./gpu-weights.js";
import type { Product } from "./product.js";

/** Threads of a record, and records that a block walks through side by side. */
const perRecord = 8;
const recordsBeside = productThreads / perRecord;
/** Words of a load. */
const four = { lanes: 4, as: "i32", aligned: true } as const;

/** Where threads add up their sums. */
export type Meeting = "warps" | "memory";

/** A row of activations as bytes: where its quants and its scales begin. */
export interface RowBytes {
  readonly quants: BufferHandle;
  readonly quantStart: Operand;
  readonly scales: BufferHandle;
  readonly scaleStart: Operand;
}

/** Blocks of columns of a weight: from the first one on that the row of activations has. */
export interface BlockRange {
  readonly first: Operand;
  readonly count: Operand;
}

export interface ByteSums {
  /** Sums of an output that a block has in shared memory. */
  readonly slices: number;
  /** Adds the products of a row of the activations, or of some of its blocks, with the tiles of these numbers. */
  readonly add: (row: RowBytes, tiles: readonly Expression[], range?: BlockRange) => void;
  /** Puts `slices` lines of sums into shared memory, `width` outputs to a line. All threads come here. */
  readonly store: (into: BufferHandle, width: number) => void;
}

/** Sums of all threads for some tiles of a product, zero so far. */
export function byteSums(emitter: Emitter, product: Product, meeting: Meeting, tiles: number): ByteSums {
  const { builder } = emitter;
  const { depth, storage } = product.layout;
  const isBytes = storage === "q8_0";
  const layout = wordsOf(storage)!;
  const { recordHalves, lineHalves } = layout;
  // Outputs and columns of a thread: 8 by 8, or 4 by 16 of halves of bytes. WebGPU reads f16 by eights or one by one.
  const outputs = isBytes || meeting === "memory" ? 8 : 4;
  const columns = (tileRows * blockElements) / perRecord / outputs;
  const across = tileRows / outputs;
  const blocks = depth / blockElements;
  const sums = Array.from({ length: tiles }, () =>
    Array.from({ length: outputs }, () => builder.variable("sum", constant(0, f32))),
  );
  const lane = builder.let("lane", mul(rem(thread, across), outputs));
  const slices = meeting === "warps" ? productThreads / warpThreads : productThreads / across / 2;
  return {
    slices,
    add({ quants, quantStart, scales, scaleStart }, numbers, range = { first: 0, count: blocks }) {
      const source = weights(emitter, product);
      const part = builder.let("part", rem(div(thread, across), perRecord / across));
      const x0 = builder.let("x_start", add(mul(part, columns), quantStart));
      const starts = numbers.map((tile) =>
        builder.let("w_start", mul(add(mul(tile, blocks), range.first), recordHalves)),
      );
      const lines = columns / layout.columns;
      const first = mul(lane, lineHalves / tileRows);
      const at0 = builder.let("w_at", add(add(mul(part, lines * lineHalves), first), scaleHalves));
      builder.loop("b", div(thread, perRecord), range.count, recordsBeside, (b) => {
        const xs = Array.from({ length: columns / 8 }, (_, i) => {
          const at = add(add(x0, mul(b, blockElements)), 8 * i);
          const two = builder.let("x", builder.load(quants, at, { lanes: 2, as: "i32", aligned: true }));
          return [extract(two, 0), extract(two, 1)];
        }).flat();
        const scale = builder.let("x_scale", builder.load(scales, add(b, scaleStart)));
        const record0 = builder.let("record", mul(b, recordHalves));
        starts.forEach((start, tile) => {
          const record = builder.let("record", add(start, record0));
          const own = builder.let(
            "w_scales",
            builder.load(source, add(record, lane), { lanes: outputs, as: "f16", aligned: true }),
          );
          const read = (at: number): Expression =>
            builder.let("w", builder.load(source, add(add(record, at0), at), four));
          const loaded = Array.from({ length: lines }, (_, line) => {
            const wordsAcross = outputs / layout.outputs;
            return Array.from({ length: wordsAcross / 4 }, (_, i) => read(line * lineHalves + 8 * i)).flatMap((some) =>
              [0, 1, 2, 3].map((word) => extract(some, word)),
            );
          });
          const words = isBytes ? wordsOfBytes(loaded) : wordsOfNibbles(loaded);
          words.forEach((ofOutput, output) => {
            const dot = ofOutput.reduce(
              (sum, word, i) => dotQuads(bytesOf(word), bytesOf(xs[i]!), sum, false),
              constant(0, i32),
            );
            const both = mul(extract(own, output), scale);
            const sum = sums[tile]![output]!;
            sum.set(fma(convert(builder.let("dot", dot), "f32"), both, sum.get));
          });
        });
      });
    },
    store(into, width) {
      if (meeting === "memory") return storeHalves(emitter, sums, { across, lane, slices }, into, width);
      // Threads of a warp that have the same outputs differ in these bits.
      const mask = (warpThreads - 1) & ~(across - 1);
      const folded = sums.map((line) => line.map((sum) => builder.fold("sum", "add", sum.get, mask)));
      builder.ifThen(compare("lt", rem(thread, warpThreads), across), () => {
        const first = builder.let("line", add(mul(div(thread, warpThreads), width), lane));
        folded.forEach((line, tile) =>
          line.forEach((sum, output) => builder.store(into, add(first, tile * tileRows + output), sum)),
        );
      });
    },
  };
}

/** The second half of the threads store their sums, then the first half store theirs added to these. */
function storeHalves(
  { builder }: Emitter,
  sums: readonly (readonly Variable[])[],
  { across, lane, slices }: { readonly across: number; readonly lane: Expression; readonly slices: number },
  into: BufferHandle,
  width: number,
): void {
  const slice = builder.let("slice", div(thread, across));
  const all = (line: Expression, value: (sum: Expression, at: Expression) => Expression): void => {
    const first = builder.let("line", add(mul(line, width), lane));
    sums.forEach((own, tile) =>
      own.forEach((sum, output) => {
        const at = add(first, tile * tileRows + output);
        builder.store(into, at, value(sum.get, at));
      }),
    );
  };
  builder.ifThen(compare("ge", slice, slices), () => all(sub(slice, slices), (sum) => sum));
  builder.barrier();
  const added = (sum: Expression, at: Expression): Expression => add(sum, builder.load(into, at));
  builder.ifThen(compare("lt", slice, slices), () => all(slice, added));
}

const bytesOf = (word: Expression): Expression => bitcast(word, "i8");

/** Four columns of an output to a word: of lines with two columns of two outputs to a word. */
function wordsOfBytes(lines: readonly (readonly Expression[])[]): readonly (readonly Expression[])[] {
  return Array.from({ length: 8 }, (_, output) =>
    Array.from({ length: lines.length / 2 }, (_, pair) => {
      const [a, b] = [2 * pair, 2 * pair + 1].map((line) => lines[line]![output >> 1]!) as [Expression, Expression];
      return pairedColumns(a, b)[output % 2]!;
    }),
  );
}

/** The same of lines with eight columns of an output to a word. */
function wordsOfNibbles(lines: readonly (readonly Expression[])[]): readonly (readonly Expression[])[] {
  return lines[0]!.map((_, output) => lines.flatMap((line) => lessEight(line[output]!)));
}
