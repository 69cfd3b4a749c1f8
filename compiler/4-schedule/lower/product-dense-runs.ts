/** Many rows by a run of panels of f32, f16 or bf16 numbers, while the panels of the next run are read ahead. */
import { add, div, min, mul, rem, sub } from "../kernel-expressions.js";
import type { BufferHandle, Variable } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { dropAhead, sinkOf } from "../micro/ahead.js";
import { f32Tile, panelVector, unpackPanel, type F32Tile } from "../micro/f32-tile.js";
import { tileRows } from "../micro/layouts.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { Product } from "./product.js";
import { rowStart } from "./product-rows.js";
import {
  mostRowsTogether,
  pairs,
  storeSums,
  triples,
  type GroupBody,
  type TilePart,
  type TileRun,
} from "./product-tiles.js";

/** Columns multiplied before the next rows are taken: 512 x 16 floats (32 KiB) stay in the first cache, or nearly. */
const depthOfPass = 512;
/** Columns multiplied before the next rows are taken, where three panels are: vectors of two of them are used together. */
const depthOfRun = 256;
/** Bytes of the next run that are read along with each column. */
const aheadOfColumn = 8;

/** Buffers of a product and the elements of a panel. */
interface Operands {
  readonly panels: BufferHandle;
  readonly x: BufferHandle;
  readonly panelElements: number;
}

/** How the rows of a part meet the vectors of a run. */
interface RowGroups {
  /** Rows that are taken at once. */
  readonly size: number;
  /** Groups of vectors that a run is; rows are taken again for each. */
  readonly vectorGroups: number;
}

/** What is read along of the next run, in parts. */
interface NextColumns {
  /** Rows that reach all parts. */
  readonly rows: number;
  /** The part that rows from number `row` on read with columns `from..to`, for one of the groups of vectors. */
  ahead(group: number, row: Expression, from: Expression, to: Expression, sink: Variable): F32Tile["ahead"];
}

/** What is done with columns `from..to` for all rows of a part, and how many columns may come at a time. */
interface Passes {
  readonly depth: number;
  pass(part: TilePart, from: Expression, to: Expression, isFirst: boolean): void;
}

/**
 * Many rows by a run of panels. Three panels are twelve vectors, which are taken three by three with three rows: 9 sums, 3
 * vectors and 3 activations are the 15 registers of V8. A panel alone has its four vectors with two rows.
 */
export function manyRows(
  emitter: Emitter,
  product: Product,
  { panels, x, panelElements }: Operands,
  run: TileRun,
): Passes {
  const { builder } = emitter;
  const { input } = product;
  const isPacked = panels.element !== "f32";
  const isAlone = run.count === 1;
  const vectors = isAlone ? 4 : 3;
  const depth = isAlone ? depthOfPass : depthOfRun;
  const early = nextColumns(emitter, product, { panels, x, panelElements }, run, {
    size: isAlone ? 2 : mostRowsTogether,
    vectorGroups: (4 * run.count) / vectors,
  });
  const start = builder.let("panel", mul(run.first, panelElements));
  // Halves are turned into floats once for all rows of a part.
  const floats = isPacked ? builder.blockBuffer("floats", "f32", "local", run.count * depth * tileRows) : undefined;

  /** Vector `vector` of all panels of the run, at columns from `from` on. */
  const rightFrom = (from: Expression): F32Tile["right"] => {
    const before = floats && builder.let("unpacked", mul(from, -tileRows));
    const views = Array.from({ length: run.count }, (_, panel) =>
      floats
        ? panelVector(builder, floats, add(before!, panel * depth * tileRows))
        : panelVector(builder, panels, add(start, panel * panelElements)),
    );
    return (vector, k) => views[vector >> 2]!(vector & 3, k);
  };
  return {
    depth,
    pass: (part, from, to, isFirst) => {
      for (let panel = 0; floats && panel < run.count; panel++) {
        unpackPanel(builder, panels, add(start, panel * panelElements), from, to, floats, panel * depth * tileRows);
      }
      const right = rightFrom(from);
      const sink = sinkOf(builder);
      for (let first = 0; first < 4 * run.count; first += vectors) {
        const group =
          (isEarly: boolean): GroupBody =>
          (rows, lines, number) => {
            const starts = rowStarts(emitter, input, rows);
            const before = (row: number, vector: number): Expression =>
              builder.load(part.scratch, add(lines[row]!, 4 * (first + vector)), { lanes: 4 });
            const sums = f32Tile(builder, {
              ...{ rows: rows.length, vectors, lanes: 4, from, to },
              left: (row, k) => builder.load(x, add(starts[row]!, k)),
              right: (vector, k) => right(first + vector, k),
              ...(isFirst ? {} : { start: before }),
              ...(isEarly ? { ahead: early.ahead(first / vectors, number, from, to, sink) } : {}),
            });
            storeSums(emitter, part.scratch, lines, sums, first);
          };
        const begin = { rows: early.rows, body: group(true) };
        if (isAlone) pairs(emitter, part, group(false), begin);
        else triples(emitter, part, run.count, group(false), begin);
      }
      dropAhead(builder, sink, part.scratch, part.spare);
    },
  };
}

/** Elements of the activations where rows begin. Rows that lie evenly have one register, from which the others follow. */
function rowStarts(emitter: Emitter, input: Product["input"], rows: readonly Coordinate[]): readonly Expression[] {
  const places = rows.map((row) => rowStart(emitter, input, row));
  const first = places[0]!;
  const register = emitter.builder.let("x_start", emitter.index(first));
  return places.map((place, i) => {
    const distance = place.minus(first).number;
    if (i === 0 || distance !== undefined) return add(register, distance ?? 0);
    return emitter.builder.let("x_start", emitter.index(place));
  });
}

/**
 * The same columns of the next run, to read along: a group of rows reads one part of them, for each of its columns a few
 * elements.
 */
function nextColumns(
  emitter: Emitter,
  { layout }: Product,
  { panels, panelElements }: Operands,
  run: TileRun,
  { size, vectorGroups }: RowGroups,
): NextColumns {
  const { builder } = emitter;
  const step = aheadOfColumn / denseBytes[panels.element as DenseStorage];
  const parts = tileRows / step;
  const rows = (size * parts * run.count) / vectorGroups;
  const all = layout.batch.reduce((count, axis) => count * axis.size, layout.tiles) * panelElements;
  const start = builder.let("next_panel", mul(run.next, panelElements));
  const ahead: NextColumns["ahead"] = (group, row, from, to, sink) => {
    const number = builder.let("part_ahead", add(div(row, size), (group * rows) / size));
    const columns = builder.let("columns", sub(to, from));
    const reached = add(mul(div(number, parts), panelElements), mul(rem(number, parts), mul(columns, step)));
    const at = min(add(add(start, mul(from, tileRows)), reached), sub(all, mul(columns, step)));
    return { stretch: { buffer: panels, start: builder.let("ahead_start", sub(at, mul(from, step))), sink }, step };
  };
  return { rows, ahead };
}
