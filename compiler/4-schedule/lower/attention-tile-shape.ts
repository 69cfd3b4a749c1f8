/** Which tiles of queries attention is computed by: in vectors of a processor, or by one thread of a driver on it. */
import type { AttendCall } from "./attention.js";
import type { EntryLowering } from "./entry-lowering.js";
import { queryTiles, tileColumns, type QueryTiles } from "./query-tiles.js";

/** How the rows of q are shared out. */
export interface TileShape extends QueryTiles {
  /** Query rows of one tile. */
  readonly most: number;
  /** Keys of one block. */
  readonly keys: number;
  /** Rows of one vector; a printer that has none takes them one by one. */
  readonly lanes: number;
  /** Vectors of rows side by side in the product of the scores; a panel is so many rows. */
  readonly vectors: number;
  /** Keys in the product of the scores, and rows in that of the values, side by side. */
  readonly beside: number;
  /** Whether keys and values are copied side by side as floats, for many rows; else they are read where they lie. */
  readonly isPacked: boolean;
}

/** Query rows of one tile, and keys of one block, of a processor. */
const tileRows = 32;
const keyBlock = 64;

/** The shape of the tiles, or undefined where the kernel does not apply: threads instead of lanes, sizes that are open. */
export function tileShape(entry: EntryLowering, call: AttendCall): TileShape | undefined {
  const { lanes } = entry;
  const columns = tileColumns(call);
  if (lanes === 1 || !columns) return undefined;
  const vectors = Math.min(4, tileRows / lanes);
  return {
    ...queryTiles(call, columns, tileRows),
    most: tileRows,
    keys: keyBlock,
    isPacked: true,
    lanes,
    vectors,
    // Sums, the vectors of the right side and a broadcast number lie in registers.
    beside: [8, 4].find((count) => (count + 1) * vectors + 2 <= entry.program.target.vectorRegisters) ?? 2,
  };
}

/** Rows that one thread may have: a key or a value is read once for all of them. */
const threadRows = [8, 4, 2];
/** Keys of one block of a thread, and those in one product. */
const threadKeys = 32;
const keysBeside = 8;
/**
 * Numbers in the arrays of a thread: WGSL grants the variables of a function 8192 bytes, of which a quarter is left for
 * the sums of a product.
 */
const threadNumbers = (8192 * 3) / 4 / 4;

/** The shape for a thread that has memory of its own and meets no other; undefined where not even two rows fit. */
export function threadShape(call: AttendCall): TileShape | undefined {
  const columns = tileColumns(call);
  if (!columns) return undefined;
  const { depth, width } = columns;
  // Queries, sums, scores with what a tensor chooses, and four numbers of a row.
  const perRow = depth + width + threadRows[0]! + 2 * threadKeys + 4;
  const most = threadRows.find((rows) => rows * perRow <= threadNumbers);
  if (most === undefined) return undefined;
  return {
    ...queryTiles(call, columns, most),
    most,
    keys: threadKeys,
    isPacked: false,
    lanes: most,
    vectors: 1,
    beside: keysBeside,
  };
}
