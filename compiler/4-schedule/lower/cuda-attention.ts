/**
 * Attention of many queries by tensor cores, for keys and values kept as f16 or bf16 (Dao 2023, "FlashAttention-2"). A
 * block of four warps has 64 rows of queries, each warp 16: their parts and the sums of their values stay in its
 * registers. Blocks of 32 keys come into shared memory; scores go through it, too, and come back as parts of their powers.
 *
 * Queries and powers of e are f32 in several halves, as activations are (`cuda-activations.ts`): bf16 loses at most 2^-134
 * of them, and has no queries beyond its largest number. In f16 a query is off by 2^-22 of itself and 2^-39 of the largest
 * of its row, and a power by 2^-22 of itself and 2^-39. Caches of f32 have no such form: a cache of three halves would be
 * read in one and a half times as many bytes.
 */
import type { Size } from "../../axes/size.js";
import {
  add,
  and,
  compare,
  constant,
  div,
  exp,
  max,
  min,
  mul,
  rem,
  select,
  sub,
  thread,
} from "../kernel-expressions.js";
import type { BufferHandle, Fragment, Variable } from "../kernel-builder.js";
import { fragmentThreads } from "../kernel-fragments.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import { plus, type AttendCall, type Attention } from "./attention.js";
import type { KeyBlock } from "./attention-blocks.js";
import { baseOfScores } from "./attention-powers.js";
import { partsOf, rowScaling, writePart } from "./cuda-activations.js";
import { askForRows, halfOf, isEndless, rowPlace, type HalfRowsOfKeys } from "./cuda-attention-rows.js";
import { matrixThreads, pieceHalves } from "./cuda-factors.js";
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

const warps = 4;
const side = 16;
const tileRows = warps * side;
/** Keys of one block, and columns that leave at a time. */
const keyBlock = 32;
/** Threads that share a row of scores; a thread has one row of each warp's. */
const across = matrixThreads / side;
const ofOneRow = across - 1;
/** Eight more elements to a line: lines of halves begin in other banks for `ldmatrix`, those of scores for the threads. */
const scoreLine = keyBlock + 8;
const powerLine = keyBlock + 8;
/** Registers of a thread for queries and sums, of 255; the rest holds what is on its way and where it goes. */
const mostRegisters = 160;
/** The same, so that values can also wait in registers. */
const mostAhead = 128;
/** Powers of e are at most 1; so much of them lies in f16 above its smallest numbers. */
const powerScale = { f16: 2 ** 14, bf16: 1 } as const;

const padded = (columns: number): number => Math.ceil(columns / side) * side;
const lineOf = (columns: number): number => padded(columns) + pieceHalves;

export interface MatrixTiles extends GpuTiles {
  /** Whether registers are left for values to be on their way while keys are multiplied. */
  readonly isAhead: boolean;
  readonly keys: "f16" | "bf16";
  readonly values: "f16" | "bf16";
}

/** The tiles for tensor cores; undefined where keys or values are no halves, and where sizes are open or too large. */
export function matrixTiles(call: AttendCall): MatrixTiles | undefined {
  const columns = tileColumns(call);
  const [keys, values] = [halfOf(call.k), halfOf(call.v)];
  if (!columns?.depth || !columns.width || !keys || !values) return undefined;
  const queries = (partsOf[keys] * padded(columns.depth)) / 4;
  // What a tensor chooses is known before the scores.
  const registers = queries + padded(columns.width) / 2 + (call.keep ? (warps * keyBlock) / across : 0);
  if (registers > mostRegisters) return undefined;
  return {
    ...queryTiles(call, columns, tileRows),
    rows: tileRows,
    isAhead: registers <= mostAhead,
    keys,
    values,
  };
}

/** A row of a thread, and what has been found of it. */
interface Row extends OwnRow {
  /** Number in the tile. */
  readonly number: Expression;
  readonly isThere: Expression;
  /** The sum of this thread's powers relative to the greatest score so far. */
  readonly total: Variable;
  /** Reads where its result begins. */
  readonly to: () => Expression;
}

/** Registers and memory of the tile that is being written. */
interface Tile {
  readonly emitter: Emitter;
  readonly call: Attention;
  readonly tiles: MatrixTiles;
  readonly own: readonly Row[];
  readonly pairs: OwnPairs;
  /** First row of this warp, and whether it has any. */
  readonly warpRow: Expression;
  readonly hasRows: Expression;
  readonly keys: HalfRowsOfKeys;
  readonly values: HalfRowsOfKeys;
  /** [row][key] */
  readonly scores: BufferHandle;
  /** [part][row][key] */
  readonly powers: BufferHandle;
  /** By row: where its query begins. */
  readonly queryStarts: BufferHandle;
  /** By row: what scores are multiplied with, if by anything; the greatest score so far; the factor for what was summed. */
  readonly scales: BufferHandle | undefined;
  readonly tops: BufferHandle;
  readonly shrink: BufferHandle;
  /** Not 0 as soon as a number of a key, and of a value, was an infinity or none. */
  readonly endlessKeys: BufferHandle;
  readonly endless: BufferHandle;
  /** The same of this thread, from when on its results hold sums of such values alone. */
  readonly touched: Variable;
  readonly out: BufferHandle;
  /** By part and 16 columns of the queries. */
  readonly queries: readonly (readonly Fragment[])[];
  /** By 16 columns of the values. */
  readonly sums: readonly Fragment[];
}

/** @param share 1 when this kernel is the one for the call, else 0. */
export function attendMatrices(entry: EntryLowering, call: Attention, tiles: MatrixTiles, share: Size): void {
  const emitter = entry.emitter("attend_matrix", undefined, matrixThreads);
  const { builder } = emitter;
  const mine = ownTile(emitter, call, tiles);
  emitter.apart(() => {
    const tile = begin(emitter, call, tiles, mine);
    visitKeys(tile.pairs, mine.positions, (visited, kept) => {
      const putKeys = askForRows(emitter, tile.keys, visited);
      const ahead = tiles.isAhead ? askForRows(emitter, tile.values, visited) : undefined;
      putKeys();
      builder.barrier();
      multiplyKeys(tile);
      const putValues = ahead ?? askForRows(emitter, tile.values, visited);
      putValues();
      builder.barrier();
      scoreEndless(tile, visited);
      softmaxStep(tile, visited, kept);
      builder.barrier();
      multiplyValues(tile);
      addEndless(tile, visited);
    });
    finish(tile);
  });
  entry.launch(emitter, tileCount(call, tiles).times(share));
}

/** Puts the queries into registers and starts the sums. Rows behind the last one repeat it and are not stored. */
function begin(emitter: Emitter, call: Attention, tiles: MatrixTiles, mine: OwnTile): Tile {
  const { builder } = emitter;
  const { attrs, k, v, result } = call;
  const { depth, width } = tiles;
  const shared = (wish: string, element: "f32" | "f16" | "bf16" | "i32", length: number): BufferHandle =>
    builder.blockBuffer(wish, element, "shared", length);
  const keyMemory = shared("keys", tiles.keys, keyBlock * lineOf(depth));
  const valueMemory = shared("values", tiles.values, keyBlock * lineOf(width));
  const endlessKeys = shared("endless_keys", "i32", 1);
  const endless = shared("endless", "i32", 1);
  for (const flag of [endlessKeys, endless]) builder.store(flag, 0, 0);
  const lane = builder.let("lane", rem(thread, across));
  const queries = Array.from({ length: partsOf[tiles.keys] }, () =>
    Array.from({ length: padded(depth) / side }, () =>
      builder.fragment("query", { role: "left", element: tiles.keys, rows: side, columns: side }),
    ),
  );
  const last = builder.let("last_row", sub(mine.rows, 1));
  const memory: RowMemory = {
    positions: shared("positions", "i32", tileRows),
    queryStarts: shared("query_starts", "i32", tileRows),
    starts: shared("starts", "i32", tileRows),
    tops: shared("tops", "f32", tileRows),
    scales: tiles.keys === "f16" ? shared("scales", "f32", tileRows) : undefined,
  };
  const own = Array.from({ length: warps }, (_, i) => {
    const number = builder.let("number", add(div(thread, across), i * side));
    return startRow(emitter, call, tiles, mine, { number, last, lane, ...memory });
  });
  placeQueries(emitter, tiles, own, { lane, into: keyMemory, queries });
  const common = { keyAxis: attrs.keyAxis, at: mine.at, keys: keyBlock } as const;
  const warpRow = builder.let("warp_row", mul(div(thread, fragmentThreads), side));
  return {
    emitter,
    call,
    tiles,
    own,
    pairs: { emitter, call, own, myColumn: lane, across, keys: keyBlock },
    warpRow,
    hasRows: compare("lt", warpRow, mine.rows),
    keys: {
      ...common,
      ...{ from: k, along: attrs.contracted, width: depth, into: keyMemory, line: lineOf(depth) },
      onEndless: () => builder.store(endlessKeys, 0, 1),
    },
    values: {
      ...common,
      ...{ from: v, along: attrs.valueAxis, width, into: valueMemory, line: lineOf(width) },
      onEndless: () => builder.store(endless, 0, 1),
    },
    scores: shared("scores", "f32", tileRows * scoreLine),
    powers: shared("powers", tiles.values, partsOf[tiles.values] * tileRows * powerLine),
    queryStarts: memory.queryStarts,
    scales: memory.scales,
    tops: memory.tops,
    shrink: shared("shrink", "f32", tileRows),
    endlessKeys,
    endless,
    touched: builder.variable("touched", 0),
    out: emitter.buffer(result.place, "f32", "readwrite"),
    queries,
    sums: Array.from({ length: padded(width) / side }, () =>
      builder.fragment("sum", { role: "sum", element: "f32", rows: side, columns: side }),
    ),
  };
}

/** Number `d` of the query that begins at `start`, times the scale of the scores. */
function scaledQuery(emitter: Emitter, { attrs, q }: Attention, start: Expression, d: Expression): Expression {
  const step = emitter.size(q.strides.get(attrs.contracted)!);
  const source = emitter.buffer(q.place, q.element, "read");
  return mul(emitter.builder.load(source, add(start, mul(d, step))), constant(attrs.scale, f32));
}

/** Where a row lies: its coordinates along the axes of the rows. */
type RowPlace = ReturnType<OwnTile["rowAt"]>;

/** A row of a thread, with how its queries are read. */
interface StartedRow extends Row {
  /** Query `d`, scaled for its halves; 0 from the last column on. */
  readonly query: (d: Expression) => Expression;
}

/** What all threads of a row have the same lies in shared memory, by row: registers are few. */
interface RowMemory {
  /** Its position among the keys, and where its query and its result begin. */
  readonly positions: BufferHandle;
  readonly queryStarts: BufferHandle;
  readonly starts: BufferHandle;
  readonly tops: BufferHandle;
  readonly scales: BufferHandle | undefined;
}

interface RowParts extends RowMemory {
  readonly number: Expression;
  readonly last: Expression;
  readonly lane: Expression;
}

/** Keeps where a row begins, prepares the reading of its query, and starts its sum. */
function startRow(emitter: Emitter, call: Attention, tiles: MatrixTiles, mine: OwnTile, row: RowParts): StartedRow {
  const { builder } = emitter;
  const { number, last, positions, starts } = row;
  const at = mine.rowAt(builder.let("row", min(number, last)));
  const start = keepPlaces(emitter, call, at, row);
  const query = scaledForHalves(emitter, call, tiles, start, row);
  return {
    at,
    position: () => builder.let("position", builder.load(positions, number)),
    to: () => builder.let("to", builder.load(starts, number)),
    number,
    isThere: compare("lt", number, mine.rows),
    query,
    total: startSum(emitter, call, at, row),
  };
}

/** Stores the position of a row and where its result and its query begin, which it gives. */
function keepPlaces(emitter: Emitter, call: Attention, at: RowPlace, row: RowParts): Expression {
  const { builder } = emitter;
  const { attrs, q, result } = call;
  builder.store(row.positions, row.number, positionOf(emitter, call, at));
  builder.store(row.starts, row.number, emitter.index(result.address(plus(at, attrs.valueAxis, Coordinate.zero))));
  const start = builder.let("query_at", emitter.index(q.address(plus(at, attrs.contracted, Coordinate.zero))));
  builder.store(row.queryStarts, row.number, start);
  return start;
}

/** Reads a query so that it fits its halves; what its scores have to be multiplied with for that is stored. */
function scaledForHalves(
  emitter: Emitter,
  call: Attention,
  { depth }: MatrixTiles,
  start: Expression,
  { number, lane, scales }: RowParts,
): StartedRow["query"] {
  const { builder } = emitter;
  const read = (d: Expression): Expression => scaledQuery(emitter, call, start, d);
  const scaling = scales && rowScaling(builder, read, depth, { first: lane, among: across, across: ofOneRow });
  if (!scales || !scaling) return read;
  builder.store(scales, number, scaling.undone);
  return (d) => mul(read(d), scaling.power);
}

/** The greatest score and the sum of powers before the first key: those of the sink, which is one more power. */
function startSum(emitter: Emitter, { sinks }: Attention, at: RowPlace, { number, lane, tops }: RowParts): Variable {
  const { builder } = emitter;
  const sink = sinks?.read(emitter, at);
  builder.store(tops, number, sink ?? constant(-Infinity, f32));
  const isFirst = select(compare("eq", lane, 0), constant(1, f32), constant(0, f32));
  return builder.variable("total", sink ? isFirst : constant(0, f32));
}

/** Brings the parts of the queries into the fragments of their warps, over the memory of as many keys at a time. */
function placeQueries(
  { builder }: Emitter,
  { depth }: MatrixTiles,
  own: readonly StartedRow[],
  to: { readonly lane: Expression; readonly into: BufferHandle; readonly queries: Tile["queries"] },
): void {
  const { lane, into, queries } = to;
  const line = lineOf(depth);
  const together = keyBlock / side;
  for (let first = 0; first < warps; first += together) {
    queries.forEach((fragments, part) => {
      own.slice(first, first + together).forEach((row) => {
        const start = builder.let("line", mul(sub(row.number, first * side), line));
        // Columns behind the last one are 0, and stay so in the lines of the keys.
        builder.loop("d", lane, padded(depth), across, (d) => {
          const rest = builder.variable("rest", constant(0, f32));
          builder.ifThen(compare("lt", d, depth), () => rest.set(row.query(d)));
          for (let before = 0; before <= part; before++) writePart(builder, into, add(start, d), rest);
        });
      });
      builder.barrier();
      builder.ifThen(compare("eq", div(thread, together * fragmentThreads), first / together), () => {
        const warp = rem(div(thread, fragmentThreads), together);
        const start = builder.let("lines", mul(warp, side * line));
        fragments.forEach((fragment, c) =>
          builder.loadFragment(fragment, { buffer: into, index: add(start, c * side), stride: line, order: "rows" }),
        );
      });
      builder.barrier();
    });
  }
}

/** q . k of the block, in shared memory. */
function multiplyKeys({ emitter: { builder }, tiles, keys, scores, queries, warpRow, hasRows }: Tile): void {
  const { into, line } = keys;
  builder.ifThen(hasRows, () => {
    for (let key = 0; key < keyBlock; key += side) {
      const dot = builder.fragment("dot", { role: "sum", element: "f32", rows: side, columns: side });
      for (let c = 0; c < padded(tiles.depth) / side; c++) {
        const right = builder.fragment("key", { role: "right", element: tiles.keys, rows: side, columns: side });
        builder.loadFragment(right, { buffer: into, index: key * line + c * side, stride: line, order: "columns" });
        queries.forEach((part) => builder.multiplyFragments(dot, part[c]!, right));
      }
      const index = add(mul(warpRow, scoreLine), key);
      builder.storeFragment(dot, { buffer: scores, index, stride: scoreLine, order: "rows" });
    }
  });
}

/**
 * Scores of a block in f32 once there was a key with an infinity or no number: such numbers are 0 in shared memory, since
 * their product with a part of a query would be none where the query's own is an infinity. Each thread has the scores
 * that `softmaxStep` reads.
 */
function scoreEndless(tile: Tile, visited: KeyBlock): void {
  const { emitter, call, tiles, pairs, keys, scores, queryStarts, scales, endlessKeys } = tile;
  const { builder } = emitter;
  // It is 1 where the loops run, but no compiler knows: unrolled, they would take registers from every block.
  const marked = builder.let("marked", builder.load(endlessKeys, 0));
  builder.ifThen(compare("ne", marked, 0), () => {
    const { source, start, keyStep, step } = rowPlace(emitter, keys, visited);
    const last = builder.let("last_key", sub(visited.count, 1));
    builder.loop("number", div(thread, across), tileRows, side, (number) => {
      const query = builder.let("query_at", builder.load(queryStarts, number));
      builder.loop("key", pairs.myColumn, keyBlock, across, (key) => {
        const at = builder.let("key_at", add(start, mul(min(key, last), keyStep)));
        const dot = builder.variable("dot", constant(0, f32));
        builder.loop("d", 0, mul(marked, tiles.depth), 1, (d) => {
          const product = mul(scaledQuery(emitter, call, query, d), builder.load(source, add(at, mul(d, step))));
          dot.set(add(dot.get, product));
        });
        // Scores of scaled queries are expected.
        const score = scales ? div(dot.get, builder.load(scales, number)) : dot.get;
        builder.store(scores, add(mul(number, scoreLine), key), score);
      });
    });
  });
}

/** Scores become powers of e relative to the greatest of their row so far; those of forbidden pairs 0. */
function softmaxStep(tile: Tile, visited: KeyBlock, kept: Kept | undefined): void {
  const { emitter, own, pairs, tiles, scores, powers, scales, tops, shrink } = tile;
  const { builder } = emitter;
  eachAllowed(pairs, visited, kept, (i, allowed) => {
    const { number, total } = own[i]!;
    const scale = scales && builder.let("scale", builder.load(scales, number));
    const top = builder.let("top", builder.load(tops, number));
    const found = allowed.map((isAllowed, j) => {
      const place = add(mul(number, scoreLine), add(pairs.myColumn, j * across));
      const score = builder.load(scores, place);
      return builder.let("score", select(isAllowed, scale ? mul(score, scale) : score, constant(-Infinity, f32)));
    });
    const mine = builder.let(
      "mine",
      found.reduce((a, b) => max(a, b)),
    );
    const next = builder.let("next", max(top, builder.fold("greatest", "max", mine, ofOneRow)));
    const base = baseOfScores(builder, next);
    const factor = builder.let("factor", exp(sub(top, base)));
    builder.store(tops, number, next);
    total.set(mul(total.get, factor));
    builder.ifThen(compare("eq", pairs.myColumn, 0), () => builder.store(shrink, number, factor));
    found.forEach((score, j) => {
      const power = builder.let("power", exp(sub(score, base)));
      total.set(add(total.get, power));
      const rest = builder.variable("rest", mul(power, powerScale[tiles.values]));
      const place = builder.let("place", add(mul(number, powerLine), add(pairs.myColumn, j * across)));
      for (let part = 0; part < partsOf[tiles.values]; part++) {
        writePart(builder, powers, add(place, part * tileRows * powerLine), rest);
      }
    });
  });
}

/** sums = sums * shrink + powers @ values. */
function multiplyValues({ emitter: { builder }, tiles, values, powers, shrink, sums, warpRow, hasRows }: Tile): void {
  const { into, line } = values;
  const element = tiles.values;
  builder.ifThen(hasRows, () => {
    sums.forEach((sum) => builder.scaleFragmentRows(sum, { buffer: shrink, index: warpRow }));
    for (let key = 0; key < keyBlock; key += side) {
      const parts = Array.from({ length: partsOf[element] }, (_, part) => {
        const left = builder.fragment("power", { role: "left", element, rows: side, columns: side });
        const index = add(mul(warpRow, powerLine), part * tileRows * powerLine + key);
        builder.loadFragment(left, { buffer: powers, index, stride: powerLine, order: "rows" });
        return left;
      });
      sums.forEach((sum, c) => {
        const right = builder.fragment("value", { role: "right", element, rows: side, columns: side });
        builder.loadFragment(right, { buffer: into, index: key * line + c * side, stride: line, order: "rows" });
        parts.forEach((left) => builder.multiplyFragments(sum, left, right));
      });
    }
  });
}

/**
 * Adds the infinities of a block, and what is no number, to the results of the rows that may see them: a product of 0 with
 * one would spoil the others. Once there was one, the results hold such sums.
 */
function addEndless(tile: Tile, visited: KeyBlock): void {
  const { emitter, tiles, own, pairs, powers, values, touched, endless, out } = tile;
  const { builder } = emitter;
  builder.ifThen(compare("ne", builder.load(endless, 0), 0), () => {
    const eachColumn = (body: (column: Expression) => void): void =>
      builder.loop("column", pairs.myColumn, tiles.width, across, body);
    builder.ifThen(compare("eq", touched.get, 0), () =>
      own.forEach(({ isThere, to }) =>
        builder.ifThen(isThere, () => {
          const start = to();
          eachColumn((column) => builder.store(out, add(start, column), constant(0, f32)));
        }),
      ),
    );
    touched.set(1);
    const { source, start, keyStep, step } = rowPlace(emitter, values, visited);
    builder.loop("key", 0, visited.count, 1, (key) =>
      own.forEach(({ number, isThere, to }) => {
        const power = builder.load(powers, add(mul(number, powerLine), key));
        builder.ifThen(and(isThere, compare("ne", power, 0)), () => {
          const line = to();
          eachColumn((column) => {
            const at = add(start, add(mul(key, keyStep), mul(column, step)));
            const value = builder.let("value", builder.load(source, at));
            const place = builder.let("place", add(line, column));
            builder.ifThen(isEndless(value), () => builder.store(out, place, add(builder.load(out, place), value)));
          });
        });
      }),
    );
  });
}

/** Divides by the sums and puts the rows into their places; a row without an allowed key is zero. */
function finish({ emitter, tiles, own, pairs, scores, sums, warpRow, hasRows, touched, out }: Tile): void {
  const { builder } = emitter;
  const scales = own.map(({ total }) => {
    const whole = builder.fold("whole", "add", total.get, ofOneRow);
    const inverse = div(constant(1 / powerScale[tiles.values], f32), whole);
    return builder.let("inverse", select(compare("eq", whole, 0), constant(0, f32), inverse));
  });
  const columns = keyBlock;
  for (let first = 0; first < tiles.width; first += columns) {
    if (first > 0) builder.barrier();
    builder.ifThen(hasRows, () =>
      sums.slice(first / side, (first + columns) / side).forEach((sum, c) => {
        const index = add(mul(warpRow, scoreLine), c * side);
        builder.storeFragment(sum, { buffer: scores, index, stride: scoreLine, order: "rows" });
      }),
    );
    builder.barrier();
    own.forEach(({ number, isThere, to }, i) => {
      const line = to();
      for (let j = 0; j < columns; j += across) {
        if (first + j >= tiles.width) continue;
        const column = builder.let("column", add(pairs.myColumn, first + j));
        const fits = first + j + across <= tiles.width ? isThere : and(isThere, compare("lt", column, tiles.width));
        builder.ifThen(fits, () => {
          const sum = builder.load(scores, add(mul(number, scoreLine), add(pairs.myColumn, j)));
          const mean = builder.variable("mean", mul(sum, scales[i]!));
          const place = builder.let("place", add(line, column));
          builder.ifThen(compare("ne", touched.get, 0), () => mean.set(add(mean.get, builder.load(out, place))));
          builder.store(out, place, mean.get);
        });
      }
    });
  }
}
