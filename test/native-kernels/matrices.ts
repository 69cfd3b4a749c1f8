/** Matrices for tests of native products, their quantized forms, and products in doubles with a bound of the roundings. */
import { expect } from "vitest";
import type { QuantizedMatrix } from "../../compiler/4-schedule/micro/layouts.js";
import {
  activationBytes,
  activationGroupBytes,
  activationRowBytes,
  activationScale,
  groupColumns,
  recordColumns,
} from "../../compiler/4-schedule/micro/wide-layouts.js";
import { f16ToF32, f32ToF16 } from "../../compiler/checkpoints/half.js";

export interface ProductShape {
  readonly T: number;
  readonly K: number;
  readonly N: number;
}

/** Quants over the whole range of the format, and scales of both signs. */
export function quantizedMatrix(format: "q8_0" | "q4_0", { N, K }: ProductShape, next: () => number): QuantizedMatrix {
  const [low, high] = format === "q8_0" ? [-128, 127] : [-8, 7];
  return {
    rows: N,
    columns: K,
    quants: Int8Array.from({ length: N * K }, () => Math.floor(low + next() * (high - low + 1))),
    scales: Uint16Array.from({ length: (N * K) / 32 }, () => f32ToF16(next() * 0.02 - 0.01)),
  };
}

/** The number at (n, k). */
export const weightOf =
  ({ columns, quants, scales }: QuantizedMatrix) =>
  (n: number, k: number): number =>
    quants[n * columns + k]! * f16ToF32(scales[Math.floor((n * columns + k) / 32)]!);

/** The numbers that records of activations stand for. */
export function activationOf(records: Uint8Array, K: number): (t: number, k: number) => number {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  return (t, k) => {
    const group = t * activationRowBytes(K) + Math.floor(k / groupColumns) * activationGroupBytes;
    const record = group + Math.floor((k % groupColumns) / recordColumns) * activationBytes;
    return view.getInt8(record + (k % recordColumns)) * view.getFloat32(group + activationScale, true);
  };
}

/** |found - sum_k a b| <= steps * 2^-24 * sum_k |a b| for every output: `steps` roundings on the way of each product. */
export function expectProduct(
  found: Float32Array,
  { T, K, N }: ProductShape,
  left: (t: number, k: number) => number,
  right: (n: number, k: number) => number,
  steps: number,
): void {
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k < K; k++) {
        const product = left(t, k) * right(n, k);
        sum += product;
        size += Math.abs(product);
      }
      const error = Math.abs(found[t * N + n]! - sum);
      if (!(error <= steps * 2 ** -24 * size + 1e-40)) {
        expect.fail(`row ${t}, output ${n}: ${found[t * N + n]} instead of ${sum} (${T} x ${K} x ${N})`);
      }
    }
  }
}
