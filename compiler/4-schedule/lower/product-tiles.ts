/** Writes the sums of tiles of 16 outputs for some rows into scratch memory, by the micro-kernel of the format. */
import { add, constant, min, mul, rem, sub } from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { tileRows } from "../micro/layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";

/** Rows whose sums are held at a time: twos and threes of rows fill them. */
export const rowsInScratch = 60;

export interface TilePart {
  readonly from: Expression;
  readonly to: Expression;
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums begin, row by row: 16 for each tile. */
  readonly at: number;
  /** Element of scratch that nobody reads. */
  readonly spare: number;
}
/** One to three rows and a few tiles side by side. */
export interface FewTiles {
  /** Numbers of the tiles, batch included. */
  readonly tiles: readonly Expression[];
  /** The number of the tile with this index among them. */
  readonly tile: (index: Expression) => Expression;
  readonly rows: readonly Coordinate[];
  readonly scratch: BufferHandle;
  /** Element of scratch where the sums of each row begin, 16 for each tile. */
  readonly at: readonly number[];
}
/** Tiles side by side in memory. */
export interface TileRun {
  /** Number of the first tile, batch included. */
  readonly first: Expression;
  readonly count: number;
  /** Number of a tile that is needed soon, `count` of which there are. */
  readonly next: Expression;
}
/** The ways to write sums, inside of a kernel. */
export interface TileWriter {
  /** Tiles that `many` likes to take at once. */
  readonly together: number;
  /** For few rows: several tiles side by side keep more of the memory busy than one after the other. */
  few(part: FewTiles): void;
  /** For many rows: what belongs to the tiles is done once, then parts of the rows follow. One tile, or `together`. */
  many(run: TileRun): (part: TilePart) => void;
}

export type GroupBody = (rows: readonly Coordinate[], lines: readonly Expression[], first: Expression) => void;

/** Rows `from..to` of a part by groups of `size`, for a run of `tiles` tiles. */
function groups(
  emitter: Emitter,
  part: TilePart,
  tiles: number,
  [from, to]: readonly [Expression, Expression],
  size: number,
  body: GroupBody,
): void {
  const { builder } = emitter;
  emitter.loop("rows", from, to, size, undefined, (row, register) => {
    const first = builder.let("first", sub(register, part.from));
    const numbers = Array.from({ length: size }, (_, i) => i);
    const lines = numbers.map((i) => builder.let("line", add(mul(add(first, i), tiles * tileRows), part.at)));
    body(
      numbers.map((i) => row.plus(Coordinate.number(i))),
      lines,
      first,
    );
  });
}

/** Where the whole groups of `size` rows end, of those from `from` on. */
function endOfWhole(emitter: Emitter, { to }: TilePart, from: Expression, size: number): Expression {
  const { builder } = emitter;
  return builder.let("whole", sub(to, rem(builder.let("count", sub(to, from)), constant(size))));
}

/** What is done with the first rows of a part instead: whole groups of them, or as many as there are. */
export interface EarlyRows {
  readonly rows: number;
  readonly body: GroupBody;
}

/** Rows of a part by twos, and the last of an odd number alone: V8 has registers for the sums of two rows of a tile. */
export function pairs(emitter: Emitter, part: TilePart, body: GroupBody, early?: EarlyRows): void {
  const twos = endOfWhole(emitter, part, part.from, 2);
  const start = early ? emitter.builder.let("rest", min(add(part.from, early.rows), twos)) : part.from;
  if (early) groups(emitter, part, 1, [part.from, start], 2, early.body);
  groups(emitter, part, 1, [start, twos], 2, body);
  groups(emitter, part, 1, [twos, part.to], 1, body);
}

/** Rows that are taken together, at most. */
export const mostRowsTogether = 3;

/** Rows of a part by threes, then two or one, for a run of `tiles` tiles. */
export function triples(emitter: Emitter, part: TilePart, tiles: number, body: GroupBody, early: EarlyRows): void {
  const threes = endOfWhole(emitter, part, part.from, mostRowsTogether);
  const twos = endOfWhole(emitter, part, threes, 2);
  const start = emitter.builder.let("rest", min(add(part.from, early.rows), threes));
  groups(emitter, part, tiles, [part.from, start], mostRowsTogether, early.body);
  groups(emitter, part, tiles, [start, threes], mostRowsTogether, body);
  groups(emitter, part, tiles, [threes, twos], 2, body);
  groups(emitter, part, tiles, [twos, part.to], 1, body);
}

/** Stores the sums of rows, from vector `first` of their lines on. */
export function storeSums(
  emitter: Emitter,
  scratch: BufferHandle,
  lines: readonly Expression[],
  sums: readonly (readonly Variable[])[],
  first = 0,
): void {
  sums.forEach((row, i) =>
    row.forEach((sum, vector) => emitter.builder.store(scratch, add(lines[i]!, 4 * (first + vector)), sum.get)),
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
