/** Products of wide quantized tiles, and what they are compared with: doubles. */
import { expect } from "vitest";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { activationRowBytes, groupColumns, packWideRecords } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { wideFewProduct, wideManyProduct, wideQuantize } from "../../compiler/4-schedule/micro/wide-products.js";
import type { Target } from "../../compiler/targets/index.js";
import { random } from "../kernels/memory.js";
import { activationOf, expectProduct, quantizedMatrix, weightOf } from "./matrices.js";
import { bytesOf, type RunKernel } from "./runners.js";

export const formats = ["q4_0", "q8_0"] as const;
export const shapes = [
  { K: 32, N: 16 },
  { K: 64, N: 17 },
  { K: 96, N: 33 },
  { K: 544, N: 48 },
] as const;
/** Rows of activations: none, few, and around the groups of many. */
export const tokens = [0, 1, 2, 3, 5, 17, 33];
const guard = 12345.5;

export const kernelsOf = ({ K, N }: (typeof shapes)[number], target: Target): readonly Kernel[] => [
  wideQuantize(`quantize_${K}`, K, target.tiles!),
  ...formats.flatMap((format) => [
    wideFewProduct(`few_${format}_${K}`, format, { K, N }, target.tiles!, 2),
    wideManyProduct(`many_${format}_${K}`, format, { K, N }, target.tiles!),
  ]),
];

/** Runs all kernels of a shape and compares them with doubles. */
export function check(run: RunKernel, shape: (typeof shapes)[number], counts: readonly number[]): void {
  const next = random(shape.K);
  for (const T of counts) {
    const { K, N } = shape;
    const x = Float32Array.from({ length: T * K }, () => next() * 4 - 2);
    x.fill(0, 0, 32);
    const records = new Uint8Array(T * activationRowBytes(K)).fill(0x55);
    run(`quantize_${K}`, [bytesOf(x), records], [], T);
    const left = activationOf(records, K);
    for (let i = 0; i < T * K; i++) {
      const row = Math.floor(i / K) * K;
      const start = i - ((i - row) % groupColumns);
      const largest = Math.max(...x.subarray(start, Math.min(start + groupColumns, row + K)).map(Math.abs));
      // Half a step; the quotient of at most 127 is rounded twice and the scale once.
      const bound = (largest / 254) * (1 + 3 * 127 * 2 ** -23);
      expect(Math.abs(left(Math.floor(i / K), i % K) - x[i]!)).toBeLessThanOrEqual(bound);
    }
    for (const format of formats) {
      const matrix = quantizedMatrix(format, { T, ...shape }, next);
      const weights = packWideRecords(format, matrix);
      for (const form of ["few", "many"] as const) {
        const y = new Float32Array(T * N + 1).fill(guard);
        run(`${form}_${format}_${K}`, [weights, records, bytesOf(y)], [T], Math.ceil(N / 32));
        // Integers are exact; scales are multiplied, a product is scaled, K / 32 blocks and two halves are added.
        expectProduct(y, { T, ...shape }, left, weightOf(matrix), K / 32 + 4);
        expect(y[T * N]).toBe(guard);
      }
    }
  }
}
