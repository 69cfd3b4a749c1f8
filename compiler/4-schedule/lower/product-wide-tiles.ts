/** The sums of products with wide layouts, by the micro-kernel of the format. */
import { Size } from "../../axes/size.js";
import { add, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { isBlocked } from "../layout/layouts.js";
import {
  recordRowsTogether,
  recordsFew,
  recordsMany,
  unpackedRecordsBytes,
  type RecordQuants,
  type RecordTile,
} from "../micro/records.js";
import { activationRowBytes, panelRows, recordRows } from "../micro/wide-layouts.js";
import { quantizeRecords } from "../micro/wide-quantize.js";
import type { Coordinate } from "./coordinate.js";
import type { EntryLowering } from "./entry-lowering.js";
import { storedRow, storedRowsKernel } from "./product-rows.js";
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
  if (!isBlocked(products[0]!.layout.storage)) return { floats: true, begin: panelProducts };
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
  const tilesOf = (product: Product, pair: Expression): readonly RecordTile[] =>
    Array.from({ length: tilesBeside }, (_, i) => {
      const number = tileNumber(work, product, add(mul(pair, panelRows / recordRows), i));
      return {
        format: product.layout.storage as RecordQuants,
        bytes: emitter.buffer(product.weight.place, "u8", "read"),
        start: builder.let("tile", mul(number, product.layout.tileBytes)),
      };
    });
  const startOf = (row: Coordinate): Expression =>
    builder.let("x_start", mul(emitter.index(storedRow(emitter, input, row)), activationRowBytes(depth)));
  return {
    startOf,
    fewSizes: recordRowsTogether(products[0]!.layout.storage as RecordQuants, shapes),
    few: (pair) => {
      const tiles = products.map((product) => tilesOf(product, pair));
      return (rows) => {
        const xs = rows.map((row) => ({ bytes, start: startOf(row) }));
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
      const stride = work.rowsOfPart * width;
      emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) => {
        products.forEach((product, p) =>
          recordsMany(builder, shapes, {
            tiles: tilesOf(product, pair),
            columns: depth,
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
