/**
 * Attention of many queries: a block takes a tile of query rows (the heads that share keys and values are rows as well)
 * and walks over blocks of keys. Query rows are the lanes: the tile of queries is turned once, scores lie as [key][row],
 * so both products are register tiles over rows that are read as they lie, and maxima, exponentials and sums of the
 * softmax need no work across lanes.
 */
import { Size } from "../../axes/size.js";
import {
  add,
  block,
  compare,
  constant,
  div,
  fma,
  max,
  min,
  mul,
  rem,
  select,
  splat,
  sub,
} from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { f32, registerType } from "../kernel-types.js";
import { f32Tile } from "../micro/f32-tile.js";
import type { Driver } from "../plan.js";
import { plus, type Attention } from "./attention.js";
import { visitBlocks, visitMark, type KeyBlock } from "./attention-blocks.js";
import { baseOfScores, weightOfKey } from "./attention-powers.js";
import type { TileShape } from "./attention-tile-shape.js";
import { valueProducts } from "./attention-values.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowCoordinates } from "./nest.js";
import { loadNumbers } from "./stored-blocks.js";
import { elements } from "./tensor.js";

/** Registers and block memory of the tile that is being written. */
export interface Tile {
  readonly emitter: Emitter;
  readonly call: Attention;
  readonly shape: TileShape;
  /** Coordinates of the axes with blocks of their own. */
  readonly at: Coordinates;
  /** Coordinates of a row of the tile. */
  readonly row: (row: Coordinate) => Coordinates;
  /** Rows that are there, and those with what fills up their last panel. */
  readonly rows: Expression;
  readonly filled: Expression;
  /** [panel][depth][row of the panel], scaled. */
  readonly queries: BufferHandle;
  /** [key][row] */
  readonly scores: BufferHandle;
  /** [key][depth], where keys are stored as halves or in blocks: each is read for several panels. */
  readonly keys: BufferHandle | undefined;
  /** [key][column], columns filled up with zeros to whole vectors; where there are rows enough to read each often. */
  readonly values: BufferHandle | undefined;
  /** [row][column] */
  readonly sums: BufferHandle;
  readonly columns: number;
  /** By row: query position, greatest score, sum, and the factor of this block for what was summed before. */
  readonly positions: BufferHandle;
  readonly top: BufferHandle;
  readonly total: BufferHandle;
  readonly shrink: BufferHandle;
  /** [key][row] 0 or 1, where keys are chosen by a tensor. */
  readonly kept: BufferHandle | undefined;
}

/** @param share 1 when this kernel is the one for the call, else 0. */
export function attendTiles(entry: EntryLowering, call: Attention, shape: TileShape, share: Size, on?: Driver): void {
  const { attrs, q, k } = call;
  const emitter = entry.emitter("attend_tiles");
  const { builder } = emitter;
  const queryAxis = q.axis(attrs.queryAxis);
  const tiles = queryAxis.size.ceilDividedBy(Size.of(shape.queries));
  const count = builder.let("tiles", emitter.size(tiles));
  const number = emitter.variable(builder.let("group", div(block, count)), []);
  const at = rowCoordinates(shape.batch, number);
  const firstQuery = builder.let("first_query", mul(rem(block, count), shape.queries));
  const first = emitter.variable(firstQuery, []);
  const own = builder.let("queries", min(sub(emitter.size(queryAxis.size), firstQuery), shape.queries));
  const rows = builder.let("rows", mul(own, shape.headCount));
  const panel = shape.vectors * shape.lanes;
  const columns = Math.ceil(shape.width / shape.lanes) * shape.lanes;
  const local = (wish: string, element: "f32" | "i32", length: number): BufferHandle =>
    builder.blockBuffer(wish, element, "local", Math.max(1, length));
  const inTile = [{ name: attrs.queryAxis, size: Size.of(shape.queries) }, ...shape.heads];
  const tile: Tile = {
    emitter,
    call,
    shape,
    at,
    row: (row) => {
      const inside = rowCoordinates(inTile, row);
      return new Map([...at, ...inside, [attrs.queryAxis, inside.get(attrs.queryAxis)!.plus(first)]]);
    },
    rows,
    filled: builder.let("filled", mul(div(add(rows, panel - 1), panel), panel)),
    queries: local("queries_turned", "f32", shape.depth * shape.most),
    scores: local("scores", "f32", shape.keys * shape.most),
    keys: shape.isPacked && k.format !== "f32" ? local("keys", "f32", shape.keys * shape.depth) : undefined,
    values: shape.isPacked ? local("values", "f32", shape.keys * columns) : undefined,
    sums: local("sums", "f32", shape.most * columns),
    columns,
    positions: local("positions", "i32", shape.most),
    top: local("top", "f32", shape.most),
    total: local("total", "f32", shape.most),
    shrink: local("shrink", "f32", shape.most),
    kept: call.keep && local("kept", "i32", shape.keys * shape.most),
  };
  prepare(tile);
  const low = builder.let("low", add(firstQuery, emitter.size(attrs.queryOffset)));
  const high = builder.let("high", sub(add(low, own), 1));
  visitBlocks(emitter, call.blocks, { low, high }, k.axis(attrs.keyAxis).size, shape.keys, (visited) => {
    const work = (): void => {
      builder.let(visitMark, visited.count);
      scoreProducts(tile, visited);
      applyMask(tile, visited);
      softmaxStep(tile, visited);
      valueProducts(tile, visited);
    };
    const any = readKept(tile, visited);
    if (any) emitter.guard(any, work);
    else work();
  });
  finish(tile);
  entry.launch(emitter, elements(shape.batch).times(tiles).times(share), on);
}

/** Turns the queries, and starts the sums. What fills up the last panel is zero and looks from the last position. */
function prepare(tile: Tile): void {
  const { emitter, call, shape } = tile;
  const { builder } = emitter;
  const { attrs, q } = call;
  const panel = shape.vectors * shape.lanes;
  const depth = q.axis(attrs.contracted);
  const place = (row: Expression): Expression =>
    builder.let("panel_row", add(mul(div(row, panel), shape.depth * panel), rem(row, panel)));
  const begin = (row: Expression, position: Expression, top: Expression, total: number): void => {
    builder.store(tile.positions, row, position);
    builder.store(tile.top, row, top);
    builder.store(tile.total, row, total);
  };
  emitter.loop("row", 0, tile.rows, 1, Size.of(shape.most), (c, row) => {
    const at = tile.row(c);
    const to = place(row);
    emitter.loop(depth.name, 0, shape.depth, 1, depth.size, (d, register) => {
      const x = mul(q.read(emitter, plus(at, depth.name, d)), constant(attrs.scale, f32));
      builder.store(tile.queries, add(to, mul(register, panel)), x);
    });
    const position = add(emitter.index(at.get(attrs.queryAxis)!), emitter.size(attrs.queryOffset));
    const sink = call.sinks?.read(emitter, at);
    begin(row, position, sink ?? constant(-Infinity, f32), sink ? 1 : 0);
  });
  emitter.loop("row", tile.rows, tile.filled, 1, undefined, (_, row) => {
    const to = place(row);
    emitter.loop("d", 0, shape.depth, 1, undefined, (__, d) => builder.store(tile.queries, add(to, mul(d, panel)), 0));
    begin(row, builder.load(tile.positions, sub(tile.rows, 1)), constant(-Infinity, f32), 0);
  });
  const zeros = constant(0, registerType("f32", shape.lanes));
  emitter.loop("sum", 0, mul(tile.filled, tile.columns), shape.lanes, undefined, (_, at) =>
    builder.store(tile.sums, at, zeros),
  );
  const { values } = tile;
  if (values && tile.columns > shape.width) {
    emitter.loop("key", 0, shape.keys, 1, undefined, (_, key) => {
      for (let c = shape.width; c < tile.columns; c++) builder.store(values, add(mul(key, tile.columns), c), 0);
    });
  }
  if (tile.kept) {
    const none = constant(0, registerType("i32", shape.lanes));
    emitter.loop("pair", 0, shape.keys * shape.most, shape.lanes, undefined, (_, at) =>
      builder.store(tile.kept!, at, none),
    );
  }
}

/** Loops over `count` in steps of `beside`, and over the rest one by one. */
function besideLoop(
  emitter: Emitter,
  wish: string,
  count: Expression,
  beside: number,
  body: (first: Expression, coordinate: Coordinate, beside: number) => void,
): void {
  const whole = emitter.builder.let("whole", sub(count, rem(count, beside)));
  emitter.loop(wish, 0, whole, beside, undefined, (c, first) => body(first, c, beside));
  if (beside > 1) emitter.loop(wish, whole, count, 1, undefined, (c, first) => body(first, c, 1));
}

/** Where the keys of a block lie: number of the first one, and the steps to the next key and the next column. */
interface KeyPlaces {
  readonly start: Expression;
  readonly keyStep: Expression;
  readonly step: Expression;
}

interface Keys extends KeyPlaces {
  readonly source: BufferHandle;
}

function keyPlaces({ emitter, call, at }: Tile, visited: KeyBlock): KeyPlaces {
  const { builder } = emitter;
  const { attrs, k } = call;
  const zero = plus(plus(at, attrs.keyAxis, Coordinate.zero), attrs.contracted, Coordinate.zero);
  const base = emitter.index(k.address(zero));
  const keyStep = emitter.size(k.strides.get(attrs.keyAxis)!);
  const step = emitter.size(k.strides.get(attrs.contracted)!);
  return { start: builder.let("key_row", add(base, mul(visited.start, keyStep))), keyStep, step };
}

function keysInMemory(tile: Tile, visited: KeyBlock): Keys {
  const { k } = tile.call;
  return { source: tile.emitter.buffer(k.place, k.element, "read"), ...keyPlaces(tile, visited) };
}

/** Halves and blocks become floats once for all panels. */
function unpackKeys(tile: Tile, keys: BufferHandle, visited: KeyBlock): Keys {
  const { emitter, call, shape } = tile;
  const { builder } = emitter;
  const { depth } = shape;
  const { start, keyStep, step } = keyPlaces(tile, visited);
  const isDense = call.k.strides.get(call.attrs.contracted)!.constant === 1;
  const whole = isDense ? depth - (depth % shape.lanes) : 0;
  const copy = (from: Expression, to: Expression, c: Expression, lanes: number): void =>
    builder.store(keys, add(to, c), loadNumbers(emitter, call.k, add(from, mul(c, step)), lanes));
  emitter.loop("key", 0, visited.count, 1, undefined, (_, key) => {
    const from = builder.let("from", add(start, mul(key, keyStep)));
    const to = builder.let("to", mul(key, depth));
    emitter.loop("c", 0, whole, shape.lanes, undefined, (__, c) => copy(from, to, c, shape.lanes));
    emitter.loop("c", whole, depth, 1, undefined, (__, c) => copy(from, to, c, 1));
  });
  return { source: keys, start: constant(0), keyStep: constant(depth), step: constant(1) };
}

/** scores[key][row] = q . k, some keys times one panel of rows at a time. */
function scoreProducts(tile: Tile, visited: KeyBlock): void {
  const { emitter, shape } = tile;
  const { builder } = emitter;
  const { lanes, vectors } = shape;
  const panel = vectors * lanes;
  const { source, start, keyStep, step } = tile.keys
    ? unpackKeys(tile, tile.keys, visited)
    : keysInMemory(tile, visited);
  besideLoop(emitter, "key", visited.count, shape.beside, (key, _, beside) => {
    const lines = Array.from({ length: beside }, (__, i) => builder.let("line", add(start, mul(add(key, i), keyStep))));
    emitter.loop("panel", 0, tile.filled, panel, undefined, (__, row) => {
      const queries = builder.let("panel_start", mul(row, shape.depth));
      const sums = f32Tile(builder, {
        rows: beside,
        vectors,
        lanes,
        from: 0,
        to: shape.depth,
        left: (i, c) => builder.load(source, add(lines[i]!, mul(c, step))),
        right: (vector, c) => builder.load(tile.queries, add(add(queries, mul(c, panel)), vector * lanes), { lanes }),
      });
      const to = builder.let("score", add(mul(key, shape.most), row));
      sums.forEach((line, i) =>
        line.forEach((sum, vector) => builder.store(tile.scores, add(to, i * shape.most + vector * lanes), sum.get)),
      );
    });
  });
}

/** Which pairs a tensor chooses, before any product; true when there is one. */
function readKept(tile: Tile, visited: KeyBlock): Expression | undefined {
  const { emitter, call, shape, kept } = tile;
  const { builder } = emitter;
  if (!kept || !call.keep) return undefined;
  const any: Variable = builder.variable("any", 0);
  emitter.loop("row", 0, tile.rows, 1, Size.of(shape.most), (c, row) => {
    const at = tile.row(c);
    emitter.loop("key", 0, visited.count, 1, Size.of(shape.keys), (key, register) => {
      const place = emitter.variable(builder.let("position", add(visited.start, register)), key.variables);
      const choice = call.keep!.read(emitter, plus(at, call.attrs.keyAxis, place));
      const bit = builder.let("choice", select(choice, constant(1), constant(0)));
      builder.store(kept, add(mul(register, shape.most), row), bit);
      any.set(max(any.get, bit));
    });
  });
  return compare("ne", any.get, 0);
}

/** Scores of pairs that are not allowed become -inf. */
function applyMask(tile: Tile, visited: KeyBlock): void {
  const { emitter, call, shape, kept } = tile;
  const { builder } = emitter;
  const { lanes } = shape;
  const each = (allowed: (row: Expression, key: Expression, pair: Expression) => Expression): void => {
    emitter.loop("row", 0, tile.filled, lanes, undefined, (_, row) => {
      emitter.loop("key", 0, visited.count, 1, undefined, (__, key) => {
        const pair = builder.let("pair", add(mul(key, shape.most), row));
        const score = builder.load(tile.scores, pair, { lanes });
        builder.store(tile.scores, pair, select(allowed(row, key, pair), score, constant(-Infinity, score.type)));
      });
    });
  };
  if (call.mask && !(visited.full.kind === "constant" && visited.full.value === 1)) {
    const partial = compare("eq", select(visited.full, constant(1), constant(0)), 0);
    emitter.guard(partial, () =>
      each((row, key) => {
        const queries = builder.let("at", builder.load(tile.positions, row, { lanes, element: "i32" }));
        return call.mask!(emitter, queries, builder.let("key_at", add(visited.start, key)));
      }),
    );
  }
  if (kept) {
    each((_, __, pair) =>
      compare("ne", builder.load(kept, pair, { lanes, element: "i32" }), constant(0, registerType("i32", lanes))),
    );
  }
}

/** Scores become powers of e relative to the greatest score so far. */
function softmaxStep(tile: Tile, visited: KeyBlock): void {
  const { emitter, shape } = tile;
  const { builder } = emitter;
  const { lanes } = shape;
  const type = registerType("f32", lanes);
  const zeros = constant(0, type);
  emitter.loop("row", 0, tile.filled, lanes, undefined, (_, row) => {
    const before = builder.let("before", builder.load(tile.top, row, { lanes }));
    const top = builder.variable("top_now", before, type);
    const pair = (key: Expression): Expression => builder.let("pair", add(mul(key, shape.most), row));
    emitter.loop("key", 0, visited.count, 1, undefined, (__, key) =>
      top.set(max(top.get, builder.load(tile.scores, pair(key), { lanes }))),
    );
    const next = builder.let("next", top.get);
    const base = baseOfScores(builder, next);
    const shrink = builder.let("factor", weightOfKey(builder, sub(before, base)));
    const sum = builder.variable("sum", zeros, type);
    emitter.loop("key", 0, visited.count, 1, undefined, (__, key) => {
      const at = pair(key);
      const power = builder.let("power", weightOfKey(builder, sub(builder.load(tile.scores, at, { lanes }), base)));
      builder.store(tile.scores, at, power);
      sum.set(add(sum.get, power));
    });
    builder.store(tile.total, row, fma(builder.load(tile.total, row, { lanes }), shrink, sum.get));
    builder.store(tile.top, row, next);
    builder.store(tile.shrink, row, shrink);
  });
}

/** Divides by the sums and puts the rows into their places; a row without an allowed key is zero. */
function finish(tile: Tile): void {
  const { emitter, call, shape } = tile;
  const { builder } = emitter;
  const { attrs, result } = call;
  const { lanes, width } = shape;
  const out = emitter.buffer(result.place, "f32", "write");
  emitter.loop("row", 0, tile.rows, 1, Size.of(shape.most), (c, row) => {
    const at = plus(tile.row(c), attrs.valueAxis, Coordinate.zero);
    const total = builder.let("whole", builder.load(tile.total, row));
    const inverse = select(compare("eq", total, 0), constant(0, f32), div(constant(1, f32), total));
    const scale = builder.let("scale", inverse);
    const to = builder.let("out_row", emitter.index(result.address(at)));
    const from = builder.let("sum_row", mul(row, tile.columns));
    const whole = width - (width % lanes);
    emitter.loop("column", 0, whole, lanes, undefined, (_, column) => {
      const sum = builder.load(tile.sums, add(from, column), { lanes });
      builder.store(out, add(to, column), mul(sum, splat(scale, lanes)));
    });
    for (let column = whole; column < width; column++) {
      builder.store(out, add(to, column), mul(builder.load(tile.sums, add(from, column)), scale));
    }
  });
}
