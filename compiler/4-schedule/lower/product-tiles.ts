/** Writes the sums of tiles of 16 outputs for some rows into scratch memory, by the micro-kernel of the format. */
import { add, constant, min, mul, rem, sub } from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { tileRows } from "../micro/layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";

/** Rows whose sums are held at a time, an even number. */
export const rowsInScratch = 60;

export interface TilePart {
  readonly from: Expression;
  readonly to: Expression;
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums begin, row by row. */
  readonly at: number;
  /** Element of scratch that nobody reads. */
  readonly spare: number;
}
/** One to three rows and a few tiles side by side. */
export interface FewTiles {
  /** Numbers of the tiles, batch included. */
  readonly tiles: readonly Expression[];
  readonly rows: readonly Coordinate[];
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums of each row begin, 16 for each tile. */
  readonly at: readonly number[];
}
/** The ways to write sums, inside of a kernel. */
export interface TileWriter {
  /** For few rows: several tiles side by side keep more of the memory busy than one after the other. */
  few(part: FewTiles): void;
  /** For many rows: what belongs to the tile is done once, then parts of the rows follow; `next` is the tile after it. */
  many(tile: Expression, next: Expression): (part: TilePart) => void;
}

type GroupBody = (rows: readonly Coordinate[], lines: readonly Expression[], first: Expression) => void;

/**
 * Rows of a part by twos, and the last of an odd number alone: V8 has registers for the sums of two rows of a tile.
 *
 * @param early What is done with the first rows instead, an even number of them, or as many pairs as there are.
 */
export function pairs(
  emitter: Emitter,
  part: TilePart,
  body: GroupBody,
  early?: { readonly rows: number; readonly body: GroupBody },
): void {
  const { builder } = emitter;
  const groups = (from: Expression, to: Expression, size: 1 | 2, body: GroupBody): void =>
    emitter.loop("rows", from, to, size, undefined, (row, register) => {
      const first = builder.let("first", sub(register, part.from));
      const numbers = Array.from({ length: size }, (_, i) => i);
      const lines = numbers.map((i) => builder.let("line", add(mul(add(first, i), tileRows), part.at)));
      body(
        numbers.map((i) => row.plus(Coordinate.number(i))),
        lines,
        first,
      );
    });
  const count = builder.let("count", sub(part.to, part.from));
  const end = builder.let("pairs", sub(part.to, rem(count, constant(2))));
  const start = early ? builder.let("rest", min(add(part.from, early.rows), end)) : part.from;
  if (early) groups(part.from, start, 2, early.body);
  groups(start, end, 2, body);
  groups(end, part.to, 1, body);
}

export function storeSums(
  emitter: Emitter,
  scratch: BufferHandle,
  lines: readonly Expression[],
  sums: readonly (readonly Variable[])[],
): void {
  sums.forEach((row, i) =>
    row.forEach((sum, vector) => emitter.builder.store(scratch, add(lines[i]!, 4 * vector), sum.get)),
  );
}

/**
 * `count` of something in passes of `size`: `pass` writes what is done from one number to another; the first time there
 * are no sums yet.
 */
export function inPasses(
  emitter: Emitter,
  count: number,
  size: number,
  pass: (from: Expression, to: Expression, isFirst: boolean) => void,
): void {
  pass(constant(0), constant(Math.min(count, size)), true);
  if (count <= size) return;
  emitter.loop("pass", size, count, size, undefined, (_, from) =>
    pass(from, emitter.builder.let("to", min(add(from, size), count)), false),
  );
}
