/**
 * The kernel of products with wide layouts: like `product-kernel.ts`, in pairs of tiles, 32 outputs side by side. A block
 * of the grid has some pairs and all rows of an expert, or a part of all rows.
 */
import { Size } from "../../axes/size.js";
import { add, block, compare, constant, div, min, mul, rem, sub } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import type { WideShapes } from "../../targets/index.js";
import { evenParts, inRowGroups } from "../micro/row-groups.js";
import { panelRows } from "../micro/wide-layouts.js";
import { Coordinate } from "./coordinate.js";
import type { EntryLowering } from "./entry-lowering.js";
import { finishRow, rowRange, type FinishedProducts, type RowRange } from "./product-rows.js";
import { fewFloatRows, floatRowsOfPart, floatRowsPerBlock, pairsOfFloats } from "./product-wide-floats.js";
import { prepareWide, type WideProducts } from "./product-wide-tiles.js";
import type { Product } from "./product.js";
import { rowCount } from "./product.js";
import type { Stored, Tensor } from "./tensor.js";

/** Bytes of weights that one block walks through, at least: some microseconds. */
const blockBytes = 49_152;
/** Rows of one block, when the weights are read again for the next ones: eight parts, or four of matrices. */
const rowsPerBlock = 1024;
/** Rows whose sums are held at a time. */
const recordRowsOfPart = 128;
/** The same where they are multiplied as matrices, for which weights are unpacked at a higher price. */
const matrixRowsOfPart = 256;
/**
 * Rows up to which the reading of the weights is all that counts, at least; and all rows that share one reading. More of
 * them are many: eight rows in two readings took 5 to 28% more time than with weights that are unpacked once for all.
 */
const fewRows = 3;
/**
 * Pairs whose sums are held together. Many rows share their activations among the tiles of all of them; few rows take
 * the tiles of q4_0 and q8_0 one after the other.
 */
export const pairsBeside = 2;
/** Blocks that a product is parted into at least, so that threads share them out evenly. */
const leastChunks = 4;

export interface WideWork extends FinishedProducts {
  readonly range: RowRange;
  readonly firstPair: Expression;
  readonly endPair: Expression;
  readonly shapes: WideShapes;
  /** Most pairs of one block. */
  readonly perBlock: number;
  /** Rows whose sums are held at a time. */
  readonly rowsOfPart: number;
  /** i32: what says where the activations of each row of a part begin. */
  readonly starts: BufferHandle;
}

export function writeWideKernel(
  entry: EntryLowering,
  source: Tensor,
  target: Stored,
  products: readonly Product[],
): void {
  const [first] = products as readonly [Product, ...Product[]];
  const { height } = first.layout;
  const prepared = prepareWide(entry, products);
  const emitter = entry.emitter(products.length > 1 ? "products" : "product");
  const { builder } = emitter;
  const pairs = Math.ceil(height / panelRows);
  const bytes = products.reduce((sum, { layout }) => sum + (layout.tileBytes * layout.tiles) / pairs, 0);
  const even = (count: number): number => Math.max(1, Math.round(count / pairsBeside)) * pairsBeside;
  const perBlock = prepared.floats
    ? even(Math.min(pairsOfFloats / products.length, pairs / leastChunks))
    : even(blockBytes / bytes);
  const chunks = Math.ceil(pairs / perBlock);
  const range = rowRange(
    emitter,
    first,
    builder.let("group", div(block, chunks)),
    prepared.floats ? floatRowsPerBlock : rowsPerBlock,
  );
  const firstPair = builder.let("first_pair", mul(rem(block, constant(chunks)), perBlock));
  const endPair = builder.let("end_pair", min(add(firstPair, perBlock), pairs));
  const held = prepared.floats ? perBlock : pairsBeside;
  const rowsOfRecords = prepared.inMatrices ? matrixRowsOfPart : recordRowsOfPart;
  const rowsOfPart = prepared.floats ? floatRowsOfPart : rowsOfRecords;
  const scratch = builder.blockBuffer("sums", "f32", "local", products.length * held * rowsOfPart * panelRows);
  const starts = builder.blockBuffer("starts", "i32", "local", rowsOfPart);
  const shapes = entry.program.target.tiles!;
  const work: WideWork = {
    ...{ emitter, source, target, products, scratch, range, firstPair, endPair, shapes, perBlock, starts, rowsOfPart },
  };
  const tiles = prepared.begin(work);
  const count = builder.let("row_count", sub(range.to, range.from));
  emitter.guard(
    compare("le", count, prepared.floats ? fewFloatRows(shapes) : Math.max(fewRows, tiles.fewSizes[0]!)),
    () => few(work, tiles),
    () => many(work, tiles),
  );
  entry.launch(emitter, range.grid.times(Size.of(chunks)));
}

/** A few rows in registers, several pairs at a time. */
function few(work: WideWork, tiles: WideProducts): void {
  const { emitter, products, range } = work;
  const { builder } = emitter;
  const { height } = products[0]!.layout;
  const input = rowCount(products[0]!.input);
  const stride = pairsBeside * panelRows;
  emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) => {
    const column = builder.let("column", mul(pair, panelRows));
    const last = builder.let("last", min(add(column, stride), height));
    const loaded = tiles.few(pair);
    inRowGroups(builder, range.from, range.to, tiles.fewSizes, (from, to, size) =>
      emitter.loop("group", from, to, size, input, (first, number) => {
        loaded(Array.from({ length: size }, (_, i) => first.plus(Coordinate.number(i))));
        emitter.loop("row", number, add(number, size), 1, input, (row, register) => {
          const line = builder.let("line", mul(sub(register, number), products.length * stride));
          finishRow(work, { line, stride, row, column, last });
        });
      }),
    );
  });
}

/** Parts of the rows; where the weights of a part of the outputs stay in the cache for all of them. */
function many(work: WideWork, tiles: WideProducts): void {
  const { emitter, products, range, starts, rowsOfPart } = work;
  const { builder } = emitter;
  // A part of one row would read all weights for it alone.
  const parts = evenParts(builder, range.from, range.to, rowsOfPart);
  emitter.loop("part", constant(0), parts.count, 1, undefined, (_, part) => {
    const [from, to] = [parts.start(part), parts.start(add(part, 1))];
    emitter.loop("row", from, to, 1, rowCount(products[0]!.input), (row, register) =>
      builder.store(starts, sub(register, from), tiles.placeOf(row)),
    );
    tiles.many(from, to);
  });
}

export interface PairSums {
  /** Pairs whose outputs lie side by side in a line of a row. */
  readonly pairs: number;
  /** Where the line of the first row begins. */
  readonly at: Expression | number;
  /** From the sums of one product to those of the next. */
  readonly stride: number;
}

/** The formula over the sums of rows `from..to` and some pairs from `pair` on. */
export function finishPairs(
  work: WideWork,
  from: Expression,
  to: Expression,
  pair: Expression,
  { pairs, at, stride }: PairSums,
): void {
  const { emitter, products } = work;
  const { builder } = emitter;
  const column = builder.let("column", mul(pair, panelRows));
  const last = builder.let("last", min(add(column, pairs * panelRows), products[0]!.layout.height));
  emitter.loop("row", from, to, 1, rowCount(products[0]!.input), (row: Coordinate, register) => {
    const line = builder.let("line", add(mul(sub(register, from), pairs * panelRows), at));
    finishRow(work, { line, stride, row, column, last });
  });
}

/** A number of a tile of the matrix that the block multiplies with; behind the last tile the last one is read again. */
export function tileNumber(work: WideWork, product: Product, tile: Expression): Expression {
  const { tiles } = product.layout;
  return work.emitter.builder.let("tile_number", add(mul(work.range.matrix, tiles), min(tile, tiles - 1)));
}
