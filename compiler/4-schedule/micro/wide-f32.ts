/**
 * f32 products with wide panels: up to 14 rows times 32 outputs in registers. Rows are copied beforehand to scratch
 * memory at a stride that spreads them over the sets of the cache, so one address register serves all of them.
 */
import { add, fma, mul, rem, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { panelRows } from "./wide-layouts.js";

const lanes = 16;
const vectors = panelRows / lanes;
const f32x16 = registerType("f32", lanes);

/** Columns of one pass: 256 of a panel are 32 KiB, which stay in the first cache for all rows. */
export const columnsOfPass = 256;
/** Elements from one copied row to the next: a cache line more than the columns. */
export const copiedStride = columnsOfPass + 16;

/** Rows in registers, largest first: 14 x 2 sums, 2 vectors of weights and a repeated activation are 31 registers. */
export const panelGroups: readonly number[] = [14, 8, 4, 2, 1];

/** Copy `columns` elements of a row, a multiple of 16 or less, and never read behind them. */
export function copyRow(
  k: KernelBuilder,
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

/** sums[row][vector] += copied rows times columns `0..columns` of a panel. */
export function panelTile(
  k: KernelBuilder,
  rows: { readonly bytes: BufferHandle; readonly start: Expression },
  panel: WidePanel,
  columns: number,
  sums: readonly (readonly Variable[])[],
): void {
  const step = (column: Expression, ahead: number): void => {
    const weights = Array.from({ length: vectors }, (_, vector) => vectorAt(k, panel, column, vector, ahead));
    const at = add(rows.start, column);
    sums.forEach((row, i) => {
      const x = k.let("x", splat(k.load(rows.bytes, add(at, i * copiedStride + ahead)), lanes));
      row.forEach((sum, vector) => sum.set(fma(x, weights[vector]!, sum.get)));
    });
  };
  const unroll = 4;
  const whole = columns - (columns % unroll);
  k.loop("column", 0, whole, unroll, (column) => {
    for (let ahead = 0; ahead < unroll; ahead++) step(column, ahead);
  });
  if (whole < columns) k.loop("column", whole, columns, 1, (column) => step(column, 0));
}

/** Convert `columns` columns of a panel to f32, once for many rows. */
export function convertPanel(k: KernelBuilder, panel: WidePanel, columns: number, target: BufferHandle): void {
  k.loop("converted", 0, columns * panelRows, lanes, (i) => {
    const finite = panel.bytes.element === "f16";
    k.store(target, i, k.load(panel.bytes, add(panel.start, i), { lanes, finite }));
  });
}

export interface PanelRows {
  /** f32 copies of the rows from `from` on. */
  readonly copies: BufferHandle;
  readonly from: Expression;
  readonly to: Expression;
  readonly panel: WidePanel;
  readonly columns: number;
  /** f32 sums, 32 of a row side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** The first pass begins with zeros. */
  readonly first: boolean;
}

/** All rows of one pass over a panel. */
export function panelRowsPass(k: KernelBuilder, what: PanelRows): void {
  let next = what.from;
  for (const count of panelGroups) {
    const end = count === 1 ? what.to : k.let("end", sub(what.to, rem(sub(what.to, next), add(0, count))));
    k.loop("row", next, end, count, (row) => {
      const lines = Array.from({ length: count }, (_, i) => k.let("line", what.sumsAt(add(row, i))));
      const sums = lines.map((line) =>
        Array.from({ length: vectors }, (_, vector) =>
          what.first
            ? k.variable("sum", 0, f32x16)
            : k.variable("sum", k.load(what.sums, add(line, vector * lanes), { lanes })),
        ),
      );
      const start = k.let("copy", mul(sub(row, what.from), copiedStride));
      panelTile(k, { bytes: what.copies, start }, what.panel, what.columns, sums);
      sums.forEach((row, i) =>
        row.forEach((sum, vector) => k.store(what.sums, add(lines[i]!, vector * lanes), sum.get)),
      );
    });
    next = end;
  }
}

/** [panel][vector] sums of one row in memory and a few panels side by side: bound by the reading of the weights. */
export function panelsFew(
  k: KernelBuilder,
  row: { readonly bytes: BufferHandle; readonly start: Expression },
  panels: readonly WidePanel[],
  columns: number,
): readonly (readonly Variable[])[] {
  const sums = panels.map(() => Array.from({ length: vectors }, () => k.variable("sum", 0, f32x16)));
  const step = (column: Expression, ahead: number): void => {
    const x = k.let("x", splat(k.load(row.bytes, add(add(row.start, column), ahead)), lanes));
    panels.forEach((panel, p) =>
      sums[p]!.forEach((sum, vector) => sum.set(fma(x, vectorAt(k, panel, column, vector, ahead), sum.get))),
    );
  };
  const unroll = 4;
  const whole = columns - (columns % unroll);
  k.loop("column", 0, whole, unroll, (column) => {
    for (let ahead = 0; ahead < unroll; ahead++) step(column, ahead);
  });
  if (whole < columns) k.loop("column", whole, columns, 1, (column) => step(column, 0));
  return sums;
}
