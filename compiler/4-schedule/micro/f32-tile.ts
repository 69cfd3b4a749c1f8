/**
 * The register tile of f32 products: `rows` rows of the left matrix times `vectors` vectors of the packed right one. The
 * loop has one step of k in its body: WebAssembly engines place all loads of a basic block first, so a longer body does
 * not fit into the registers.
 */
import { add, fma, mul, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import { readAhead, type Ahead } from "./ahead.js";
import { tileRows } from "./layouts.js";

/** Columns that one of several panels is read for before the next one is: half a KiB of f32, long before a page ends. */
export const depthOfTurn = 8;

export interface F32Tile {
  /** Rows of the left matrix; on 16 registers 3 with 3 vectors is best, and 2 with 4. */
  readonly rows: number;
  readonly vectors: number;
  readonly lanes: number;
  readonly from: Operand;
  readonly to: Operand;
  /** Element (row, k) of the left matrix. */
  readonly left: (row: number, k: Expression) => Expression;
  /** Vector `vector` of the right matrix at k. */
  readonly right: (vector: number, k: Expression) => Expression;
  /** Sums so far; zeros when absent. */
  readonly start?: (row: number, vector: number) => Expression;
  /** Registers to add to, instead of new ones. */
  readonly into?: readonly (readonly Variable[])[];
  /** What to read along, `step` elements further for each k; begins where k would be 0. */
  readonly ahead?: { readonly stretch: Ahead; readonly step: number } | undefined;
}

/** [row][vector] sums over k. */
export function f32Tile(k: KernelBuilder, tile: F32Tile): readonly (readonly Variable[])[] {
  const type = registerType("f32", tile.lanes);
  const grid = (make: (row: number, vector: number) => Variable): readonly (readonly Variable[])[] =>
    Array.from({ length: tile.rows }, (_, row) =>
      Array.from({ length: tile.vectors }, (_, vector) => make(row, vector)),
    );
  const sums = tile.into ?? grid((row, vector) => k.variable("sum", tile.start?.(row, vector) ?? 0, type));
  k.loop("k", tile.from, tile.to, 1, (index) => {
    const right = Array.from({ length: tile.vectors }, (_, vector) => k.let("right", tile.right(vector, index)));
    for (let row = 0; row < tile.rows; row++) {
      const left = k.let("left", splat(tile.left(row, index), tile.lanes));
      sums[row]!.forEach((sum, vector) => sum.set(fma(left, right[vector]!, sum.get)));
    }
    if (tile.ahead) readAhead(k, tile.ahead.stretch, index, tile.ahead.step);
  });
  return sums;
}

/** Vectors of a packed panel: element (k, 4 vector) of the tile whose panel starts at `start`. f16 or f32. */
export function panelVector(k: KernelBuilder, panel: BufferHandle, start: Expression): F32Tile["right"] {
  return (vector, index) =>
    k.load(panel, add(add(start, mul(index, tileRows)), vector * 4), { lanes: 4, finite: panel.element === "f16" });
}

/**
 * Copy columns `from..to` of a panel into `target` (f32, 16 a column) from element `place` on, so that halves are
 * converted once for many rows.
 */
export function unpackPanel(
  k: KernelBuilder,
  panel: BufferHandle,
  start: Expression,
  from: Expression,
  to: Expression,
  target: BufferHandle,
  place: Operand = 0,
): void {
  const first = k.let("first", add(start, mul(from, tileRows)));
  const count = k.let("count", mul(sub(to, from), tileRows));
  k.loop("element", 0, count, 4, (element) => {
    const at = add(first, element);
    k.store(target, add(element, place), k.load(panel, at, { lanes: 4, finite: panel.element === "f16" }));
  });
}
