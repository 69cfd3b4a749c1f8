/**
 * How the numbers of one layer of a parameter lie in memory. The packer (`pack.ts`), the reading code (`weight.ts`) and
 * the kernel templates all follow the descriptions here and in `micro/layouts.ts`.
 *
 * - `rows`: dense numbers, row-major in the order of the declaration.
 * - `panels`, `q8-tiles`, `q4-tiles`: matrices of products, one behind the other along the batch axes, in the layouts of
 *   the micro-kernels; `wide-panels`, `wide-q8`, `wide-q4`, and `wide-` with a finer format, those of native targets, whose products
 *   take 32 or 16 rows side by side.
 * - `planes`: q8_0 and q4_0 of what no product reads (an embedding table): rows of quants along the last axis, then
 *   (64-byte aligned) the f16 scales of all blocks of 32. A q4_0 block is 16 bytes, element j in the low half of byte j
 *   and j + 16 in the high half, each plus 8: the bytes of GGUF with the scales taken out.
 * - `blocks`: finer formats of what no product reads, byte for byte as GGUF has them; only where `wide-` layouts are.
 */
import type { KQuants, KRecords, StorageType } from "../../2-graph/ir.js";
import { STORAGE } from "../../checkpoints/storage.js";
import { blockElements, recordsOf, tileCount, tileRows } from "../micro/layouts.js";
import { isK } from "../micro/k-layouts.js";
import { refuse } from "../refusal.js";
import type { MatrixUse } from "./matrix-uses.js";
import { wideTile, type WideName } from "./wide.js";

export interface FixedAxis {
  readonly name: string;
  readonly size: number;
}

export type DenseStorage = "f32" | "f16" | "bf16" | "i32";

interface LayoutBase {
  /** Axes of one layer. */
  readonly axes: readonly FixedAxis[];
  /** Bytes of one layer, a multiple of 64. */
  readonly layerBytes: number;
}
export interface RowsLayout extends LayoutBase {
  readonly name: "rows";
  readonly storage: DenseStorage;
}
export interface PlanesLayout extends LayoutBase {
  readonly name: "planes";
  readonly storage: "q8_0" | "q4_0";
  /** Size of the last axis. */
  readonly depth: number;
  /** Product of the others. */
  readonly rows: number;
  /** Bytes from the start of a layer to its scales. */
  readonly scalesAt: number;
}
export interface BlocksLayout extends LayoutBase {
  readonly name: "blocks";
  readonly storage: KQuants;
  /** Size of the last axis. */
  readonly depth: number;
}
export interface MatrixLayout extends LayoutBase {
  readonly name: "panels" | "q8-tiles" | "q4-tiles" | WideName;
  readonly storage: Exclude<StorageType, "i32">;
  readonly batch: readonly FixedAxis[];
  readonly rows: readonly FixedAxis[];
  readonly columns: readonly FixedAxis[];
  /** Product of `rows`. */
  readonly height: number;
  /** Product of `columns`. */
  readonly depth: number;
  /** Tiles of 16 rows in one matrix; `wide-panels` have 32. */
  readonly tiles: number;
  /** Bytes of one tile. */
  readonly tileBytes: number;
}
export type WeightLayout = RowsLayout | PlanesLayout | BlocksLayout | MatrixLayout;

export const isMatrix = (layout: WeightLayout): layout is MatrixLayout => "tiles" in layout;

export const denseBytes: Readonly<Record<DenseStorage, number>> = { f32: 4, f16: 2, bf16: 2, i32: 4 };

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;
const product = (axes: readonly FixedAxis[]): number => axes.reduce((count, axis) => count * axis.size, 1);

/**
 * The layout of a parameter; throws MOE3304 when blocks do not fit into the axis, MOE3350 for formats that only wide
 * layouts hold.
 */
export function weightLayout(
  storage: StorageType,
  axes: readonly FixedAxis[],
  matrix: MatrixUse | undefined,
  path: string,
  wide = false,
): WeightLayout {
  if (isK(storage) && !wide) refuse("MOE3350", { path, storage });
  if (matrix && storage !== "i32") return matrixLayout(storage, axes, matrix, path, wide);
  const count = product(axes);
  if (!isBlocked(storage)) {
    return { name: "rows", storage, axes, layerBytes: aligned(count * denseBytes[storage]) };
  }
  const along = axes.at(-1);
  const depth = along?.size ?? 1;
  checkBlocks(depth, along?.name ?? "none", storage, path);
  if (storage === "any_K") return refuse("MOE3350", { path, storage });
  if (isK(storage)) {
    const { blockValues, blockBytes } = STORAGE[storage];
    return { name: "blocks", storage, axes, depth, layerBytes: aligned((count / blockValues) * blockBytes) };
  }
  const scalesAt = aligned(storage === "q8_0" ? count : count / 2);
  const layerBytes = scalesAt + aligned((count / blockElements) * 2);
  return { name: "planes", storage, axes, depth, rows: count / depth, scalesAt, layerBytes };
}

/** Formats whose numbers have scales by blocks. */
export type BlockStorage = BlockFormat | KRecords;

/** Those of them that files have. */
export type BlockFormat = "q8_0" | "q4_0" | KQuants;

export const isBlocked = (storage: StorageType): storage is BlockStorage => blockValues(storage) > 1;

/** Numbers with common scales; 1 for formats without blocks. */
export const blockValues = (storage: StorageType): number =>
  STORAGE[storage === "any_K" ? "q6_K" : storage].blockValues;

/** Whether blocks of a format are kept as they are in this storage. */
export const holdsBlocks = (storage: StorageType, format: BlockFormat): boolean =>
  storage === format || (storage === "any_K" && isAnyK(format));

/** Formats that `any_K` holds. */
export const isAnyK = (format: string): format is "q4_K" | "q5_K" | "q6_K" =>
  isK(format) && format !== "any_K" && STORAGE[format].blockValues === 256;

function checkBlocks(depth: number, axis: string, storage: StorageType, path: string): void {
  const block = blockValues(storage);
  if (depth % block !== 0) refuse("MOE3304", { path, storage, axis, size: `${depth}`, block });
}

function matrixLayout(
  storage: MatrixLayout["storage"],
  axes: readonly FixedAxis[],
  matrix: MatrixUse,
  path: string,
  wide: boolean,
): MatrixLayout {
  const find = (names: readonly string[]): readonly FixedAxis[] =>
    names.map((name) => axes.find((axis) => axis.name === name)!);
  const [batch, rows, columns] = [find(matrix.batch), find(matrix.rows), find(matrix.columns)];
  const [height, depth] = [product(rows), product(columns)];
  const blocks = depth / blockElements;
  const tiles = tileCount(height);
  if (isBlocked(storage)) checkBlocks(depth, matrix.columns.join(" * "), storage, path);
  if (wide) {
    const { name, rows: tileHeight, bytes: tileBytes } = wideTile(storage, depth);
    const tiles = Math.ceil(height / tileHeight);
    const layerBytes = aligned(product(batch) * tiles * tileBytes);
    return { name, storage, axes, batch, rows, columns, height, depth, tiles, tileBytes, layerBytes };
  }
  if (isK(storage)) return refuse("MOE3350", { path, storage });
  const tileBytes =
    storage === "q8_0" || storage === "q4_0"
      ? blocks * recordsOf[storage].bytes
      : depth * tileRows * denseBytes[storage];
  const name = storage === "q8_0" ? "q8-tiles" : storage === "q4_0" ? "q4-tiles" : "panels";
  const layerBytes = aligned(product(batch) * tiles * tileBytes);
  return { name, storage, axes, batch, rows, columns, height, depth, tiles, tileBytes, layerBytes };
}
