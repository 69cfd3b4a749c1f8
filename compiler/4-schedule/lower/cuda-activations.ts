/**
 * Activations as tensor cores and products of bytes read them, made once for all products with the same input.
 *
 * Bytes are those of every target with quantized weights: blocks of 32 columns with a scale each.
 *
 * Halves are several for each number, so that nothing of an f32 is lost that a product would keep: three of bf16 make up
 * all 24 bits. Two of f16 make up 22; a row is multiplied with a power of two before that puts its largest number into
 * [2^14, 2^15), so that none is too large and the last bit of small ones lies at 2^-39 of the largest: each product is off
 * by at most |w| (2^-22 |x| + 2^-39 max|x|).
 */
import { Size } from "../../axes/size.js";
import {
  add,
  and,
  bitcast,
  block,
  compare,
  constant,
  div,
  max,
  mul,
  rem,
  select,
  shl,
  shr,
  sub,
  thread,
} from "../kernel-expressions.js";
import type { BufferHandle, KernelBuilder } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { blockElements } from "../micro/layouts.js";
import { blockBound, magnitude, quantsOf } from "../micro/quantize.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowCoordinates } from "./nest.js";
import type { ProductInput } from "./product.js";
import { presentRows, startAt } from "./product-rows.js";
import { elements, type Stored } from "./tensor.js";

/** Threads of a block that prepares activations. */
const threads = 128;
/** Bits of the number of a thread that tell apart those of one block of columns. */
const ofOneBlock = blockElements - 1;

export interface ByteRows {
  /** [row][column], four to a word. */
  readonly quants: Stored;
  /** [row][column / 32]. */
  readonly scales: Stored;
}

export interface HalfRows {
  readonly element: "f16" | "bf16";
  /** [row][part][column], two to a word; zeros from `depth` to `line`. */
  readonly halves: Stored;
  readonly parts: number;
  readonly line: number;
  /** What the sums of a row are multiplied with, where its numbers were scaled. */
  readonly scales: Stored | undefined;
}

const memory = (entry: EntryLowering, wish: string, dtype: "f32" | "i32", size: Size): Stored =>
  entry.allocate(wish, dtype, [{ name: "n", size }]);

/** Element of `x` where a stored row begins. */
function startOf(emitter: Emitter, input: ProductInput, row: Expression): Expression {
  const at = emitter.variable(row, [], elements(input.storedRows));
  return emitter.index(startAt(input, rowCoordinates(input.storedRows, at)));
}

export function byteRows(entry: EntryLowering, input: ProductInput, depth: number): ByteRows {
  return entry.remembered(`byte rows ${input.stored.id}`, () => {
    const rows = elements(input.storedRows);
    const result: ByteRows = {
      quants: memory(entry, "quants", "i32", rows.times(Size.of(depth / 4))),
      scales: memory(entry, "quant_scales", "f32", rows.times(Size.of(depth / blockElements))),
    };
    const emitter = entry.emitter("quantize", `${entry.label}: activations to bytes`, threads);
    const { builder } = emitter;
    const x = emitter.buffer(input.stored.place, "f32", "read");
    const quants = emitter.buffer(result.quants.place, "i8", "write");
    const scales = emitter.buffer(result.scales.place, "f32", "write");
    const perRow = Math.ceil(depth / threads);
    const row = emitter.let("row", div(block, perRow));
    const k = builder.let("k", add(mul(rem(block, perRow), threads), thread));
    const isThere = builder.let(
      "is_there",
      and(compare("lt", k, depth), compare("lt", row, presentRows(emitter, input.storedRows))),
    );
    const start = startOf(emitter, input, row);
    const value = builder.variable("x", constant(0, f32));
    builder.ifThen(isThere, () => value.set(builder.load(x, add(start, k))));
    const largest = builder.fold("largest", "max", magnitude(value.get), ofOneBlock);
    const { bound, inverse } = blockBound(builder, largest);
    const quant = quantsOf(builder, value.get, inverse);
    builder.ifThen(isThere, () => {
      builder.store(quants, builder.let("place", add(mul(row, depth), k)), quant);
      builder.ifThen(compare("eq", rem(k, blockElements), 0), () =>
        builder.store(scales, add(mul(row, depth / blockElements), div(k, blockElements)), div(bound, 127)),
      );
    });
    entry.launch(emitter, rows.times(Size.of(perRow)));
    return result;
  });
}

/** Parts of an f32 that products keep. */
export const partsOf = { f16: 2, bf16: 3 } as const;

/** @param share 1 for a call that reads the halves. */
export function halfRows(
  entry: EntryLowering,
  input: ProductInput,
  depth: number,
  element: "f16" | "bf16",
  share: Size,
): HalfRows {
  return entry.remembered(`half rows ${input.stored.id} ${element} ${share.key}`, () => {
    const rows = elements(input.storedRows);
    const parts = partsOf[element];
    const line = Math.ceil(depth / blockElements) * blockElements;
    const result: HalfRows = {
      element,
      parts,
      line,
      halves: memory(entry, "halves", "i32", rows.times(Size.of((parts * line) / 2))),
      scales: element === "f16" ? memory(entry, "half_scales", "f32", rows) : undefined,
    };
    const emitter = entry.emitter("split", `${entry.label}: activations to ${element} in ${parts} parts`, threads);
    const { builder } = emitter;
    const x = emitter.buffer(input.stored.place, "f32", "read");
    const row = block;
    const present = presentRows(emitter, input.storedRows);
    const count = emitter.isUniform(present) ? present : emitter.fold("rows", "first", present);
    emitter.guard(compare("lt", row, count), () => {
      const start = startOf(emitter, input, row);
      const at = (k: Expression): Expression => builder.load(x, add(start, k));
      const scale = result.scales && rowScale(emitter, result.scales, row, depth, at);
      const halves = emitter.buffer(result.halves.place, element, "readwrite");
      const first = builder.let("first", mul(row, parts * line));
      builder.loop("k", thread, line, threads, (k) => {
        const place = builder.let("place", add(first, k));
        const rest = builder.variable("rest", constant(0, f32));
        const read = (): void => rest.set(scale ? mul(at(k), scale) : at(k));
        if (line === depth) read();
        else builder.ifThen(compare("lt", k, depth), read);
        for (let part = 0; part < parts; part++) writePart(builder, halves, add(place, part * line), rest);
      });
    });
    entry.launch(emitter, rows.times(share));
    return result;
  });
}

/** Rounds what is left of a number to a part of it, and takes the part away. Nothing is left of an infinity. */
export function writePart(
  builder: KernelBuilder,
  halves: BufferHandle,
  at: Expression,
  rest: { readonly get: Expression; set(value: Expression): void },
): void {
  const place = builder.let("place", at);
  builder.store(halves, place, rest.get);
  const part = builder.let("part", builder.load(halves, place));
  rest.set(select(compare("eq", rest.get, part), constant(0, f32), sub(rest.get, part)));
}

/** The power of two that a row is multiplied with; the one that undoes it goes to `scales`. */
function rowScale(
  emitter: Emitter,
  scales: Stored,
  row: Expression,
  depth: number,
  at: (k: Expression) => Expression,
): Expression {
  const { builder } = emitter;
  const { power, undone } = rowScaling(builder, at, depth, { first: thread, among: threads });
  builder.ifThen(compare("eq", thread, 0), () =>
    builder.store(emitter.buffer(scales.place, "f32", "write"), row, undone),
  );
  return power;
}

/**
 * The power of two that puts the largest number of a row (by its bits) into [2^14, 2^15), and the one that undoes it.
 *
 * @param at The number in a column.
 * @param share Of a thread: its first column, and among how many threads they are shared; `across` tells those of a row
 *   from others of the block, as `fold` takes it.
 */
export function rowScaling(
  builder: KernelBuilder,
  at: (column: Expression) => Expression,
  depth: number,
  share: { readonly first: Expression; readonly among: number; readonly across?: number },
): { readonly power: Expression; readonly undone: Expression } {
  const mine = builder.variable("mine", constant(0));
  builder.loop("k", share.first, depth, share.among, (k) => mine.set(max(mine.get, magnitude(at(k)))));
  const largest = builder.fold("largest", "max", mine.get, share.across);
  // Exponents are 127 for 1; those of both powers stay in 1..254.
  const exponent = builder.let("exponent", max(shr(largest, 23), 15));
  const power = (biased: Expression): Expression => builder.let("power", bitcast(shl(biased, 23), "f32"));
  return { undone: power(sub(exponent, 14)), power: power(sub(constant(268), exponent)) };
}
