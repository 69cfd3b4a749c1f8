/** Sums of integer products with the records of any format: which kernel is written for which. */
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import type { KTile } from "./k-dots.js";
import { kFew } from "./k-few.js";
import { isK, type KRecords } from "./k-layouts.js";
import { kRows, unpackedKBytes, type KRows } from "./k-rows.js";
import type { ManyRows } from "./row-passes.js";
import type { WideRow, WideTile } from "./wide-dots.js";
import { fewRowsTogether, wideFew } from "./wide-few.js";
import { recordCount, type WideQuants } from "./wide-layouts.js";
import { matrixProducts, type MatrixBuffers, type NumberRows } from "./wide-matrices.js";
import { wideRows } from "./wide-rows.js";
import { unpackedTileBytes } from "./wide-unpack.js";

export type RecordQuants = WideQuants | KRecords;

/** Records of one tile of 16 rows. */
export type RecordTile = Omit<WideTile, "format"> & { readonly format: RecordQuants };

const areK = (tiles: readonly RecordTile[]): tiles is readonly KTile[] => tiles.every(({ format }) => isK(format));

/** How many rows `recordsFew` takes at a time, largest first; 1 is the last. */
export const recordRowsTogether = (format: RecordQuants, shapes: WideShapes): readonly number[] =>
  isK(format) ? [1] : fewRowsTogether(shapes);

/**
 * Sums of a few rows with `columns` columns; the tiles are of one format. `put` gets the sum of a row and a vector of a
 * tile.
 */
export function recordsFew(
  k: KernelBuilder,
  shapes: WideShapes,
  tiles: readonly RecordTile[],
  rows: readonly WideRow[],
  columns: number,
  put: (row: number, tile: number, vector: number, sum: Expression) => void,
): void {
  if (areK(tiles)) {
    rows.forEach((row, r) =>
      tiles.forEach((tile, t) =>
        kFew(k, shapes, tile, row, columns).forEach((sum, vector) => put(r, t, vector, sum.get)),
      ),
    );
    return;
  }
  (tiles as readonly WideTile[]).forEach((tile, t) =>
    wideFew(k, shapes, tile, rows, recordCount(columns)).forEach((sums, r) =>
      sums.forEach((sum, vector) => put(r, t, vector, sum.get)),
    ),
  );
}

/** What `recordsMany` does, with tiles of any one format. */
export interface RecordRows extends ManyRows {
  readonly tiles: readonly RecordTile[];
  readonly columns: number;
  /** Rows as bf16, where the target multiplies matrices of these. */
  readonly matrices?: RowsOfMatrices | undefined;
}

export interface RowsOfMatrices {
  readonly buffers: MatrixBuffers;
  /** Whether the rows are there and so many that matrices are faster. */
  readonly areMany: Expression;
  readonly rows: NumberRows;
}

/** Whether many rows of a format are multiplied as matrices. */
export const hasMatrices = (format: RecordQuants, { matrices }: WideShapes): format is WideQuants =>
  matrices === true && !isK(format);

/** Sums of many rows and a few tiles of one format. */
export function recordsMany(k: KernelBuilder, shapes: WideShapes, what: RecordRows): void {
  const { columns, matrices } = what;
  if (areK(what.tiles)) return kRows(k, shapes, { ...what, tiles: what.tiles } satisfies KRows);
  const tiles = what.tiles as readonly WideTile[];
  const vectors = (): void => wideRows(k, shapes, { ...what, tiles, records: recordCount(columns) });
  if (!matrices) return vectors();
  const { buffers, areMany, rows } = matrices;
  k.ifThen(areMany, () => matrixProducts(k, shapes, buffers, { ...what, tiles, rows }), vectors);
}

/** Bytes of scratch memory that `recordsMany` wants for one tile. */
export const unpackedRecordsBytes = (format: RecordQuants, shapes: WideShapes): number =>
  isK(format) ? unpackedKBytes({ format }) : unpackedTileBytes(format, shapes);
