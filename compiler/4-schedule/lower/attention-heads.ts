/** Which rows of the queries of an attention go into one tile. */
import type { AttendCall } from "./attention.js";
import type { TensorAxis } from "./tensor.js";

export interface SharedHeads {
  /** Axes with blocks of their own. */
  readonly batch: readonly TensorAxis[];
  /** Axes whose rows share keys and values: rows of the tile, next to each other. */
  readonly heads: readonly TensorAxis[];
  readonly headCount: number;
}

/** @param most Rows of one tile. */
export function sharedHeads({ attrs, q, k, v }: AttendCall, most: number): SharedHeads {
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted && axis.name !== attrs.queryAxis);
  const heads: TensorAxis[] = [];
  let headCount = 1;
  for (const axis of rows) {
    const size = axis.size.constant;
    if (k.has(axis.name) || v.has(axis.name) || size === undefined || headCount * size > most) continue;
    heads.push(axis);
    headCount *= size;
  }
  return { batch: rows.filter((axis) => !heads.includes(axis)), heads, headCount: Math.max(1, headCount) };
}
