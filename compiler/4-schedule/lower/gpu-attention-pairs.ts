/**
 * What both kernels for many queries on a GPU share: the tile of query rows that a block has, the walk over blocks of
 * keys, and the pairs of a row and a key that are a thread's own.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, constant, div, min, mul, rem, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { plus, type AttendCall, type Attention } from "./attention.js";
import { either, visitBlocks, visitMark, type KeyBlock } from "./attention-blocks.js";
import type { Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { Positions } from "./mask-blocks.js";
import { rowCoordinates } from "./nest.js";
import type { QueryTiles } from "./query-tiles.js";
import { elements } from "./tensor.js";

/** How the rows of q are shared out among blocks. */
export interface GpuTiles extends QueryTiles {
  /** Rows of a tile. */
  readonly rows: number;
}

/** The tile of a block. */
export interface OwnTile {
  /** Coordinates of the axes with blocks of their own. */
  readonly at: Coordinates;
  /** Rows that are there. */
  readonly rows: Expression;
  /** Coordinates of a row of the tile; called where threads are apart. */
  readonly rowAt: (row: Expression) => Coordinates;
  /** Positions of its queries among the keys. */
  readonly positions: Positions;
}

/** Blocks of the kernel: one for each tile. */
export function tileCount({ attrs, q }: AttendCall, { batch, queries }: GpuTiles): Size {
  return elements(batch).times(q.axis(attrs.queryAxis).size.ceilDividedBy(Size.of(queries)));
}

export function ownTile(emitter: Emitter, { attrs, q }: AttendCall, tiles: GpuTiles): OwnTile {
  const { batch, heads, headCount, queries } = tiles;
  const queryAxis = q.axis(attrs.queryAxis);
  const count = emitter.let("tiles", emitter.size(queryAxis.size.ceilDividedBy(Size.of(queries))));
  const at = rowCoordinates(batch, emitter.variable(emitter.let("group", div(block, count)), []));
  const firstQuery = emitter.let("first_query", mul(rem(block, count), queries));
  const present = emitter.let("queries", min(sub(emitter.size(queryAxis.size), firstQuery), queries));
  const low = emitter.let("low", add(firstQuery, emitter.size(attrs.queryOffset)));
  const first = emitter.variable(firstQuery, []);
  const inTile = [{ name: attrs.queryAxis, size: Size.of(queries) }, ...heads];
  return {
    at,
    rows: emitter.let("rows", mul(present, headCount)),
    positions: { low, high: emitter.let("high", sub(add(low, present), 1)) },
    rowAt: (row) => {
      // A register of its own here, where threads are apart.
      const number = emitter.here(() => emitter.variable(row, [], Size.of(tiles.rows)));
      const inside = rowCoordinates(inTile, number);
      return new Map([...at, ...inside, [attrs.queryAxis, inside.get(attrs.queryAxis)!.plus(first)]]);
    },
  };
}

/** A row of a thread. */
export interface OwnRow {
  readonly at: Coordinates;
  /** Reads its position among the keys. */
  readonly position: () => Expression;
}

/** The position of a row among the keys. */
export function positionOf(emitter: Emitter, { attrs }: AttendCall, at: Coordinates): Expression {
  const query = emitter.index(at.get(attrs.queryAxis)!);
  return emitter.builder.let("position", add(query, emitter.size(attrs.queryOffset)));
}

/** Which pairs of a block of keys a thread has: its rows, and every so many keys. */
export interface OwnPairs {
  readonly emitter: Emitter;
  readonly call: Attention;
  readonly own: readonly OwnRow[];
  /** The first key of this thread, and how far the next one is. */
  readonly myColumn: Expression;
  readonly across: number;
  /** Keys of a block. */
  readonly keys: number;
}

/** For each pair of a thread whether it is kept, by [row][key]. */
export type Kept = readonly (readonly Expression[])[];

/** The keys of a thread, and whether each lies inside of the block. */
function keysOf({ emitter: { builder }, myColumn, across, keys }: OwnPairs, visited: KeyBlock) {
  return Array.from({ length: keys / across }, (_, j) => {
    const key = add(myColumn, j * across);
    const inside = builder.let("is_inside", compare("lt", key, visited.count));
    return { key: builder.let("key_at", add(visited.start, key)), inside };
  });
}

/** Which of its pairs a tensor chooses, where keys are chosen by one. */
function readKept(pairs: OwnPairs, visited: KeyBlock): Kept | undefined {
  const { emitter, call, own } = pairs;
  const { builder } = emitter;
  const { keep } = call;
  if (!keep) return undefined;
  const columns = keysOf(pairs, visited);
  return own.map(({ at }) =>
    columns.map(({ key, inside }) => {
      const choice = builder.variable("choice", 0);
      emitter.guard(inside, () => {
        const place = emitter.here(() => emitter.variable(key, []));
        const chosen = keep.read(emitter, plus(at, call.attrs.keyAxis, place));
        choice.set(select(chosen, constant(1), constant(0)));
      });
      return builder.let("is_kept", compare("ne", choice.get, 0));
    }),
  );
}

/** Runs `body` once for each row of the thread, with which of its pairs are allowed, by key. */
export function eachAllowed(
  pairs: OwnPairs,
  visited: KeyBlock,
  kept: Kept | undefined,
  body: (row: number, allowed: readonly Expression[]) => void,
): void {
  const { emitter, call, own } = pairs;
  const columns = keysOf(pairs, visited);
  own.forEach((ownRow, row) => {
    const position = ownRow.position();
    const allowed = columns.map(({ key, inside }, j) =>
      [
        inside,
        ...(call.mask ? [either(visited.full, call.mask(emitter, position, key))] : []),
        ...(kept ? [kept[row]![j]!] : []),
      ].reduce(and),
    );
    body(row, allowed);
  });
}

/** Runs `work` for each block of keys of which some thread has an allowed pair, as far as that is known before. */
export function visitKeys(
  pairs: OwnPairs,
  positions: Positions,
  work: (visited: KeyBlock, kept: Kept | undefined) => void,
): void {
  const { emitter, call, keys } = pairs;
  const { builder } = emitter;
  visitBlocks(emitter, call.blocks, positions, call.k.axis(call.attrs.keyAxis).size, keys, (visited) => {
    const kept = readKept(pairs, visited);
    const body = (): void => {
      builder.let(visitMark, visited.count);
      work(visited, kept);
    };
    if (!kept) return body();
    const any = kept.flat().reduce(either);
    const mine = builder.let("any", select(any, constant(1), constant(0)));
    // The greatest of all threads, from the hand of one, is the same for all.
    const all = emitter.fold("any", "first", emitter.fold("any", "max", mine));
    emitter.guard(compare("ne", all, 0), body);
  });
}
