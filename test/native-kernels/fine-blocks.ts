/** Random blocks of ggml's finer formats, and the numbers that they stand for. */
import type { KQuants } from "../../compiler/2-graph/ir.js";
import { f32ToF16 } from "../../compiler/checkpoints/half.js";
import { STORAGE, toF32 } from "../../compiler/checkpoints/storage.js";
import { random } from "../kernels/memory.js";

export const fineFormats = ["q4_K", "q6_K", "q5_K", "q4_1", "q5_0", "q5_1"] as const satisfies readonly KQuants[];

/** Where a block has its f16 numbers, and the largest that each is times. */
const factors: Readonly<Record<KQuants, readonly (readonly [place: number, largest: number])[]>> = {
  q4_1: [
    [0, 15],
    [2, 1],
  ],
  q5_0: [[0, 16]],
  q5_1: [
    [0, 31],
    [2, 1],
  ],
  q4_K: [
    [0, 15 * 63],
    [2, 63],
  ],
  q5_K: [
    [0, 31 * 63],
    [2, 63],
  ],
  q6_K: [[208, 32 * 128]],
};

export interface FineBlocks {
  readonly bytes: Uint8Array;
  /** Numbers of up to 1/2, row by row. */
  readonly values: Float32Array;
}

/** Rows of blocks with every bit but the f16 numbers at random. */
export function fineBlocks(format: KQuants, count: number, seed: number): FineBlocks {
  const { blockValues, blockBytes } = STORAGE[format];
  const next = random(seed);
  const bytes = Uint8Array.from({ length: (count / blockValues) * blockBytes }, () => Math.floor(next() * 256));
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < bytes.length; block += blockBytes) {
    for (const [place, largest] of factors[format]) {
      view.setUint16(block + place, f32ToF16((next() - 0.5) / (2 * largest)), true);
    }
  }
  return { bytes, values: toF32(format, bytes) };
}

/** [batch][rows][columns] to [batch][columns][rows]. */
export function turned(values: Float32Array, batch: number, rows: number, columns: number): number[] {
  const all = new Array<number>(values.length);
  for (let b = 0; b < batch; b++) {
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < columns; k++) all[(b * columns + k) * rows + row] = values[(b * rows + row) * columns + k]!;
    }
  }
  return all;
}
