/**
 * f32 products with wide panels: some rows times 32 outputs, or a part of them, in registers. Rows are copied beforehand
 * to scratch memory at a stride that spreads them over the sets of the cache, so one address register serves all of them.
 */
import { add, fma, mul, rem, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { inRowGroups } from "./row-groups.js";
import { panelRows } from "./wide-layouts.js";

/** Elements from one copied row to the next: a cache line more than the columns of a pass. */
export const copiedStride = ({ floatColumns }: WideShapes): number => floatColumns + 16;

/** Copy `columns` elements of a row and never read behind them. */
export function copyRow(
  k: KernelBuilder,
  { lanes }: WideShapes,
  source: BufferHandle,
  from: Expression,
  columns: Operand,
  target: BufferHandle,
  to: Expression,
): void {
  const whole =
    typeof columns === "number"
      ? columns - (columns % lanes)
      : k.let("whole", sub(columns, rem(columns, add(0, lanes))));
  k.loop("copied", 0, whole, lanes, (i) => k.store(target, add(to, i), k.load(source, add(from, i), { lanes })));
  if (typeof whole === "number" && whole === columns) return;
  k.loop("copied", whole, columns, 1, (i) => k.store(target, add(to, i), k.load(source, add(from, i))));
}

/** A panel as f32 vectors: `at` gives the place of column 0. */
export interface WidePanel {
  readonly bytes: BufferHandle;
  readonly start: Expression;
}

const vectorAt = (
  k: KernelBuilder,
  { lanes }: WideShapes,
  { bytes, start }: WidePanel,
  column: Expression,
  vector: number,
  ahead: number,
): Expression =>
  k.let(
    "w",
    k.load(bytes, add(add(mul(column, panelRows), start), ahead * panelRows + vector * lanes), {
      lanes,
      finite: bytes.element === "f16",
    }),
  );

/** A vector of a panel. */
interface PanelVector {
  readonly panel: WidePanel;
  readonly vector: number;
}

/** sums[row][vector] += copied rows times columns `0..columns` of some vectors of panels. */
function panelTile(
  k: KernelBuilder,
  shapes: WideShapes,
  rows: { readonly bytes: BufferHandle; readonly start: Expression },
  vectors: readonly PanelVector[],
  columns: number,
  sums: readonly (readonly Variable[])[],
): void {
  const step = (column: Expression, ahead: number): void => {
    const weights = vectors.map(({ panel, vector }) => vectorAt(k, shapes, panel, column, vector, ahead));
    const at = add(rows.start, column);
    sums.forEach((row, i) => {
      const x = k.let("x", splat(k.load(rows.bytes, add(at, i * copiedStride(shapes) + ahead)), shapes.lanes));
      row.forEach((sum, vector) => sum.set(fma(x, weights[vector]!, sum.get)));
    });
  };
  unrolled(k, columns, step);
}

/** Copy `columns` columns of a panel as f32, once for many rows: what they read again and again lies close together. */
export function copyPanel(
  k: KernelBuilder,
  { lanes }: WideShapes,
  panel: WidePanel,
  columns: number,
  target: BufferHandle,
  to: number,
): void {
  k.loop("copied", 0, columns * panelRows, lanes, (i) => {
    const finite = panel.bytes.element === "f16";
    k.store(target, add(i, to), k.load(panel.bytes, add(panel.start, i), { lanes, finite }));
  });
}

export interface PanelRows {
  /** f32 copies of the rows from `from` on. */
  readonly copies: BufferHandle;
  readonly from: Expression;
  readonly to: Expression;
  /** Panels side by side. */
  readonly panels: readonly WidePanel[];
  readonly columns: number;
  /** f32 sums, those of a row and all panels side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** The first pass begins with zeros. */
  readonly first: boolean;
}

/** All rows of one pass over some panels. */
export function panelRowsPass(k: KernelBuilder, shapes: WideShapes, what: PanelRows): void {
  const { lanes, floatVectors } = shapes;
  const sumType = registerType("f32", lanes);
  const vectors = what.panels.flatMap((panel) =>
    Array.from({ length: panelRows / lanes }, (_, vector) => ({ panel, vector })),
  );
  /** Some rows and the vectors from `vector` on. */
  const part = (row: Expression, count: number, vector: number): void => {
    const lines = Array.from({ length: count }, (_, i) => k.let("line", add(what.sumsAt(add(row, i)), vector * lanes)));
    const sums = lines.map((line) =>
      Array.from({ length: floatVectors }, (_, i) =>
        k.variable("sum", what.first ? 0 : k.load(what.sums, add(line, i * lanes), { lanes }), sumType),
      ),
    );
    const start = k.let("copy", mul(sub(row, what.from), copiedStride(shapes)));
    panelTile(
      k,
      shapes,
      { bytes: what.copies, start },
      vectors.slice(vector, vector + floatVectors),
      what.columns,
      sums,
    );
    sums.forEach((list, i) => list.forEach((sum, v) => k.store(what.sums, add(lines[i]!, v * lanes), sum.get)));
  };
  inRowGroups(k, what.from, what.to, shapes.floatRows, (from, to, count) => {
    for (let vector = 0; vector < vectors.length; vector += floatVectors) {
      k.loop("row", from, to, count, (row) => part(row, count, vector));
    }
  });
}

/** [panel][vector] sums of one row in memory and a few panels side by side: bound by the reading of the weights. */
export function panelsFew(
  k: KernelBuilder,
  shapes: WideShapes,
  row: { readonly bytes: BufferHandle; readonly start: Expression },
  panels: readonly WidePanel[],
  columns: number,
): readonly (readonly Variable[])[] {
  const { lanes } = shapes;
  const vectors = Array.from({ length: panelRows / lanes }, (_, vector) => vector);
  const sums = panels.map(() => vectors.map(() => k.variable("sum", 0, registerType("f32", lanes))));
  const step = (column: Expression, ahead: number): void => {
    const x = k.let("x", splat(k.load(row.bytes, add(add(row.start, column), ahead)), lanes));
    panels.forEach((panel, p) =>
      sums[p]!.forEach((sum, vector) => sum.set(fma(x, vectorAt(k, shapes, panel, column, vector, ahead), sum.get))),
    );
  };
  unrolled(k, columns, step);
  return sums;
}

/** Columns four at a time. */
function unrolled(k: KernelBuilder, columns: number, step: (column: Expression, ahead: number) => void): void {
  const unroll = 4;
  const whole = columns - (columns % unroll);
  k.loop("column", 0, whole, unroll, (column) => {
    for (let ahead = 0; ahead < unroll; ahead++) step(column, ahead);
  });
  if (whole < columns) k.loop("column", whole, columns, 1, (column) => step(column, 0));
}
