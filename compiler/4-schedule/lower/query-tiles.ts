/** How the queries of an attention are shared out among tiles. */
import type { AttendCall } from "./attention.js";
import type { TensorAxis } from "./tensor.js";

/** Rows from which on a tile is faster than a walk over the keys for each row. */
const worthwhileRows = 8;

/** Columns that a tile has to know. */
export interface TileColumns {
  /** Columns of queries and keys. */
  readonly depth: number;
  /** Columns of the values. */
  readonly width: number;
}

export interface QueryTiles extends TileColumns {
  /** Axes with blocks of their own. */
  readonly batch: readonly TensorAxis[];
  /** Axes whose rows share keys and values: rows of the tile, next to each other. */
  readonly heads: readonly TensorAxis[];
  readonly headCount: number;
  /** Query positions of one tile. */
  readonly queries: number;
  /** Query positions of a call from which on tiles are used. */
  readonly fewest: number;
}

/** Undefined where sizes are open. */
export function tileColumns({ attrs, q, v }: AttendCall): TileColumns | undefined {
  const depth = q.axis(attrs.contracted).size.constant;
  const width = v.axis(attrs.valueAxis).size.constant;
  if (depth === undefined || width === undefined || q.axes.some((axis) => axis.live)) return undefined;
  return { depth, width };
}

/** @param most Rows of one tile. */
export function queryTiles({ attrs, q, k, v }: AttendCall, columns: TileColumns, most: number): QueryTiles {
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted && axis.name !== attrs.queryAxis);
  const heads: TensorAxis[] = [];
  let headCount = 1;
  for (const axis of rows) {
    const size = axis.size.constant;
    if (k.has(axis.name) || v.has(axis.name) || size === undefined || headCount * size > most) continue;
    heads.push(axis);
    headCount *= size;
  }
  headCount = Math.max(1, headCount);
  return {
    ...columns,
    batch: rows.filter((axis) => !heads.includes(axis)),
    heads,
    headCount,
    queries: Math.max(1, Math.floor(most / headCount)),
    fewest: Math.max(2, Math.ceil(worthwhileRows / headCount)),
  };
}
