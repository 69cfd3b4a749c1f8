/**
 * Wide quantized tiles against doubles, on the interpreter and compiled: sizes around a tile of 16 rows, a record of 64
 * columns, a pass of 512 columns and the groups of rows.
 */
import { describe, expect, it } from "vitest";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { activationRowBytes, groupColumns, packWideRecords } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { wideFewProduct, wideManyProduct, wideQuantize } from "../../compiler/4-schedule/micro/wide-products.js";
import { x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
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

const kernelsOf = ({ K, N }: (typeof shapes)[number], target: Target): readonly Kernel[] => [
  wideQuantize(`quantize_${K}`, K, target.tiles!),
  ...formats.flatMap((format) => [
    wideFewProduct(`few_${format}_${K}`, format, { K, N }, target.tiles!, 2),
    wideManyProduct(`many_${format}_${K}`, format, { K, N }, target.tiles!),
  ]),
];

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

describe.each([x86v4, x86v3])("wide quantized tiles of $name", (target) => {
  const kernels = shapes.flatMap((shape) => kernelsOf(shape, target));

  it("are sound kernels", () => expect(verifyKernels(kernels)).toEqual([]));

  it("are right on the interpreter", { timeout: 60_000 }, () => {
    for (const shape of [shapes[1], shapes[2]]) check(interpreted(kernelsOf(shape, target)), shape, [0, 1, 7]);
  });

  it.runIf(runs(target))("are right compiled", { timeout: 180_000 }, async () => {
    const { run } = await compiled(kernels, target);
    for (const shape of shapes) check(run, shape, shape.K === 96 ? [...tokens, 129] : tokens);
  });

  it.runIf(runs(target))("keep products of bytes in registers in their inner loops", { timeout: 180_000 }, async () => {
    const [instruction, register] = target === x86v4 ? ["vpdpbusd", "zmm"] : ["vpmaddubsw", "ymm"];
    const { lanes, quads, byteRows, splitRows, byteTiles } = target.tiles!;
    const { assembly } = await compiled(kernelsOf(shapes[3], target), target);
    const text = await assembly();
    for (const format of formats) {
      const many = hotLoops(text, `many_${format}_544`, instruction);
      const products = many.map((loop) => loop.count(instruction, register));
      // Two tiles of a product here; loops over single steps where pairs are added, else over the 16 words of a record.
      const vectors = Math.min(byteTiles, 2) * (16 / lanes);
      const isSplit = !quads && format === "q8_0";
      for (const rows of isSplit ? splitRows : byteRows) {
        expect(products).toContain(rows * vectors * (quads ? 16 : isSplit ? 2 : 1));
      }
      for (const loop of [...many, ...hotLoops(text, `few_${format}_544`, instruction)]) {
        expect(loop.spills, loop.text).toEqual([]);
        expect(loop.calls, loop.text).toEqual([]);
      }
    }
  });
});
