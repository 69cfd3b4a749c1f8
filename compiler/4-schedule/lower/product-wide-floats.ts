/** The sums of products with wide panels of f32, f16 or bf16 numbers. */
import { add, compare, constant, mul, select, splat, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32 } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { copiedStride, copyPanel, copyRow, fewRowsTile, panelRowsPass, type WidePanel } from "../micro/wide-f32.js";
import { panelRows } from "../micro/wide-layouts.js";
import type { Coordinate } from "./coordinate.js";
import { rowStart } from "./product-rows.js";
import { finishPairs, pairsBeside, tileNumber, type WideWork } from "./product-wide.js";
import type { WideProducts } from "./product-wide-tiles.js";
import type { Product } from "./product.js";

/** Pairs of one block that share the copies of their rows. */
export const pairsOfFloats = 16;
/** Rows whose sums are held at a time: with their copies they stay in the second cache. */
export const floatRowsOfPart = 174;
/** Rows of one block: two parts. */
export const floatRowsPerBlock = 2 * floatRowsOfPart;
/**
 * Lines of the next weights that four columns of a group of rows read ahead: with more than 42 rows, eight groups or more,
 * 2 are enough for all of 64 outputs; the two groups of fewer rows that there are at least read 8 each.
 */
const aheadByRows = { many: 42, ofMany: 2, ofFewer: 8 } as const;
/** Rows up to which no row is copied and each weight is read once, straight into registers. */
export const fewFloatRows = ({ floatRows }: WideShapes): number => floatRows;

export function panelProducts(work: WideWork): WideProducts {
  const { emitter, products, scratch, starts, perBlock, rowsOfPart, shapes } = work;
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
    placeOf: startOf,
    fewSizes: Array.from({ length: fewFloatRows(shapes) }, (_, i) => fewFloatRows(shapes) - i),
    few: (pair) => {
      const panels = products.map((product) => panelsOf(product, pair, 0));
      return (rows) => {
        const from = { bytes: x, starts: rows.map(startOf) };
        panels.forEach((list, p) =>
          fewRowsTile(builder, shapes, from, list, depth, (row, vector, sum) =>
            builder.store(scratch, (row * products.length + p) * width + vector * lanes, sum),
          ),
        );
      };
    },
    many: (from, to) => {
      const copies = builder.blockBuffer("copies", "f32", "local", rowsOfPart * copiedStride(shapes));
      const areHalves = products.some((product) => product.layout.storage !== "f32");
      const floats = areHalves ? builder.blockBuffer("panels", "f32", "local", pairsBeside * panelElements) : undefined;
      /** The panels as f32: those of halves are copied, once for all rows. */
      const floatsOf = (panels: readonly WidePanel[], columns: number): readonly WidePanel[] => {
        if (!floats || panels[0]!.bytes.element === "f32") return panels;
        panels.forEach((panel, i) => copyPanel(builder, shapes, panel, columns, floats, i * panelElements));
        return panels.map((_, i) => ({ bytes: floats, start: constant(i * panelElements) }));
      };
      const pass = (column: Expression | number, columns: number, linesAhead: number): void => {
        builder.loop("row", from, to, 1, (row) => {
          const number = builder.let("copied_row", sub(row, from));
          const start = builder.let("x_start", add(builder.load(starts, number), column));
          copyRow(builder, shapes, x, start, columns, copies, builder.let("copy", mul(number, copiedStride(shapes))));
        });
        builder.loop("pair", work.firstPair, work.endPair, pairsBeside, (pair) => {
          const held = heldAt(pair);
          const following = builder.let("following", add(pair, pairsBeside));
          // Behind the last pair of the block its first one follows, in the columns of the next pass.
          const isLast = compare("ge", following, work.endPair);
          const nextPair = builder.let("next_pair", select(isLast, work.firstPair, following));
          const nextColumn = builder.let("next_column", select(isLast, add(column, columns), column));
          products.forEach((product, p) => {
            const panels = panelsOf(product, pair, column);
            const after = products[p + 1];
            panelRowsPass(builder, shapes, {
              ...{ copies, from, to, columns, linesAhead, sums: scratch },
              panels: floatsOf(panels, columns),
              next: after ? panelsOf(after, pair, column) : panelsOf(products[0]!, nextPair, nextColumn),
              sumsAt: (row) => add(add(mul(sub(row, from), width), held), p * stride),
            });
          });
        });
      };
      const passes = (linesAhead: number): void => {
        const whole = depth - (depth % floatColumns);
        if (whole > 0) {
          builder.loop("pass", 0, whole, floatColumns, (column) => pass(column, floatColumns, linesAhead));
        }
        if (whole < depth) pass(whole, depth - whole, linesAhead);
      };
      const count = builder.let("part_rows", sub(to, from));
      const sumsOfPair = builder.let("sums_of_pair", mul(count, width));
      builder.loop("pair", work.firstPair, work.endPair, pairsBeside, (pair) => {
        const held = heldAt(pair);
        const zeros = splat(constant(0, f32), lanes);
        products.forEach((_, p) =>
          builder.loop("zero", 0, sumsOfPair, lanes, (at) =>
            builder.store(scratch, add(add(held, at), p * stride), zeros),
          ),
        );
      });
      builder.ifThen(
        compare("gt", count, aheadByRows.many),
        () => passes(aheadByRows.ofMany),
        () => passes(aheadByRows.ofFewer),
      );
      emitter.loop("pair", work.firstPair, work.endPair, pairsBeside, undefined, (_, pair) =>
        finishPairs(work, from, to, pair, { pairs: pairsBeside, at: heldAt(pair), stride }),
      );
    },
  };
}
