/** Tiles of products with panels of f32, f16 or bf16 numbers. */
import { add, constant, min, mul } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { registerType } from "../kernel-types.js";
import { denseBytes, type DenseStorage } from "../layout/layouts.js";
import { depthOfTurn, f32Tile, panelVector } from "../micro/f32-tile.js";
import { tileRows } from "../micro/layouts.js";
import type { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import { manyRows } from "./product-dense-runs.js";
import type { Product } from "./product.js";
import { rowStart } from "./product-rows.js";
import { inPasses, storeSums, type TileWriter } from "./product-tiles.js";

/** Vectors at a time for one, two and three rows: no more than 8 sums, which stay in registers with their operands. */
const vectorsOf = [4, 4, 4, 2] as const;
/** Panels that many rows are multiplied by together. */
const panelsOfRun = 3;

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
      // Rows that are looked up take a pointer each: by threes they were slower than by twos.
      together: input.rows === input.storedRows ? panelsOfRun : 1,
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
      many: (run) => {
        const sums = manyRows(emitter, product, { panels, x, panelElements }, run);
        return (part) => inPasses(emitter, depth, sums.depth, (...range) => sums.pass(part, ...range));
      },
    };
  };
}
