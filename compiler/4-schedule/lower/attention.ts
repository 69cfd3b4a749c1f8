/**
 * `attend`: attention with a running greatest score and sum (online softmax; Milakov and Gimelshein 2018, Dao et al.
 * 2022), so scores never lie in memory as a whole. Keys are walked in blocks; blocks that the mask keeps empty are not
 * visited, and blocks that it leaves full are not masked.
 *
 * There are two kernels. One takes queries in tiles, so that each block of keys and values is read once for many rows;
 * the other takes one query at a time, for calls with few tokens. Both stand in the plan; the number of tokens of a call
 * decides which of them has blocks to run.
 */
import type { AttendAttrs } from "../../2-graph/ir.js";
import { Size } from "../../axes/size.js";
import type { Expression } from "../kernel-ir.js";
import { isGpu } from "../../targets/index.js";
import { attendRows } from "./attention-rows.js";
import { threadShape, tileShape } from "./attention-tile-shape.js";
import { attendTiles } from "./attention-tiles.js";
import { type Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { attendGpuRows } from "./gpu-attention-rows.js";
import { attendMatrices, matrixTiles } from "./cuda-attention.js";
import { attendGpuTiles, gpuTiles } from "./gpu-attention-tiles.js";
import { forDrivers } from "./gpu-grouping.js";
import type { BlockMask } from "./mask-blocks.js";
import { blocksAlong } from "./stored-blocks.js";
import type { Stored, Tensor } from "./tensor.js";

export interface AttendCall {
  readonly attrs: AttendAttrs;
  readonly q: Stored;
  readonly k: Stored;
  readonly v: Stored;
  readonly sinks: Tensor | undefined;
  readonly keep: Tensor | undefined;
  /** Which blocks of keys are visited. */
  readonly blocks: BlockMask;
  /** The mask predicate at two positions, scalars or lanes. */
  readonly mask: ((emitter: Emitter, query: Expression, key: Expression) => Expression) | undefined;
}

/** An attention with the memory of its result: the axes of q with the values in place of the contracted axis, last. */
export interface Attention extends AttendCall {
  readonly result: Stored;
}

export const plus = (at: Coordinates, axis: string, c: Coordinate): Coordinates => new Map([...at, [axis, c]]);

export function attend(entry: EntryLowering, call: AttendCall): Stored {
  const { attrs, q } = call;
  const v = valuesSideBySide(entry, call);
  const k = keysInBlocks(entry, call);
  const rows = q.axes.filter((axis) => axis.name !== attrs.contracted);
  const result = entry.allocate("attend", "f32", [...rows, v.axis(attrs.valueAxis)]);
  const attention: Attention = { ...call, k, v, result };
  if (isGpu(entry.program.target)) {
    attendOnGpu(entry, attention);
    return result;
  }
  const shape = tileShape(entry, attention);
  byLength(
    entry,
    attention,
    shape?.fewest,
    (share) => attendRows(entry, attention, share),
    (share) => attendTiles(entry, attention, shape!, share),
  );
  return result;
}

/**
 * On a GPU by tiles of queries where there are many of them, else a block for each row; on a driver that computes on the
 * processor a thread has the rows of a tile, and meets no other. By one thread for each row where sizes are open.
 */
function attendOnGpu(entry: EntryLowering, attention: Attention): void {
  const tiles = gpuTiles(attention);
  if (!tiles) return attendRows(entry, attention, Size.one);
  const matrices = entry.program.target.family === "cuda" ? matrixTiles(attention) : undefined;
  forDrivers(entry, (on) => {
    if (on !== "cpu") {
      return byLength(
        entry,
        attention,
        matrices?.fewest ?? tiles.fewest,
        (share) => attendGpuRows(entry, attention, tiles, share, on),
        (share) =>
          matrices
            ? attendMatrices(entry, attention, matrices, share)
            : attendGpuTiles(entry, attention, tiles, share, on),
      );
    }
    const shape = threadShape(attention);
    byLength(
      entry,
      attention,
      shape?.fewest,
      (share) => attendRows(entry, attention, share, on),
      (share) => attendTiles(entry, attention, shape!, share, on),
    );
  });
}

/** Both ways to compute a call, each with a share of 1 where a call has few queries or many, and 0 where it does not. */
function byLength(
  entry: EntryLowering,
  { attrs, q }: Attention,
  fewest: number | undefined,
  few: (share: Size) => void,
  many: (share: Size) => void,
): void {
  const queries = q.axis(attrs.queryAxis).size;
  if (fewest === undefined || entry.program.bound(queries) < fewest) return few(Size.one);
  const isLong = queries.reaches(fewest);
  if (isLong.constant !== 1) few(Size.one.minus(isLong));
  if (isLong.constant !== 0) many(isLong);
}

/** The columns of one value lie next to each other: the kernels read them in vectors. */
function valuesSideBySide(entry: EntryLowering, { attrs, v }: AttendCall): Stored {
  const value = v.axis(attrs.valueAxis);
  if (v.strides.get(value.name)!.constant === 1 && blocksAlong(v, value.name)) return v;
  const axes = [...v.axes.filter((axis) => axis.name !== value.name), value];
  return entry.store(v, entry.allocate("values", "f32", axes));
}

/** Keys whose blocks are not those of their rows (a part of a row, say) become floats. */
function keysInBlocks(entry: EntryLowering, { attrs, k }: AttendCall): Stored {
  return blocksAlong(k, attrs.contracted) ? k : entry.store(k, entry.allocate("keys", "f32", k.axes));
}
