/** Tiles of products with panels of f32, f16 or bf16 numbers. */
import { add, constant, min, mul, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { registerType } from "../kernel-types.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { dropAhead, sinkOf, type Ahead } from "../micro/ahead.js";
import { f32Tile, panelVector, unpackPanel, type F32Tile } from "../micro/f32-tile.js";
import { tileRows } from "../micro/layouts.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { Product } from "./product.js";
import { rowStart } from "./product-rows.js";
import { inPasses, pairs, storeSums, type TilePart, type TileWriter } from "./product-tiles.js";

/** Columns multiplied before the next rows are taken: 512 x 16 floats (32 KiB) stay in the first cache, or nearly. */
const depthOfPass = 512;
/** Columns that one of several panels is read for before the next one is. */
const depthOfTurn = 64;
/** Vectors at a time for one, two and three rows: no more than 8 sums, which stay in registers with their operands. */
const vectorsOf = [4, 4, 4, 2] as const;
/** Bytes of the next tile that are read along with each column; four groups of rows reach all of it. */
const aheadOfColumn = 8;

export function denseTile(product: Product, storage: DenseStorage): (emitter: Emitter) => TileWriter {
  const { layout, input, weight } = product;
  const { depth } = layout;
  const panelElements = layout.tileBytes / denseBytes[storage];
  return (emitter) => {
    const { builder } = emitter;
    const panels = emitter.buffer(weight.place, storage, "read");
    const x = emitter.buffer(input.stored.place, "f32", "read");
    const panelOf = (tile: Expression): Expression => builder.let("panel", mul(tile, panelElements));
    const startOf = (row: Coordinate): Expression =>
      builder.let("x_start", emitter.index(rowStart(emitter, input, row)));
    return {
      few: ({ tiles, rows, scratch, at }) => {
        const starts = tiles.map(panelOf);
        const rowsAt = rows.map(startOf);
        const left = (row: number, k: Expression): Expression => builder.load(x, add(rowsAt[row]!, k));
        const sums = tiles.map(() =>
          rows.map(() => [0, 1, 2, 3].map(() => builder.variable("sum", 0, registerType("f32", 4)))),
        );
        const vectors = vectorsOf[rows.length]!;
        const turn = (from: Expression | number, to: Expression | number): void =>
          starts.forEach((start, i) => {
            const panel = panelVector(builder, panels, start);
            for (let first = 0; first < 4; first += vectors) {
              const right = (vector: number, k: Expression): Expression => panel(first + vector, k);
              const into = sums[i]!.map((row) => row.slice(first, first + vectors));
              f32Tile(builder, { rows: rows.length, vectors, lanes: 4, from, to, left, right, into });
            }
          });
        if (depth <= depthOfTurn) turn(0, depth);
        else {
          emitter.loop("turn", 0, depth, depthOfTurn, undefined, (_, from) =>
            turn(from, builder.let("to", min(add(from, depthOfTurn), depth))),
          );
        }
        sums.forEach((tile, i) => {
          const lines = at.map((line) => constant(line + i * tileRows));
          storeSums(emitter, scratch, lines, tile);
        });
      },
      many: (tile, next) => {
        const start = panelOf(tile);
        const nextStart = panelOf(next);
        const isPacked = storage !== "f32";
        const floats = isPacked ? builder.blockBuffer("floats", "f32", "local", depthOfPass * tileRows) : undefined;
        const pass = (part: TilePart, from: Expression, to: Expression, isFirst: boolean): void => {
          // Halves are turned into floats once for all rows of the part.
          if (floats) unpackPanel(builder, panels, start, from, to, floats);
          const right = floats
            ? panelVector(builder, floats, builder.let("unpacked", mul(from, -tileRows)))
            : panelVector(builder, panels, start);
          const sink = sinkOf(builder);
          const step = aheadOfColumn / denseBytes[storage];
          const columns = builder.let("columns", sub(to, from));
          // Each pair of rows reads another part of the same columns of the next panel, until all of it was read.
          const aheadOf = (first: Expression): Ahead => {
            const reached = add(mul(first, mul(columns, step / 2)), mul(from, tileRows - step));
            return { buffer: panels, start: builder.let("ahead_start", add(nextStart, reached)), sink };
          };
          const group =
            (isEarly: boolean) => (rows: readonly Coordinate[], lines: readonly Expression[], first: Expression) => {
              const starts = rows.map(startOf);
              const left = (row: number, k: Expression): Expression => builder.load(x, add(starts[row]!, k));
              const before = (row: number, vector: number): Expression =>
                builder.load(part.scratch, add(lines[row]!, 4 * vector), { lanes: 4 });
              const tile: F32Tile = {
                ...{ rows: rows.length, vectors: 4, lanes: 4, from, to, left, right },
                ...(isFirst ? {} : { start: before }),
                ...(isEarly ? { ahead: { stretch: aheadOf(first), step } } : {}),
              };
              storeSums(emitter, part.scratch, lines, f32Tile(builder, tile));
            };
          pairs(emitter, part, group(false), { rows: (2 * tileRows) / step, body: group(true) });
          dropAhead(builder, sink, part.scratch, part.spare);
        };
        return (part) => inPasses(emitter, depth, depthOfPass, (...range) => pass(part, ...range));
      },
    };
  };
}
