/** The sums of products with wide layouts, by the micro-kernel of the format. */
import { Size } from "../../axes/size.js";
import { add, compare, min, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { isBlocked } from "../layout/layouts.js";
import {
  recordRowsTogether,
  hasMatrices,
  recordsFew,
  recordsMany,
  unpackedRecordsBytes,
  type RecordQuants,
  type RecordTile,
  type RowsOfMatrices,
} from "../micro/records.js";
import { copiedRowsBytes } from "../micro/row-passes.js";
import { activationRowBytes, panelRows, recordRows } from "../micro/wide-layouts.js";
import { activationNumbers, matrixBuffers, leastMatrixRows, rowsOfTile } from "../micro/wide-matrices.js";
import { quantizeRecords } from "../micro/wide-quantize.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { presentRows, storedRow, storedRowsKernel } from "./product-rows.js";
import { panelProducts } from "./product-wide-floats.js";
import { finishPairs, pairsBeside, tileNumber, type WideWork } from "./product-wide.js";
import type { Product, ProductInput } from "./product.js";
import { elements, type Stored } from "./tensor.js";

/** Ways to write sums, inside of a kernel. */
export interface WideProducts {
  /** How many rows `few` takes at a time, largest first; 1 is the last. */
  readonly fewSizes: readonly number[];
  /** Sums of some rows and `pairsBeside` pairs at the start of scratch memory: row by row, product behind product. */
  few(pair: Expression): (rows: readonly Coordinate[]) => void;
  /** What says where the activations of a row begin: the first of them, or the number of the row. */
  placeOf(row: Coordinate): Expression;
  /** Rows `from..to` and all pairs of the block, the formula over them included. */
  many(from: Expression, to: Expression): void;
}

export interface PreparedProducts {
  readonly floats: boolean;
  /** Many rows are multiplied as matrices. */
  readonly inMatrices: boolean;
  readonly begin: (work: WideWork) => WideProducts;
}

/** What comes before the kernel (activations to integers), and what is written in it. */
export function prepareWide(entry: EntryLowering, products: readonly Product[]): PreparedProducts {
  if (!isBlocked(products[0]!.layout.storage)) return { floats: true, inMatrices: false, begin: panelProducts };
  const shapes = entry.program.target.tiles!;
  const [first] = products as readonly [Product, ...Product[]];
  const inMatrices = products.some(({ layout }) => hasMatrices(layout.storage as RecordQuants, shapes));
  const activations = prepareActivations(entry, first.input, first.layout.depth, inMatrices);
  return { floats: false, inMatrices, begin: (work) => recordProducts(work, activations) };
}

/** Activations as products with records read them. */
interface Activations {
  /** Integers. */
  readonly records: Stored;
  /** bf16, of calls with at least `leastMatrixRows` rows. */
  readonly numbers: Stored | undefined;
}

/** Once for all products that read them. */
function prepareActivations(
  entry: EntryLowering,
  input: ProductInput,
  depth: number,
  inMatrices: boolean,
): Activations {
  return entry.remembered(`records ${input.stored.id}${inMatrices ? " and numbers" : ""}`, () => {
    const rows = elements(input.storedRows);
    const [rowBytes, rowNumbers] = [activationRowBytes(depth), activationNumbers(depth)];
    // Bytes and numbers, counted in words of 4 bytes.
    const allocate = (wish: string, count: Size, words: number): Stored =>
      entry.allocate(wish, "i32", [{ name: "n", size: count.times(Size.of(words)) }]);
    const records = allocate("records", rows, rowBytes / 4);
    // The last rows of a product may fill a part of a tile, which is read whole.
    const room = rows.plus(Size.of(rowsOfTile - 1));
    const numbers = inMatrices ? allocate("numbers", room, rowNumbers / 2) : undefined;
    const perBlock = Math.max(1, Math.round(16384 / depth));
    storedRowsKernel(entry, input, perBlock, "activations to integer records", (emitter, x) => {
      const target = emitter.buffer(records.place, "i8", "write");
      const copy = numbers && emitter.buffer(numbers.place, "bf16", "write");
      const { builder } = emitter;
      const { lanes } = entry.program.target.tiles!;
      const areMany = copy && builder.let("are_many", areManyRows(emitter, input));
      return (start, row) => {
        quantizeRecords(builder, x, start, depth, target, builder.let("to", mul(row, rowBytes)), lanes);
        if (!areMany) return;
        builder.ifThen(areMany, () => {
          const to = builder.let("numbers_to", mul(row, rowNumbers));
          builder.loop("column", 0, depth, lanes, (column) =>
            builder.store(copy, add(to, column), builder.load(x, add(start, column), { lanes })),
          );
        });
      };
    });
    return { records, numbers };
  });
}

/** Whether a call has rows enough for matrices. */
const areManyRows = (emitter: Emitter, { storedRows }: ProductInput): Expression =>
  compare("ge", presentRows(emitter, storedRows), leastMatrixRows);

function recordProducts(work: WideWork, { records, numbers }: Activations): WideProducts {
  const { emitter, products, scratch, starts, shapes } = work;
  const { builder } = emitter;
  const { depth } = products[0]!.layout;
  const { input } = products[0]!;
  const bytes = emitter.buffer(records.place, "i8", "read");
  const width = pairsBeside * panelRows;
  const tilesBeside = width / recordRows;
  const tilesOf = (product: Product, pair: Expression): readonly RecordTile[] =>
    Array.from({ length: tilesBeside }, (_, i) => {
      const number = tileNumber(work, product, add(mul(pair, panelRows / recordRows), i));
      return {
        format: product.layout.storage as RecordQuants,
        bytes: emitter.buffer(product.weight.place, "u8", "read"),
        start: builder.let("tile", mul(number, product.layout.tileBytes)),
      };
    });
  const numberOf = (row: Coordinate): Expression => builder.let("x_row", emitter.index(storedRow(emitter, input, row)));
  const startOf = (number: Expression): Expression => builder.let("x_start", mul(number, activationRowBytes(depth)));
  const matricesOf = (place: Stored, from: Expression, to: Expression): RowsOfMatrices => {
    const halves = emitter.buffer(place.place, "bf16", "read");
    const present = presentRows(emitter, input.storedRows);
    return {
      buffers: matrixBuffers(builder, tilesBeside),
      areMany: compare("ge", min(present, sub(to, from)), leastMatrixRows),
      rows: {
        bytes: halves,
        start: (number) =>
          builder.let("x_start", mul(builder.load(starts, sub(number, from)), activationNumbers(depth))),
        // Where they are the rows in memory, one lies behind the other.
        stride: input.rows === input.storedRows ? activationNumbers(depth) : undefined,
      },
    };
  };
  return {
    placeOf: numberOf,
    fewSizes: recordRowsTogether(products[0]!.layout.storage as RecordQuants, shapes),
    few: (pair) => {
      const tiles = products.map((product) => tilesOf(product, pair));
      return (rows) => {
        const xs = rows.map((row) => ({ bytes, start: startOf(numberOf(row)) }));
        tiles.forEach((list, p) =>
          recordsFew(builder, shapes, list, xs, depth, (row, tile, vector, sum) => {
            const line = (row * products.length + p) * width;
            builder.store(scratch, line + tile * recordRows + vector * shapes.lanes, sum);
          }),
        );
      };
    },
    many: (from, to) => {
      const tileBytes = Math.max(
        ...products.map(({ layout }) => unpackedRecordsBytes(layout.storage as RecordQuants, shapes)),
      );
      const unpacked = builder.blockBuffer("unpacked", "u8", "local", tilesBeside * tileBytes);
      const copies = builder.blockBuffer("copies", "i8", "local", copiedRowsBytes(shapes));
      const matrices = numbers && matricesOf(numbers, from, to);
      const stride = work.rowsOfPart * width;
      emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) => {
        products.forEach((product, p) =>
          recordsMany(builder, shapes, {
            tiles: tilesOf(product, pair),
            columns: depth,
            ...{ from, to, unpacked, copies },
            matrices: hasMatrices(product.layout.storage as RecordQuants, shapes) ? matrices : undefined,
            row: (number) => ({ bytes, start: startOf(builder.load(starts, sub(number, from))) }),
            sums: scratch,
            sumsAt: (row) => add(mul(sub(row, from), width), p * stride),
            sumsStride: width,
          }),
        );
        finishPairs(work, from, to, pair, { pairs: pairsBeside, at: 0, stride });
      });
    },
  };
}
