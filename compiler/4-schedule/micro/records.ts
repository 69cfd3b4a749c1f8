/** Sums of integer products with the records of any format: which kernel is written for which. */
import type { Expression } from "../kernel-ir.js";
import type { KernelBuilder } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import type { KTile } from "./k-dots.js";
import { kFew } from "./k-few.js";
import { isK, type KRecords } from "./k-layouts.js";
import { kRows, unpackedKBytes, type KRows } from "./k-rows.js";
import type { WideRow, WideTile } from "./wide-dots.js";
import { fewRowsTogether, wideFew } from "./wide-few.js";
import { recordCount, type WideQuants } from "./wide-layouts.js";
import { unpackedTileBytes, wideRows, type WideRows } from "./wide-rows.js";

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
      kFew(k, shapes, tiles, row, columns).forEach((sums, t) =>
        sums.forEach((sum, vector) => put(r, t, vector, sum.get)),
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

/** What `recordsMany` does: as `WideRows`, with tiles of any format and the number of columns. */
export interface RecordRows extends Omit<WideRows, "tiles" | "records"> {
  readonly tiles: readonly RecordTile[];
  readonly columns: number;
}

/** Sums of many rows and a few tiles of one format. */
export function recordsMany(k: KernelBuilder, shapes: WideShapes, what: RecordRows): void {
  const { tiles, columns } = what;
  if (areK(tiles)) return kRows(k, shapes, { ...what, tiles } satisfies KRows);
  wideRows(k, shapes, { ...what, tiles: tiles as readonly WideTile[], records: recordCount(columns) });
}

/** Bytes of scratch memory that `recordsMany` wants for one tile. */
export const unpackedRecordsBytes = (format: RecordQuants, shapes: WideShapes): number =>
  isK(format) ? unpackedKBytes({ format }) : unpackedTileBytes(format, shapes);
