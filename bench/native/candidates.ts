/** Shapes of wide tiles to choose from, and what measures them. */
import type { Target, WideShapes } from "../../compiler/targets/index.js";

export { levels } from "../../test/support/native.js";
export { prepareLimits, prepareProduct } from "./product.js";

export interface Candidate {
  readonly name: string;
  readonly shapes: WideShapes;
}

/** Rows of a group, then the smaller groups for what is left. */
const groups = (rows: number): readonly number[] => [rows, ...[4, 2, 1].filter((fewer) => fewer < rows)];

/** All shapes whose sums leave registers for weights and activations; those in use are marked. */
export function candidatesFor(target: Target, quantized: boolean): readonly Candidate[] {
  const used = target.tiles!;
  const registers = target.vectorRegisters;
  const same = (a: unknown, b: unknown): string => (JSON.stringify(a) === JSON.stringify(b) ? ", in use" : "");
  const found: Candidate[] = [];
  if (quantized) {
    for (const vectors of [1, 2, 4] as const) {
      for (let rows = 1; rows <= 14; rows++) {
        // A whole and a float sum of each row and vector, the weights of a step, and a word of activations.
        if ((2 * rows + 1) * vectors + 1 > registers || 3 * rows * vectors < registers) continue;
        const mark = same({ rows, vectors }, used.byteTiles[0]);
        const less = used.byteTiles.filter((tile) => tile.rows < rows);
        const byteTiles = [{ rows, vectors }, ...less];
        found.push({ name: `${rows} rows, ${vectors} vectors${mark}`, shapes: { ...used, byteTiles } });
      }
    }
    return found;
  }
  for (const floatVectors of [2, 4] as const) {
    for (let rows = 2; rows <= 14; rows += 2) {
      if ((rows + 1) * floatVectors + 1 > registers || 2 * rows * floatVectors < registers) continue;
      for (const floatColumns of [128, 256, 512]) {
        const floatRows = groups(rows);
        const mark = same(
          [floatRows, floatVectors, floatColumns],
          [used.floatRows, used.floatVectors, used.floatColumns],
        );
        const name = `${rows} rows, ${floatVectors} vectors, ${floatColumns} columns${mark}`;
        found.push({ name, shapes: { ...used, floatRows, floatVectors, floatColumns } });
      }
    }
  }
  return found;
}
