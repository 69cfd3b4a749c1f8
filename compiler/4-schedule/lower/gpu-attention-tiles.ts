/**
 * Attention of many queries on a GPU (Dao et al. 2022): a block of 64 threads takes a tile of query rows and walks over
 * blocks of keys, which it puts into shared memory slice by slice. A thread has some rows and some columns of the tile:
 * of the scores, then of the values, whose sums stay in its registers to the end.
 */
import type { Size } from "../../axes/size.js";
import {
  add,
  and,
  compare,
  constant,
  div,
  exp,
  fma,
  max,
  min,
  mul,
  not,
  rem,
  select,
  sub,
  thread,
} from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { Driver } from "../plan.js";
import { plus, type Attention, type AttendCall } from "./attention.js";
import type { KeyBlock } from "./attention-blocks.js";
import { baseOfScores } from "./attention-powers.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import {
  eachAllowed,
  ownTile,
  positionOf,
  tileCount,
  visitKeys,
  type GpuTiles,
  type Kept,
  type OwnPairs,
  type OwnRow,
  type OwnTile,
} from "./gpu-attention-pairs.js";
import { queryTiles, tileColumns } from "./query-tiles.js";

/** Threads stand in four lines of sixteen: a line has the same rows, and neighbours neighbouring columns. */
const lines = 4;
const across = 16;
const threads = lines * across;
/** Keys of one block. */
const keyBlock = 32;
/** Columns of the keys that lie in shared memory at a time. */
const slice = 32;
/** Keys lie column by column, scores row by row; one more number to a line keeps neighbours in different banks. */
const line = keyBlock + 1;
/** Sums of values that one thread keeps in registers. */
const mostSums = 32;
/** Numbers of the queries that fit into shared memory beside keys and scores. */
const mostQueries = 2304;

/** The tiles of an attention; undefined where its sizes are open or too large for the memory of a block. */
export function gpuTiles(call: AttendCall): GpuTiles | undefined {
  const columns = tileColumns(call);
  if (!columns?.depth || !columns.width) return undefined;
  const sums = Math.ceil(columns.width / across);
  const rows = [4, 2, 1]
    .map((own) => own * lines)
    .find((count) => (count / lines) * sums <= mostSums && count * columns.depth <= mostQueries);
  return rows === undefined ? undefined : { ...queryTiles(call, columns, rows), rows };
}

/** Registers and memory of the tile that is being written. */
interface Tile {
  readonly emitter: Emitter;
  readonly call: Attention;
  readonly tiles: GpuTiles;
  readonly mine: OwnTile;
  /** The first row and the first column of this thread. */
  readonly myRow: Expression;
  readonly myColumn: Expression;
  readonly own: readonly OwnRow[];
  readonly pairs: OwnPairs;
  /** [depth][row], scaled. */
  readonly queries: BufferHandle;
  /** [column of a slice][key] */
  readonly keys: BufferHandle;
  /** [row][key] */
  readonly scores: BufferHandle;
  /** By row: the greatest score, what scores are taken relative to, and the factor for what was summed before. */
  readonly top: BufferHandle;
  readonly base: BufferHandle;
  readonly shrink: BufferHandle;
  /** By row and column of this thread. */
  readonly sums: readonly (readonly Variable[])[];
  readonly totals: readonly Variable[];
}

/** @param share 1 when this kernel is the one for the call, else 0. */
export function attendGpuTiles(entry: EntryLowering, call: Attention, tiles: GpuTiles, share: Size, on?: Driver): void {
  const emitter = entry.emitter("attend_tiles", undefined, threads);
  const mine = ownTile(emitter, call, tiles);
  emitter.apart(() => {
    const tile = begin(emitter, call, tiles, mine);
    visitKeys(tile.pairs, mine.positions, (visited, kept) => {
      const scores = scoreProducts(tile, visited);
      softmaxStep(tile, visited, scores, kept);
      valueProducts(tile, visited, kept !== undefined);
    });
    finish(tile);
  });
  entry.launch(emitter, tileCount(call, tiles).times(share), on);
}

/** Puts the queries into shared memory and starts the sums. Rows behind the last one repeat it and are not stored. */
function begin(emitter: Emitter, call: Attention, tiles: GpuTiles, mine: OwnTile): Tile {
  const { builder } = emitter;
  const { attrs, q } = call;
  const { depth, width } = tiles;
  const shared = (wish: string, element: "f32" | "i32", length: number): BufferHandle =>
    builder.blockBuffer(wish, element, "shared", length);
  const starts = shared("starts", "i32", tiles.rows);
  const queries = shared("queries", "f32", depth * tiles.rows);
  const top = shared("top", "f32", tiles.rows);
  const last = builder.let("last_row", sub(mine.rows, 1));
  emitter.guard(compare("lt", thread, tiles.rows), () => {
    const place = mine.rowAt(builder.let("row", min(thread, last)));
    builder.store(starts, thread, emitter.index(q.address(plus(place, attrs.contracted, Coordinate.zero))));
    builder.store(top, thread, call.sinks?.read(emitter, place) ?? constant(-Infinity, f32));
  });
  builder.barrier();
  const source = emitter.buffer(q.place, q.element, "read");
  const step = emitter.size(q.strides.get(attrs.contracted)!);
  builder.loop("e", thread, tiles.rows * depth, threads, (e) => {
    const row = builder.let("row", div(e, depth));
    const d = builder.let("d", rem(e, depth));
    const x = builder.load(source, add(builder.load(starts, row), mul(d, step)));
    builder.store(queries, add(mul(d, tiles.rows), row), mul(x, constant(attrs.scale, f32)));
  });
  const ownRows = tiles.rows / lines;
  const myRow = builder.let("my_row", mul(div(thread, across), ownRows));
  const myColumn = builder.let("my_column", rem(thread, across));
  const own = Array.from({ length: ownRows }, (_, i): OwnRow => {
    const at = mine.rowAt(builder.let("row", min(add(myRow, i), last)));
    const position = positionOf(emitter, call, at);
    return { at, position: () => position };
  });
  return {
    emitter,
    call,
    tiles,
    mine,
    myRow,
    myColumn,
    own,
    pairs: { emitter, call, own, myColumn, across, keys: keyBlock },
    queries,
    keys: shared("keys", "f32", slice * line),
    scores: shared("scores", "f32", tiles.rows * line),
    top,
    base: shared("base", "f32", tiles.rows),
    shrink: shared("shrink", "f32", tiles.rows),
    sums: own.map(() =>
      Array.from({ length: Math.ceil(width / across) }, () => builder.variable("sum", constant(0, f32))),
    ),
    totals: own.map(() => builder.variable("total", constant(call.sinks ? 1 : 0, f32))),
  };
}

/** q . k for the pairs of this thread. */
function scoreProducts(tile: Tile, visited: KeyBlock): readonly (readonly Variable[])[] {
  const { emitter, call, tiles, own } = tile;
  const { builder } = emitter;
  const { attrs, k } = call;
  const { depth, rows } = tiles;
  const source = emitter.buffer(k.place, k.element, "read");
  const zero = plus(plus(tile.mine.at, attrs.keyAxis, Coordinate.zero), attrs.contracted, Coordinate.zero);
  const keyStep = emitter.size(k.strides.get(attrs.keyAxis)!);
  const step = emitter.size(k.strides.get(attrs.contracted)!);
  const start = builder.let("key_row", add(emitter.index(k.address(zero)), mul(visited.start, keyStep)));
  const last = builder.let("last_key", sub(visited.count, 1));
  const dots = own.map(() =>
    Array.from({ length: keyBlock / across }, () => builder.variable("dot", constant(0, f32))),
  );
  builder.loop("from", 0, depth, slice, (from) => {
    const isWhole = depth % slice === 0;
    const columns = isWhole ? constant(slice) : builder.let("columns", min(sub(depth, from), slice));
    builder.loop("e", thread, keyBlock * slice, threads, (e) => {
      const d = builder.let("d", rem(e, slice));
      const key = builder.let("key", div(e, slice));
      const copy = (): void => {
        const place = add(mul(min(key, last), keyStep), mul(add(from, d), step));
        builder.store(tile.keys, add(mul(d, line), key), builder.load(source, add(start, place)));
      };
      if (isWhole) copy();
      else builder.ifThen(compare("lt", d, columns), copy);
    });
    builder.barrier();
    builder.loop("d", 0, columns, 1, (d) => {
      const left = builder.let("left", add(mul(add(from, d), rows), tile.myRow));
      const right = builder.let("right", add(mul(d, line), tile.myColumn));
      const a = own.map((_, i) => builder.let("a", builder.load(tile.queries, add(left, i))));
      const b = dots[0]!.map((_, j) => builder.let("b", builder.load(tile.keys, add(right, j * across))));
      dots.forEach((line, i) => line.forEach((dot, j) => dot.set(fma(a[i]!, b[j]!, dot.get))));
    });
    builder.barrier();
  });
  return dots;
}

/** Scores become powers of e relative to the greatest of their row so far; those of forbidden pairs 0. */
function softmaxStep(
  tile: Tile,
  visited: KeyBlock,
  dots: readonly (readonly Variable[])[],
  kept: Kept | undefined,
): void {
  const { emitter, tiles, scores, top } = tile;
  const { builder } = emitter;
  const first = builder.let("score", add(mul(tile.myRow, line), tile.myColumn));
  const place = (row: number, j: number): Expression => add(first, row * line + j * across);
  eachAllowed(tile.pairs, visited, kept, (row, allowed) =>
    allowed.forEach((isAllowed, j) =>
      builder.store(scores, place(row, j), select(isAllowed, dots[row]![j]!.get, constant(-Infinity, f32))),
    ),
  );
  builder.barrier();
  builder.ifThen(compare("lt", thread, tiles.rows), () => {
    const before = builder.let("before", builder.load(top, thread));
    const greatest = builder.variable("greatest", before, f32);
    const from = builder.let("from", mul(thread, line));
    builder.loop("key", 0, visited.count, 1, (key) =>
      greatest.set(max(greatest.get, builder.load(scores, add(from, key)))),
    );
    const next = builder.let("next", greatest.get);
    const base = baseOfScores(builder, next);
    builder.store(top, thread, next);
    builder.store(tile.base, thread, base);
    builder.store(tile.shrink, thread, exp(sub(before, base)));
  });
  builder.barrier();
  dots.forEach((line, row) => {
    const base = builder.let("base", builder.load(tile.base, add(tile.myRow, row)));
    line.forEach((_, j) => {
      builder.store(scores, place(row, j), exp(sub(builder.load(scores, place(row, j)), base)));
    });
  });
  builder.barrier();
}

/** sums = sums * shrink + powers @ values. */
function valueProducts(tile: Tile, visited: KeyBlock, chosen: boolean): void {
  const { emitter, call, tiles, scores, sums, totals } = tile;
  const { builder } = emitter;
  const { attrs, v } = call;
  const { width } = tiles;
  const source = emitter.buffer(v.place, v.element, "read");
  const zero = plus(plus(tile.mine.at, attrs.keyAxis, Coordinate.zero), attrs.valueAxis, Coordinate.zero);
  const step = emitter.size(v.strides.get(attrs.keyAxis)!);
  const start = builder.let("value_row", add(emitter.index(v.address(zero)), mul(visited.start, step)));
  const columns = sums[0]!.map((_, j) => {
    const column = add(tile.myColumn, j * across);
    // Columns behind the last one repeat it; they are not stored.
    return builder.let("column", width < (j + 1) * across ? min(column, width - 1) : column);
  });
  const from = builder.let("powers", mul(tile.myRow, line));
  sums.forEach((own, row) => {
    const shrink = builder.let("factor", builder.load(tile.shrink, add(tile.myRow, row)));
    totals[row]!.set(mul(totals[row]!.get, shrink));
    own.forEach((sum) => sum.set(mul(sum.get, shrink)));
  });
  /** 0 * inf is NaN: values of keys that are not allowed must not be touched. */
  const walk = (guarded: boolean): void =>
    builder.loop("key", 0, visited.count, 1, (key) => {
      const row = builder.let("row", add(start, mul(key, step)));
      const values = columns.map((column) => builder.let("v", builder.load(source, add(row, column))));
      sums.forEach((own, i) => {
        const power = builder.let("power", builder.load(scores, add(from, add(key, i * line))));
        totals[i]!.set(add(totals[i]!.get, power));
        const none = guarded ? builder.let("is_none", compare("eq", power, 0)) : undefined;
        own.forEach((sum, j) => {
          const next = fma(power, values[j]!, sum.get);
          sum.set(none ? select(none, sum.get, next) : next);
        });
      });
    });
  const { full } = visited;
  const always = !chosen && (!call.mask || (full.kind === "constant" && full.value === 1));
  if (always) walk(false);
  else if (chosen || full.kind === "constant") walk(true);
  else
    builder.ifThen(
      not(full),
      () => walk(true),
      () => walk(false),
    );
}

/** Divides by the sums and puts the rows into their places; a row without an allowed key is zero. */
function finish(tile: Tile): void {
  const { emitter, call, tiles, own, sums } = tile;
  const { builder } = emitter;
  const { attrs, result } = call;
  const out = emitter.buffer(result.place, "f32", "write");
  own.forEach(({ at }, row) => {
    const total = tile.totals[row]!.get;
    const inverse = select(compare("eq", total, 0), constant(0, f32), div(constant(1, f32), total));
    const scale = builder.let("scale", inverse);
    const to = builder.let("out_row", emitter.index(result.address(plus(at, attrs.valueAxis, Coordinate.zero))));
    const isThere = compare("lt", add(tile.myRow, row), tile.mine.rows);
    sums[row]!.forEach((sum, j) => {
      const column = builder.let("column", add(tile.myColumn, j * across));
      const fits = tiles.width < (j + 1) * across ? and(isThere, compare("lt", column, tiles.width)) : isThere;
      builder.ifThen(fits, () => builder.store(out, add(to, column), mul(sum.get, scale)));
    });
  });
}
