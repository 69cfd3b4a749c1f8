/**
 * f32 products with wide panels: some rows times 32 outputs, or a part of them, in registers. Rows are copied beforehand
 * to scratch memory at a stride that spreads them over the sets of the cache, so one address register serves all of them.
 */
import { add, constant, fma, min, mul, rem, shuffle, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { memoryBytes, registerType } from "../kernel-types.js";
import type { WideShapes } from "../../targets/index.js";
import { askAhead, lineBytes } from "./ahead.js";
import { inEvenGroups } from "./row-groups.js";
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

/** Some rows in memory. */
interface TileRows {
  readonly bytes: BufferHandle;
  /** Where column 0 of each lies: a register, and the part that an instruction can add by itself. */
  readonly at: readonly { readonly start: Expression; readonly more: number }[];
}

/** sums[row][vector] += rows times columns `0..columns` of some vectors of panels; `ahead` reads in each turn. */
function panelTile(
  k: KernelBuilder,
  shapes: WideShapes,
  rows: TileRows,
  vectors: readonly PanelVector[],
  columns: number,
  sums: readonly (readonly Variable[])[],
  ahead?: (column: Expression, step: number) => void,
): void {
  unrolled(k, columns, (column, count) => {
    const numbers = rows.at.map(({ start, more }) =>
      repeatedNumbers(k, shapes, rows.bytes, add(start, column), more, count),
    );
    for (let more = 0; more < count; more++) {
      if (count > 1) ahead?.(column, more);
      const weights = vectors.map(({ panel, vector }) => vectorAt(k, shapes, panel, column, vector, more));
      sums.forEach((row, i) => {
        const x = numbers[i]!(more);
        row.forEach((sum, vector) => sum.set(fma(x, weights[vector]!, sum.get)));
      });
    }
  });
}

/** `count` numbers from `at + offset` on, each for all outputs, by their numbers. */
function repeatedNumbers(
  k: KernelBuilder,
  { lanes, byLane }: WideShapes,
  bytes: BufferHandle,
  at: Expression,
  offset: number,
  count: number,
): (number: number) => Expression {
  if (!byLane || count < lanes) return (number) => k.let("x", splat(k.load(bytes, add(at, offset + number)), lanes));
  const loaded = Array.from({ length: count / lanes }, (_, i) =>
    k.let("x", k.load(bytes, add(at, offset + i * lanes), { lanes })),
  );
  return (number) => {
    const vector = loaded[Math.floor(number / lanes)]!;
    return shuffle(vector, vector, Array<number>(lanes).fill(number % lanes));
  };
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
  /** More rows than `floatRows` lie before it. */
  readonly to: Expression;
  /** Panels side by side, as f32. */
  readonly panels: readonly WidePanel[];
  /** The panels whose turn comes after them, from the column of that turn on: they are read ahead, a line now and then. */
  readonly next: readonly WidePanel[];
  readonly columns: number;
  /** f32 sums, those of a row and all panels side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** Lines of the next panels that four columns read ahead: an even number. */
  readonly linesAhead: number;
}

/** Columns of one turn of the inner loop. */
const unroll = 4;

/**
 * Reads the next panels ahead, in the order of the rows: each group of rows goes on where the one before it stopped, and
 * the last groups find that all is there. Where the panels have more vectors than are multiplied together, each sweep over
 * the rows has a part of the lines.
 */
function readNext(
  k: KernelBuilder,
  { next, columns, from, linesAhead }: PanelRows,
  row: Expression,
  rowsOfGroup: number,
  { sweep, sweeps }: { readonly sweep: number; readonly sweeps: number },
): (column: Expression, step: number) => void {
  const [{ bytes }] = next as readonly [WidePanel, ...WidePanel[]];
  const line = lineBytes / memoryBytes[bytes.element];
  const turns = Math.floor(columns / unroll);
  const lines = linesAhead / next.length;
  const furthest = constant(Math.max(0, columns * panelRows - turns * lines * line));
  // Rounded down, so that no line is left out between groups.
  const ofRow = Math.floor((turns * lines) / rowsOfGroup) * line;
  const reached = k.let("reached", min(mul(sub(row, from), ofRow), furthest));
  const starts = next.map(({ start }) => k.let("ahead", add(start, reached)));
  const own = Array.from({ length: lines }, (_, i) => i).filter((i) => Math.floor((i * sweeps) / lines) === sweep);
  const places = starts.flatMap((start) => own.map((i) => ({ start, more: i * line })));
  // Spread over the columns of a turn: many at once take registers from the sums.
  return (column, step) =>
    places.forEach(({ start, more }, i) => {
      if (i % unroll !== step) return;
      k.prefetch(bytes, add(add(start, mul(column, (lines * line) / unroll)), more));
    });
}

/** All rows of one pass over some panels, added to their sums. */
export function panelRowsPass(k: KernelBuilder, shapes: WideShapes, what: PanelRows): void {
  const { lanes, floatVectors, floatRows } = shapes;
  const sumType = registerType("f32", lanes);
  const vectors = vectorsOf(shapes, what.panels);
  const sweeps = vectors.length / floatVectors;
  /** Some rows and the vectors from `vector` on. */
  const part = (row: Expression, count: number, vector: number): void => {
    const lines = Array.from({ length: count }, (_, i) => k.let("line", add(what.sumsAt(add(row, i)), vector * lanes)));
    const sums = lines.map((line) =>
      Array.from({ length: floatVectors }, (_, i) =>
        k.variable("sum", k.load(what.sums, add(line, i * lanes), { lanes }), sumType),
      ),
    );
    const start = k.let("copy", mul(sub(row, what.from), copiedStride(shapes)));
    const rows = { bytes: what.copies, at: lines.map((_, i) => ({ start, more: i * copiedStride(shapes) })) };
    const now = vectors.slice(vector, vector + floatVectors);
    const ahead = readNext(k, what, row, floatRows, { sweep: vector / floatVectors, sweeps });
    panelTile(k, shapes, rows, now, what.columns, sums, ahead);
    sums.forEach((list, i) => list.forEach((sum, v) => k.store(what.sums, add(lines[i]!, v * lanes), sum.get)));
  };
  inEvenGroups(k, what.from, what.to, floatRows, (from, to, count) => {
    for (let vector = 0; vector < vectors.length; vector += floatVectors) {
      k.loop("row", from, to, count, (row) => part(row, count, vector));
    }
  });
}

/** Reads each panel on, ahead of the columns that are multiplied with some rows. */
function readOn(
  k: KernelBuilder,
  panels: readonly WidePanel[],
  rows: number,
): (column: Expression, step: number) => void {
  return (column, step) => {
    for (const { bytes, start } of panels) {
      // Halves that are turned into f32 for several rows take long.
      const every = memoryBytes[bytes.element] < 4 && rows >= 4;
      if (step > 0 && !every) continue;
      askAhead(k, bytes, add(add(mul(column, panelRows), start), step * panelRows), panelRows, every);
    }
  };
}

/** The vectors of panels side by side. */
const vectorsOf = ({ lanes }: WideShapes, panels: readonly WidePanel[]): readonly PanelVector[] =>
  panels.flatMap((panel) => Array.from({ length: panelRows / lanes }, (_, vector) => ({ panel, vector })));

/**
 * A few rows in memory and some panels, all columns: bound by the reading of the weights. `put` gets the sums of a row
 * and one of the vectors of all panels.
 */
export function fewRowsTile(
  k: KernelBuilder,
  shapes: WideShapes,
  rows: { readonly bytes: BufferHandle; readonly starts: readonly Expression[] },
  panels: readonly WidePanel[],
  columns: number,
  put: (row: number, vector: number, sum: Expression) => void,
): void {
  const vectors = vectorsOf(shapes, panels);
  const { floatVectors } = shapes;
  for (let vector = 0; vector < vectors.length; vector += floatVectors) {
    const now = vectors.slice(vector, vector + floatVectors);
    const sums = rows.starts.map(() => now.map(() => k.variable("sum", 0, registerType("f32", shapes.lanes))));
    const at = rows.starts.map((start) => ({ start, more: 0 }));
    const read = [...new Set(now.map(({ panel }) => panel))];
    panelTile(k, shapes, { bytes: rows.bytes, at }, now, columns, sums, readOn(k, read, at.length));
    sums.forEach((list, row) => list.forEach((sum, i) => put(row, vector + i, sum.get)));
  }
}

/** Columns four at a time, then one by one. */
function unrolled(k: KernelBuilder, columns: number, turn: (column: Expression, count: number) => void): void {
  const whole = columns - (columns % unroll);
  k.loop("column", 0, whole, unroll, (column) => turn(column, unroll));
  if (whole < columns) k.loop("column", whole, columns, 1, (column) => turn(column, 1));
}
