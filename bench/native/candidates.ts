/** Shapes of wide tiles to choose from, and what measures them. */
import { tileList } from "../../compiler/4-schedule/micro/wide-unpack.js";
import type { RecordQuants } from "../../compiler/4-schedule/micro/records.js";
import type { Target, WideShapes } from "../../compiler/targets/index.js";

export { levels } from "../../test/support/native.js";
export { prepareLimits, prepareProduct } from "./product.js";

export interface Candidate {
  readonly name: string;
  readonly shapes: WideShapes;
}

/**
 * All shapes whose sums leave registers for weights and activations; those in use are marked.
 *
 * @param format Of integer products, whose tiles vary; those of floats when it is absent.
 */
export function candidatesFor(target: Target, format?: RecordQuants): readonly Candidate[] {
  const used = target.tiles!;
  const registers = target.vectorRegisters;
  const same = (a: unknown, b: unknown): string => (JSON.stringify(a) === JSON.stringify(b) ? ", in use" : "");
  const found: Candidate[] = [];
  if (format) {
    const list = tileList(format, used);
    for (const vectors of [1, 2, 4] as const) {
      for (let rows = 1; rows <= 14; rows++) {
        // A whole and a float sum of each row and vector, the weights of a step, and a word of activations.
        const mark = same({ rows, vectors }, used[list][0]);
        const fits = (2 * rows + 1) * vectors + 1 <= registers && 3 * rows * vectors >= registers;
        // Halves of bytes have sums of their own, so that fewer rows are in use there.
        if (!fits && mark === "") continue;
        const tiles = [{ rows, vectors }, ...used[list].filter((tile) => tile.rows < rows)];
        found.push({ name: `${rows} rows, ${vectors} vectors${mark}`, shapes: { ...used, [list]: tiles } });
      }
    }
    return found;
  }
  for (const floatVectors of [2, 4] as const) {
    for (let floatRows = 2; floatRows <= 14; floatRows += 2) {
      if ((floatRows + 1) * floatVectors + 1 > registers || 2 * floatRows * floatVectors < registers) continue;
      for (const floatColumns of [128, 256, 512]) {
        const mark = same(
          [floatRows, floatVectors, floatColumns],
          [used.floatRows, used.floatVectors, used.floatColumns],
        );
        const name = `${floatRows} rows, ${floatVectors} vectors, ${floatColumns} columns${mark}`;
        found.push({ name, shapes: { ...used, floatRows, floatVectors, floatColumns } });
      }
    }
  }
  return found;
}
