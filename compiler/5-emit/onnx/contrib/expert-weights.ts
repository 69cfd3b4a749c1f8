/** Weights of experts as the fused operators want them. */
import { fromF32, STORAGE } from "../../../checkpoints/storage.js";
import { f16ToF32 } from "../../../checkpoints/half.js";
import type { ExpertStorage } from "./names.js";

/** Rows of several matrices of the same shape in turn: the first of each, then the second of each. */
export function interleavedRows(matrices: readonly Float32Array[], columns: number): Float32Array {
  const [only] = matrices;
  if (matrices.length === 1) return only!;
  const out = new Float32Array(only!.length * matrices.length);
  for (let row = 0; row * columns < only!.length; row++) {
    matrices.forEach((matrix, index) => {
      const from = row * columns;
      out.set(matrix.subarray(from, from + columns), (row * matrices.length + index) * columns);
    });
  }
  return out;
}

export interface QuantizedRows {
  /** A byte for each number, or for two that stand side by side, the first one in its low half. */
  readonly codes: Uint8Array;
  /** One for each block. */
  readonly scales: Float32Array;
}

/** Numbers that a byte of `QuantizedRows.codes` holds. */
export const codesPerByte = (storage: ExpertStorage): number => (storage === "q4_0" ? 2 : 1);

/** Rounds as a build does; zero points are the middle, 128 and 8, which the operator takes when none is given. */
export function blocksOf(storage: ExpertStorage, values: Float32Array): QuantizedRows {
  const { blockValues, blockBytes } = STORAGE[storage];
  const stored = fromF32(storage, values);
  const count = values.length / blockValues;
  const scales = new Float32Array(count);
  const perByte = codesPerByte(storage);
  const codes = new Uint8Array(values.length / perByte);
  for (let block = 0; block < count; block++) {
    const at = block * blockBytes;
    scales[block] = f16ToF32(stored[at]! | (stored[at + 1]! << 8));
    const data = stored.subarray(at + 2, at + blockBytes);
    const target = block * (blockValues / perByte);
    if (perByte === 1) {
      for (let i = 0; i < blockValues; i++) codes[target + i] = (data[i]! + 128) & 255;
      continue;
    }
    // Byte j of a stored block holds the numbers j and j + 16.
    const code = (i: number): number => (i < 16 ? data[i]! & 15 : data[i - 16]! >>> 4);
    for (let i = 0; i < blockValues / 2; i++) codes[target + i] = code(2 * i) | (code(2 * i + 1) << 4);
  }
  return { codes, scales };
}
