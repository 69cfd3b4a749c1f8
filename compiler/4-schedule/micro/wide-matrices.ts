/**
 * Products of many rows with wide records on processors that multiply whole tiles: 16 rows times 16 outputs and 32
 * columns of bf16 numbers in one instruction, added up as f32. The weights of a group of columns are unpacked once
 * (`wide-bf16.ts`) and multiplied with all rows, two tiles of rows and two of outputs at a time.
 *
 * Tiles of bytes would be exact but for the activations, yet their sums have to be scaled for every 32 columns: that
 * costs as much as the products of vectors. Of bf16 both factors are rounded, by at most 2^-9 of a number; bytes with one
 * scale for 256 columns are off by up to 1 / 254 of the largest activation.
 */
import { add, constant, min, mul, rem, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, Fragment, KernelBuilder, Lines } from "../kernel-builder.js";
import type { WideShapes } from "../../targets/index.js";
import { blockElements } from "./layouts.js";
import { blockNumbers, unpackNumbers } from "./wide-bf16.js";
import type { WideTile } from "./wide-dots.js";
import { groupColumns, groupRecords, recordColumns, recordRows, wideRecordBytes } from "./wide-layouts.js";

/** Rows of a tile. */
export const rowsOfTile = 16;
/** Tiles of rows, and of outputs, that are multiplied with each other. */
const tilesTogether = 2;
/** Rows from which on tiles are faster than vectors: the weights are unpacked to twice as many bytes. */
export const leastMatrixRows = 96;
/** Numbers of a tile of rows. */
const tileNumbers = rowsOfTile * blockElements;
const groupBlocks = groupColumns / blockElements;

/** bf16 numbers from one row of activations to the next: a line more than the columns, to spread rows over the cache. */
export const activationNumbers = (columns: number): number => columns + blockElements;

/** Memory of a block that passes use. */
export interface MatrixBuffers {
  /** bf16: a group of columns of two tiles of rows, block by block. */
  readonly copies: BufferHandle;
  /** bf16: a group of columns of some tiles of outputs, block by block. */
  readonly unpacked: BufferHandle;
}

export function matrixBuffers(k: KernelBuilder, tiles: number): MatrixBuffers {
  return {
    copies: k.blockBuffer("copied_rows", "bf16", "local", tilesTogether * groupBlocks * tileNumbers),
    unpacked: k.blockBuffer("numbers", "bf16", "local", tiles * groupBlocks * blockNumbers),
  };
}

/** Rows as bf16 numbers. */
export interface NumberRows {
  readonly bytes: BufferHandle;
  /** Where a row begins. */
  readonly start: (number: Expression) => Expression;
  /** From one row to the next, where they lie behind each other and there is room to read whole tiles of them. */
  readonly stride: number | undefined;
}

export interface MatrixRows {
  readonly tiles: readonly WideTile[];
  readonly columns: number;
  readonly from: Expression;
  readonly to: Expression;
  readonly rows: NumberRows;
  /** f32, with room for whole tiles of rows: where the sums of a row and of all tiles lie side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** From the sums of a row to those of the next. */
  readonly sumsStride: number;
}

/** Sums of rows `from..to` and a few tiles. */
export function matrixProducts(k: KernelBuilder, shapes: WideShapes, buffers: MatrixBuffers, what: MatrixRows): void {
  const { tiles, columns } = what;
  const pass = (group: Operand, blocks: number, isFirst: boolean): void => {
    const records = Math.ceil((blocks * blockElements) / recordColumns);
    tiles.forEach((tile, t) => {
      const start = k.let("records", add(mul(group, groupRecords * wideRecordBytes(tile.format)), tile.start));
      const into = { target: buffers.unpacked, to: t * groupBlocks * blockNumbers };
      unpackNumbers(k, shapes, { ...tile, start }, records, into);
    });
    const column = k.let("column", mul(group, groupColumns));
    const count = sub(what.to, what.from);
    const two = tilesTogether * rowsOfTile;
    // What is left behind whole pairs of tiles takes one tile, or two that are filled up.
    const rest = k.let("rest", rem(add(count, rowsOfTile - 1), constant(two)));
    const paired = k.let("paired", add(what.from, sub(add(count, rowsOfTile - 1), rest)));
    const rows = (from: Expression, to: Expression, size: number): void =>
      k.loop("rows", from, to, size * rowsOfTile, (first) => {
        const lefts = leftTiles(k, buffers.copies, what, column, first, size, blocks);
        for (let tile = 0; tile < tiles.length; tile += tilesTogether) {
          const now = Math.min(tilesTogether, tiles.length - tile);
          multiplyTiles(k, what, { unpacked: buffers.unpacked, lefts, first, tile, count: now, blocks, isFirst });
        }
      });
    rows(what.from, paired, tilesTogether);
    rows(paired, what.to, 1);
  };
  const whole = Math.floor(columns / groupColumns);
  const rest = (columns % groupColumns) / blockElements;
  pass(constant(0), whole > 0 ? groupBlocks : rest, true);
  if (whole > 1) k.loop("pass", 1, whole, 1, (group) => pass(group, groupBlocks, false));
  if (rest > 0 && whole > 0) pass(constant(whole), rest, false);
}

/** Where the tile of rows of a block lies. */
type TileOfBlock = (block: number) => Lines;

/**
 * `size` tiles of rows from `first` on, where they are or copied, so that a tile lies in neighbouring lines. Rows that
 * fill up a tile are what was there: their sums are not read.
 */
function leftTiles(
  k: KernelBuilder,
  copies: BufferHandle,
  { rows: { bytes, start, stride }, to }: MatrixRows,
  column: Expression,
  first: Expression,
  size: number,
  blocks: number,
): readonly TileOfBlock[] {
  if (stride !== undefined) {
    return list(size, (r) => {
      const at = k.let("rows_at", add(start(add(first, r * rowsOfTile)), column));
      return (block) => ({ buffer: bytes, index: add(at, block * blockElements), stride, order: "rows" });
    });
  }
  const rows = k.let("rows_now", min(sub(to, first), size * rowsOfTile));
  k.loop("copied", 0, rows, 1, (index) => {
    const from = k.let("copied_from", add(start(k.let("row", add(first, index))), column));
    const place = k.let("copy", mul(index, blockElements));
    for (let block = 0; block < blocks; block++) {
      // Two numbers are moved as one word.
      const words = k.load(bytes, add(from, block * blockElements), { lanes: blockElements / 2, as: "i32" });
      k.store(copies, add(place, block * tilesTogether * tileNumbers), words, { as: "i32" });
    }
  });
  return list(size, (r) => (block) => ({
    ...{ buffer: copies, index: constant((block * tilesTogether + r) * tileNumbers) },
    ...{ stride: blockElements, order: "rows" },
  }));
}

const list = <T>(length: number, make: (i: number) => T): readonly T[] => Array.from({ length }, (_, i) => make(i));

interface TilesOfPass {
  /** bf16: the blocks of all tiles of outputs. */
  readonly unpacked: BufferHandle;
  /** Tiles of rows, from row `first` on. */
  readonly lefts: readonly TileOfBlock[];
  readonly first: Expression;
  /** `count` tiles of outputs from `tile` on. */
  readonly tile: number;
  readonly count: number;
  readonly blocks: number;
  /** True where there are no sums yet that the products are added to. */
  readonly isFirst: boolean;
}

/** Adds the products of some tiles of rows and of outputs to their sums. */
function multiplyTiles(k: KernelBuilder, what: MatrixRows, pass: TilesOfPass): void {
  const { unpacked, lefts: leftsOf, first, tile, count, blocks, isFirst } = pass;
  const held = leftsOf.map((_, r) => {
    const line = k.let("line", what.sumsAt(add(first, r * rowsOfTile)));
    return list(count, (t) => {
      const sum = k.fragment("sum", { role: "sum", element: "f32", rows: rowsOfTile, columns: recordRows });
      const index = add(line, (tile + t) * recordRows);
      return { sum, place: { buffer: what.sums, index, stride: what.sumsStride, order: "rows" as const } };
    });
  });
  if (!isFirst) held.flat().forEach(({ sum, place }) => k.loadFragment(sum, place));
  for (let block = 0; block < blocks; block++) {
    const lefts = leftsOf.map((place): Fragment => {
      const left = k.fragment("left", { role: "left", element: "bf16", rows: rowsOfTile, columns: blockElements });
      k.loadFragment(left, place(block));
      return left;
    });
    const rights = list(count, (t): Fragment => {
      const right = k.fragment("right", { role: "right", element: "bf16", rows: blockElements, columns: recordRows });
      const index = constant(((tile + t) * groupBlocks + block) * blockNumbers);
      k.loadFragment(right, { buffer: unpacked, index, stride: 2 * recordRows, order: "words" });
      return right;
    });
    held.forEach((sums, r) => sums.forEach(({ sum }, t) => k.multiplyFragments(sum, lefts[r]!, rights[t]!)));
  }
  held.flat().forEach(({ sum, place }) => k.storeFragment(sum, place));
}
