/** The sums of products with wide layouts, by the micro-kernel of the format. */
import { Size } from "../../axes/size.js";
import { add, constant, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { copiedStride, copyPanel, copyRow, panelRowsPass, panelsFew, type WidePanel } from "../micro/wide-f32.js";
import { activationRowBytes, panelRows, recordCount, recordRows, type WideQuants } from "../micro/wide-layouts.js";
import type { WideTile } from "../micro/wide-dots.js";
import { wideFew } from "../micro/wide-few.js";
import { quantizeRecords } from "../micro/wide-quantize.js";
import { unpackedTileBytes, wideRows } from "../micro/wide-rows.js";
import type { Coordinate } from "./coordinate.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowStart, storedRow, storedRowsKernel } from "./product-rows.js";
import { finishPairs, pairsBeside, rowsOfPart, tileNumber, type WideWork } from "./product-wide.js";
import type { Product, ProductInput } from "./product.js";
import { elements, type Stored } from "./tensor.js";

/** Ways to write sums, inside of a kernel. */
export interface WideProducts {
  /** Sums of one row and `pairsBeside` pairs at the start of scratch memory, product behind product. */
  few(pair: Expression): (row: Coordinate) => void;
  /** Where the activations of a row begin. */
  startOf(row: Coordinate): Expression;
  /** Rows `from..to` and all pairs of the block, the formula over them included. */
  many(from: Expression, to: Expression): void;
}

export interface PreparedProducts {
  readonly floats: boolean;
  readonly begin: (work: WideWork) => WideProducts;
}

/** What comes before the kernel (activations to integers), and what is written in it. */
export function prepareWide(entry: EntryLowering, products: readonly Product[]): PreparedProducts {
  const { storage } = products[0]!.layout;
  if (storage !== "q8_0" && storage !== "q4_0") return { floats: true, begin: panelProducts };
  const { input, layout } = products[0]!;
  const records = activationRecords(entry, input, layout.depth);
  return { floats: false, begin: (work) => recordProducts(work, records) };
}

/** Activations as integer records, once for all products that read them. */
function activationRecords(entry: EntryLowering, input: ProductInput, depth: number): Stored {
  return entry.remembered(`records ${input.stored.id}`, () => {
    const rows = elements(input.storedRows);
    const rowBytes = activationRowBytes(depth);
    // Bytes, counted in words of 4.
    const records = entry.allocate("records", "i32", [{ name: "n", size: rows.times(Size.of(rowBytes / 4)) }]);
    const perBlock = Math.max(1, Math.round(16384 / depth));
    storedRowsKernel(entry, input, perBlock, "activations to integer records", (emitter, x) => {
      const target = emitter.buffer(records.place, "i8", "write");
      const { builder } = emitter;
      const { lanes } = entry.program.target.tiles!;
      return (start, row) =>
        quantizeRecords(builder, x, start, depth, target, builder.let("to", mul(row, rowBytes)), lanes);
    });
    return records;
  });
}

function recordProducts(work: WideWork, records: Stored): WideProducts {
  const { emitter, products, scratch, starts, shapes } = work;
  const { builder } = emitter;
  const { depth } = products[0]!.layout;
  const { input } = products[0]!;
  const bytes = emitter.buffer(records.place, "i8", "read");
  const width = pairsBeside * panelRows;
  const tilesBeside = width / recordRows;
  const tilesOf = (product: Product, pair: Expression): readonly WideTile[] =>
    Array.from({ length: tilesBeside }, (_, i) => {
      const number = tileNumber(work, product, add(mul(pair, panelRows / recordRows), i));
      return {
        format: product.layout.storage as WideQuants,
        bytes: emitter.buffer(product.weight.place, "u8", "read"),
        start: builder.let("tile", mul(number, product.layout.tileBytes)),
      };
    });
  const startOf = (row: Coordinate): Expression =>
    builder.let("x_start", mul(emitter.index(storedRow(emitter, input, row)), activationRowBytes(depth)));
  return {
    startOf,
    few: (pair) => {
      const tiles = products.map((product) => tilesOf(product, pair));
      return (row) => {
        const x = { bytes, start: startOf(row) };
        tiles.forEach((list, p) =>
          wideFew(builder, shapes, list, x, recordCount(depth)).forEach((sums, t) =>
            sums.forEach((sum, vector) =>
              builder.store(scratch, p * width + t * recordRows + vector * shapes.lanes, sum.get),
            ),
          ),
        );
      };
    },
    many: (from, to) => {
      const tileBytes = Math.max(
        ...products.map(({ layout }) => unpackedTileBytes(layout.storage as WideQuants, shapes)),
      );
      const unpacked = builder.blockBuffer("unpacked", "u8", "local", tilesBeside * tileBytes);
      const stride = rowsOfPart * width;
      emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) => {
        products.forEach((product, p) =>
          wideRows(builder, shapes, {
            tiles: tilesOf(product, pair),
            records: recordCount(depth),
            ...{ from, to, unpacked },
            row: (number) => ({ bytes, start: builder.load(starts, sub(number, from)) }),
            sums: scratch,
            sumsAt: (row) => add(mul(sub(row, from), width), p * stride),
          }),
        );
        finishPairs(work, from, to, pair, { pairs: pairsBeside, at: 0, stride });
      });
    },
  };
}

function panelProducts(work: WideWork): WideProducts {
  const { emitter, products, scratch, starts, perBlock, shapes } = work;
  const { builder } = emitter;
  const { layout, input } = products[0]!;
  const { depth } = layout;
  const { floatColumns, lanes } = shapes;
  const x = emitter.buffer(input.stored.place, "f32", "read");
  const width = pairsBeside * panelRows;
  const stride = perBlock * rowsOfPart * panelRows;
  /** Where the sums of the pairs beside each other begin. */
  const heldAt = (pair: Expression): Expression =>
    builder.let("held", mul(sub(pair, work.firstPair), rowsOfPart * panelRows));
  const panelElements = floatColumns * panelRows;
  /** A panel from a column on. */
  const panelOf = (product: Product, pair: Expression, column: Expression | number): WidePanel => {
    const storage = product.layout.storage as Exclude<DenseStorage, "i32">;
    const elementsOf = product.layout.tileBytes / denseBytes[storage];
    const start = add(mul(tileNumber(work, product, pair), elementsOf), mul(column, panelRows));
    return { bytes: emitter.buffer(product.weight.place, storage, "read"), start: builder.let("panel", start) };
  };
  const panelsOf = (product: Product, pair: Expression, column: Expression | number): readonly WidePanel[] =>
    Array.from({ length: pairsBeside }, (_, i) => panelOf(product, add(pair, i), column));
  const startOf = (row: Coordinate): Expression => builder.let("x_start", emitter.index(rowStart(emitter, input, row)));
  return {
    startOf,
    few: (pair) => {
      const panels = products.map((product) => panelsOf(product, pair, 0));
      return (row) => {
        const from = { bytes: x, start: startOf(row) };
        panels.forEach((list, p) =>
          panelsFew(builder, shapes, from, list, depth).forEach((sums, i) =>
            sums.forEach((sum, vector) =>
              builder.store(scratch, (p * pairsBeside + i) * panelRows + vector * lanes, sum.get),
            ),
          ),
        );
      };
    },
    many: (from, to) => {
      const copies = builder.blockBuffer("copies", "f32", "local", rowsOfPart * copiedStride(shapes));
      const panelCopies = builder.blockBuffer("panels", "f32", "local", pairsBeside * panelElements);
      const pass = (column: Expression | number, columns: number, first: boolean): void => {
        builder.loop("row", from, to, 1, (row) => {
          const number = builder.let("copied_row", sub(row, from));
          const start = builder.let("x_start", add(builder.load(starts, number), column));
          copyRow(builder, shapes, x, start, columns, copies, builder.let("copy", mul(number, copiedStride(shapes))));
        });
        builder.loop("pair", work.firstPair, work.endPair, pairsBeside, (pair) => {
          const held = heldAt(pair);
          products.forEach((product, p) => {
            const panels = panelsOf(product, pair, column);
            panels.forEach((panel, i) => copyPanel(builder, shapes, panel, columns, panelCopies, i * panelElements));
            panelRowsPass(builder, shapes, {
              ...{ copies, from, to, columns, first, sums: scratch },
              panels: panels.map((_, i) => ({ bytes: panelCopies, start: constant(i * panelElements) })),
              sumsAt: (row) => add(add(mul(sub(row, from), width), held), p * stride),
            });
          });
        });
      };
      const whole = depth - (depth % floatColumns);
      pass(0, Math.min(depth, floatColumns), true);
      if (whole > floatColumns) {
        builder.loop("pass", floatColumns, whole, floatColumns, (column) => pass(column, floatColumns, false));
      }
      if (whole < depth && whole > 0) pass(whole, depth - whole, false);
      emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) =>
        finishPairs(work, from, to, pair, { pairs: pairsBeside, at: heldAt(pair), stride }),
      );
    },
  };
}
