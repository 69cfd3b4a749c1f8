/**
 * Integer products of many rows, whatever the format of the weights: a group of 256 columns of some tiles is unpacked to
 * the first cache and multiplied with all rows, some at a time. Rows that are multiplied together are copied side by side
 * for all tiles, so that one register and constants say where each of their words is.
 */
import { add, compare, constant, div, fma, mul, select, splat, sub, type Operand } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BufferHandle, KernelBuilder, Variable } from "../kernel-builder.js";
import { registerType } from "../kernel-types.js";
import type { SumTile, WideShapes } from "../../targets/index.js";
import { lineBytes } from "./ahead.js";
import { inRowGroups } from "./row-groups.js";
import type { WideRow } from "./wide-dots.js";
import { activationGroupBytes, activationScale, groupRecords, recordRows } from "./wide-layouts.js";

/** Rows, their sums, and memory of a block that passes use. */
export interface ManyRows {
  readonly from: Expression;
  readonly to: Expression;
  readonly row: (number: Expression) => WideRow;
  /** f32, where the sums of a row and of all tiles lie side by side. */
  readonly sums: BufferHandle;
  readonly sumsAt: (row: Expression) => Expression;
  /** From the sums of a row to those of the next. */
  readonly sumsStride: number;
  /** u8: what tiles are unpacked to. */
  readonly unpacked: BufferHandle;
  /** i8, `copiedRowsBytes`. */
  readonly copies: BufferHandle;
}

/** Bytes of scratch memory for the rows that are multiplied together. */
export const copiedRowsBytes = ({ byteTiles, splitTiles, fineTiles }: WideShapes): number =>
  Math.max(...[...byteTiles, ...splitTiles, ...fineTiles].map(({ rows }) => rows)) * activationGroupBytes;

/** Some vectors of unpacked tiles. */
export interface UnpackedVectors {
  readonly bytes: BufferHandle;
  /** Byte of the first vector of the first tile. */
  readonly start: Expression;
  /** Bytes from there to each vector. */
  readonly offsets: readonly number[];
}

/** What the formats do differently. */
export interface Passes {
  /** Where the records of each tile begin. */
  readonly tiles: readonly { readonly bytes: BufferHandle; readonly start: Expression }[];
  /** Bytes of the records of a tile with 256 columns. */
  readonly groupBytes: number;
  /** 64 columns each. */
  readonly records: number;
  /** Rows and vectors that are multiplied together. */
  readonly together: readonly SumTile[];
  /** Bytes of an unpacked tile. */
  readonly unpackedBytes: number;
  /** Unpack `count` records of group `group` of all tiles, one tile behind the other. */
  unpack(group: Operand, count: number): void;
  /**
   * sums[row][vector] += `count` unpacked records times the rows of a group, without the scale of the rows. `eachRecord`
   * writes what is done beside for each record.
   */
  multiply(
    vectors: UnpackedVectors,
    rows: readonly WideRow[],
    count: number,
    sums: readonly (readonly Variable[])[],
    eachRecord: (record: Expression) => void,
  ): void;
}

/** Brings near part `part` of `parts` of what the next pass unpacks of `tiles` tiles from `tile` on. */
type ReadAhead = (tile: Expression, tiles: number, part: Expression, parts: number) => void;

/** Sums of rows `from..to` and some tiles. A group of columns is a pass, so rows have one scale in it. */
export function rowPasses(k: KernelBuilder, shapes: WideShapes, what: ManyRows, passes: Passes): void {
  const { from, to, sums, sumsAt } = what;
  const { tiles, records, together, groupBytes } = passes;
  const zeros = splat(constant(0, registerType("f32")), shapes.lanes);
  k.loop("row", from, to, 1, (row) => {
    const line = k.let("line", sumsAt(row));
    for (let n = 0; n < tiles.length * recordRows; n += shapes.lanes) k.store(sums, add(line, n), zeros);
  });
  const count = k.let("rows", sub(to, from));
  const lines = Math.ceil(groupBytes / lineBytes);
  const tileBytes = (records * groupBytes) / groupRecords;
  /**
   * Brings near what the next pass unpacks, spread over all groups of rows, and over their tiles and records: many
   * lines asked for at once wait for one another, and the core for them. The last pass is followed by the first one of the tiles behind these.
   */
  const readAhead = (group: Operand, row: Expression, rows: number): ReadAhead => {
    const [{ bytes, start }] = tiles as readonly [Passes["tiles"][number]];
    const upTo = (number: Expression): Expression => div(mul(sub(number, from), lines), count);
    const following = mul(add(group, 1), groupBytes);
    const next = k.let("next_group", select(compare("lt", following, tileBytes), following, tiles.length * tileBytes));
    const first = k.let("first_line", upTo(row));
    const some = k.let("lines", sub(upTo(add(row, rows)), first));
    return (tile, together, part, parts) => {
      const step = (number: Expression): Expression => add(first, div(mul(some, number), parts));
      const near = k.let("near", add(add(start, next), mul(tile, tileBytes)));
      k.loop("line", step(part), step(add(part, 1)), 1, (line) => {
        const at = k.let("ahead", add(near, mul(line, lineBytes)));
        for (let other = 0; other < together; other++) k.prefetch(bytes, add(at, other * tileBytes));
      });
    };
  };
  const pass = (group: Operand, recordsNow: number): void => {
    passes.unpack(group, recordsNow);
    const sizes = together.map(({ rows }) => rows);
    inRowGroups(k, from, to, sizes, (first, last, rowsNow) =>
      k.loop("row", first, last, rowsNow, (row) => {
        const rows = copiedRows(k, shapes, what, group, row, rowsNow);
        const line = k.let("line", sumsAt(row));
        const readNext = readAhead(group, row, rowsNow);
        // With few registers the records' loop is better left alone.
        const ahead = shapes.quads ? readNext : undefined;
        if (!ahead) readNext(constant(0), tiles.length, constant(0), 1);
        eachVectors(k, shapes, tiles.length, together.find((tile) => tile.rows === rowsNow)!.vectors, (tile, vectors) =>
          addProducts(k, shapes, what, passes, { rows, line, recordsNow, tile, vectors, ahead }),
        );
      }),
    );
  };
  const whole = Math.floor(records / groupRecords);
  k.loop("pass", 0, whole, 1, (group) => pass(group, groupRecords));
  if (records % groupRecords > 0) pass(whole, records % groupRecords);
}

/** Rows from `from` on, copied. */
function copiedRows(
  k: KernelBuilder,
  { lanes }: WideShapes,
  { row, copies }: ManyRows,
  group: Operand,
  from: Expression,
  count: number,
): readonly WideRow[] {
  k.loop("copied", 0, count, 1, (i) => {
    const { bytes, start } = row(k.let("copied_row", add(from, i)));
    const source = k.let("x_start", add(mul(group, activationGroupBytes), start));
    const to = k.let("copy", mul(i, activationGroupBytes));
    for (let at = 0; at < activationGroupBytes; at += 4 * lanes) {
      k.store(copies, add(to, at), k.load(bytes, add(source, at), { lanes, as: "i32" }), { as: "i32" });
    }
  });
  return Array.from({ length: count }, (_, i) => ({ bytes: copies, start: constant(i * activationGroupBytes) }));
}

/** Vectors of outputs, `together` at a time: of one tile or of some, numbered from the first of tile `tile` on. */
function eachVectors(
  k: KernelBuilder,
  { lanes }: WideShapes,
  tiles: number,
  together: number,
  run: (tile: Expression, vectors: readonly number[]) => void,
): void {
  const ofTile = recordRows / lanes;
  const step = Math.max(1, together / ofTile);
  const numbers = (first: number, count: number): readonly number[] =>
    Array.from({ length: count }, (_, i) => first + i);
  const whole = tiles - (tiles % step);
  k.loop("tile", 0, whole, step, (tile) => {
    for (let first = 0; first < step * ofTile; first += together) run(tile, numbers(first, together));
  });
  if (whole < tiles) run(constant(whole), numbers(0, (tiles - whole) * ofTile));
}

interface Products {
  readonly rows: readonly WideRow[];
  /** Where the sums of the first row begin. */
  readonly line: Expression;
  readonly recordsNow: number;
  readonly tile: Expression;
  readonly vectors: readonly number[];
  /** At each record. */
  readonly ahead: ReadAhead | undefined;
}

/** Adds the products of a group of columns to the sums of some rows and vectors. */
function addProducts(
  k: KernelBuilder,
  shapes: WideShapes,
  { sums, sumsStride, unpacked }: ManyRows,
  passes: Passes,
  { rows, line, recordsNow, tile, vectors, ahead }: Products,
): void {
  const { lanes } = shapes;
  const { unpackedBytes } = passes;
  const ofTile = recordRows / lanes;
  const start = k.let("unpacked_at", mul(tile, unpackedBytes));
  const own = k.let("own", add(line, mul(tile, recordRows)));
  const offsets = vectors.map((vector) => Math.floor(vector / ofTile) * unpackedBytes + 4 * lanes * (vector % ofTile));
  const registers = rows.map(() => vectors.map(() => k.variable("sum", 0, registerType("f32", lanes))));
  const tilesNow = Math.ceil(vectors.length / ofTile);
  passes.multiply({ bytes: unpacked, start, offsets }, rows, recordsNow, registers, (record) => {
    // Of the vectors of one tile that are multiplied apart, the first ones ask.
    if (vectors[0]! % ofTile === 0) ahead?.(tile, tilesNow, record, recordsNow);
  });
  rows.forEach((row, i) => {
    const scale = splat(k.load(row.bytes, add(row.start, activationScale), { as: "f32" }), lanes);
    const xScale = k.let("x_scale", scale);
    registers[i]!.forEach((sum, v) => {
      const at = add(own, i * sumsStride + vectors[v]! * lanes);
      k.store(sums, at, fma(sum.get, xScale, k.load(sums, at, { lanes })));
    });
  });
}
