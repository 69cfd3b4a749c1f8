/**
 * Wide quantized tiles against doubles, on the interpreter and compiled: sizes around a tile of 16 rows, a record of 64
 * columns, a pass of 512 columns and the groups of rows.
 */
import { describe, expect, it } from "vitest";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { activationRowBytes, packWideRecords } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { wideFewProduct, wideManyProduct, wideQuantize } from "../../compiler/4-schedule/micro/wide-products.js";
import { x86v4 } from "../../compiler/targets/index.js";
import { random } from "../kernels/memory.js";
import { hotLoops } from "./assembly.js";
import { activationOf, expectProduct, quantizedMatrix, weightOf } from "./matrices.js";
import { bytesOf, compiled, interpreted, runs, type RunKernel } from "./runners.js";

const formats = ["q4_0", "q8_0"] as const;
const shapes = [
  { K: 32, N: 16 },
  { K: 64, N: 17 },
  { K: 96, N: 33 },
  { K: 544, N: 48 },
] as const;
const tokens = [0, 1, 2, 3, 5, 17, 33];
const guard = 12345.5;

const kernelsOf = ({ K, N }: (typeof shapes)[number]): readonly Kernel[] => [
  wideQuantize(`quantize_${K}`, K),
  ...formats.flatMap((format) => [
    wideFewProduct(`few_${format}_${K}`, format, { K, N }, 2),
    wideManyProduct(`many_${format}_${K}`, format, { K, N }),
  ]),
];
const kernels = shapes.flatMap(kernelsOf);

function check(run: RunKernel, shape: (typeof shapes)[number], counts: readonly number[]): void {
  const next = random(shape.K);
  for (const T of counts) {
    const { K, N } = shape;
    const x = Float32Array.from({ length: T * K }, () => next() * 4 - 2);
    x.fill(0, 0, 32);
    const records = new Uint8Array(T * activationRowBytes(K)).fill(0x55);
    run(`quantize_${K}`, [bytesOf(x), records], [], T);
    const left = activationOf(records, K);
    for (let i = 0; i < T * K; i++) {
      const start = i - (i % 32);
      const largest = Math.max(...x.subarray(start, start + 32).map(Math.abs));
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

describe("wide quantized tiles", () => {
  it("are sound kernels", () => expect(verifyKernels(kernels)).toEqual([]));

  it("are right on the interpreter", { timeout: 60_000 }, () => {
    for (const shape of [shapes[1], shapes[2]]) check(interpreted(kernelsOf(shape)), shape, [0, 1, 7]);
  });

  it.runIf(runs(x86v4))("are right compiled", { timeout: 180_000 }, async () => {
    const { run } = await compiled(kernels, x86v4);
    for (const shape of shapes) check(run, shape, shape.K === 96 ? [...tokens, 129] : tokens);
  });

  it.runIf(runs(x86v4))(
    "keep 512-bit byte products in registers in their inner loops",
    { timeout: 180_000 },
    async () => {
      const { assembly } = await compiled(kernelsOf(shapes[3]), x86v4);
      const text = await assembly();
      for (const format of formats) {
        const many = hotLoops(text, `many_${format}_544`, "vpdpbusd");
        // Two tiles and groups of 6, 4, 2 and 1 rows: 16 words of a record for each.
        const products = many.map((loop) => loop.count("vpdpbusd", "zmm"));
        for (const rows of [6, 4, 2, 1]) expect(products).toContain(2 * rows * 16);
        for (const loop of [...many, ...hotLoops(text, `few_${format}_544`, "vpdpbusd")]) {
          expect(loop.spills, loop.text).toEqual([]);
          expect(loop.calls, loop.text).toEqual([]);
        }
      }
    },
  );
});
