/**
 * Many rows times quantized weights as matrices of bf16 numbers. The numbers here are exact in bf16 and in the format, so
 * that what differs from the reference is the rounding of sums alone; what rounding to bf16 costs is asked apart.
 */
import { describe, expect, it } from "vitest";
import { bf16ToF32, f32ToBf16, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { constant, mul } from "../../compiler/4-schedule/kernel-expressions.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { packWideRecords, recordCount, wideRecordBytes } from "../../compiler/4-schedule/micro/wide-layouts.js";
import {
  activationNumbers,
  matrixBuffers,
  matrixProducts,
  rowsOfTile,
} from "../../compiler/4-schedule/micro/wide-matrices.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { x86v4Amx } from "../../compiler/targets/index.js";
import { random } from "../kernels/memory.js";
import { compare, numbers } from "../schedule/compare.js";
import {
  activations,
  bf16Rounding,
  expertCall,
  expertProduct,
  halves,
  held,
  product,
  scoresOf,
} from "../schedule/product-cases.js";
import { namedLevels } from "../support/native.js";
import { hotLoops } from "./assembly.js";
import { expectProduct, quantizedMatrix, weightOf } from "./matrices.js";
import { bytesOf, compiled, interpreted, runs } from "./runners.js";

const target = x86v4Amx;
const here = namedLevels().includes(target);

/** Whole multiples of 1/64 with 127/64 in each block of 32: as exact in 8 bits as in bf16. */
const exactRows = (seed: number, length: number): number[] =>
  numbers(seed, length).map((x, i) => (i % 32 === 5 ? 127 : Math.round(x * 127)) / 64);

/** Quants of 4 or 8 bits times 1/8 or 1/128, the largest one in each block of 32 columns of [batch][columns][rows]. */
const exactWeights = (format: "q4_0" | "q8_0", seed: number, length: number, rows: number): number[] => {
  const [largest, unit] = format === "q4_0" ? [-8, 1 / 8] : [127, 1 / 128];
  const quant = (x: number): number => Math.round(x * (Math.abs(largest) - 1));
  return numbers(seed, length).map((x, i) => (Math.floor(i / rows) % 32 === 3 ? largest : quant(x)) * unit);
};

/** n products of at most 127/64 and 1, each added up and rounded. */
const sums = (n: number): number => n * (n * (127 / 64)) * 2 ** -24;

describe.each(["q4_0", "q8_0"] as const)("%s weights", (format) => {
  const storage = { storage: (decl: { readonly path: string }) => (decl.path === "w" ? format : ("f32" as const)) };

  it.runIf(here).each([
    { columns: 64, rows: 41, counts: [96, 97, 113] },
    { columns: 608, rows: 72, counts: [256, 256 + 96, 130, 3, 0] },
  ])("$columns columns and $rows outputs", ({ columns, rows, counts }) => {
    compare(product(columns, rows, true), {
      calls: counts.map((t) => ({ inputs: { x: exactRows(t, t * columns) }, sizes: { T: t } })),
      params: (path, count) => (path === "w" ? exactWeights(format, 1, count, rows) : halves(3, count)),
      options: { ...storage, limits: { T: 352, context: 352 } },
      tolerance: sums(columns) + 2 ** -24 * columns * 2,
      target,
      runners: ["native"],
    });
  });

  it.runIf(here)("of experts, whose rows lie anywhere", () => {
    const count = 131;
    for (const scores of Object.values(scoresOf(count))) {
      const call = expertCall(count, 96, scores);
      compare(expertProduct(96, 64), {
        calls: [{ ...call, inputs: { ...call.inputs, x: exactRows(7, count * 96) } }],
        params: (_, length) => exactWeights(format, 5, length, 64),
        options: { storage: () => format, limits: { T: 160, context: 160 } },
        // Two experts with weights up to 2.
        tolerance: 8 * sums(96),
        target,
        runners: ["native"],
      });
    }
  });

  it.runIf(here)("round weights and rows to bf16", () => {
    const [columns, rows, count] = [96, 32, 100];
    compare(product(columns, rows), {
      calls: [{ inputs: { x: activations(1, count * columns) }, sizes: { T: count } }],
      params: (_, length) => held(format, 1, columns, rows, halves(3, length)),
      options: { storage: () => format, limits: { T: count, context: count } },
      tolerance: bf16Rounding(columns) + sums(columns),
      target,
      runners: ["native"],
    });
  });
});

/** y[T, 32] = x w of two tiles of outputs, on rows in their places or copied. Buffers w, x, y; scalar T; grid 1. */
function tilesKernel(name: string, format: "q4_0" | "q8_0", columns: number, inPlace: boolean): Kernel {
  const k = new KernelBuilder(name, { doc: "products of tiles" });
  const bytes = k.buffer("w", "u8", "read");
  const x = k.buffer("x", "bf16", "read");
  const sums = k.buffer("y", "f32", "readwrite");
  const to = k.scalar("T", "i32");
  const tileBytes = recordCount(columns) * wideRecordBytes(format);
  const stride = activationNumbers(columns);
  matrixProducts(k, target.tiles!, matrixBuffers(k, 2), {
    tiles: [0, 1].map((number) => ({ format, bytes, start: constant(number * tileBytes) })),
    ...{ columns, from: constant(0), to, sums, sumsStride: 32 },
    rows: { bytes: x, start: (number) => k.let("x_start", mul(number, stride)), stride: inPlace ? stride : undefined },
    sumsAt: (row) => k.let("line", mul(row, 32)),
  });
  return k.finish();
}

it("tiles of the interpreter, whatever is left of rows and columns", () => {
  const next = random(11);
  const cases = (["q4_0", "q8_0"] as const).flatMap((format) =>
    [96, 288].map((columns) => ({ format, columns, name: `${format}_${columns}` })),
  );
  const kernels = cases.map(({ name, format, columns }) => tilesKernel(name, format, columns, columns === 96));
  expect(verifyKernels(kernels)).toEqual([]);
  const run = interpreted(kernels);
  for (const { name, format, columns } of cases) {
    for (const T of [1, 16, 17, 33]) {
      const shape = { T, K: columns, N: 32 };
      const matrix = quantizedMatrix(format, shape, next);
      matrix.scales.fill(f32ToF16(1 / 16));
      const stride = activationNumbers(columns);
      const x = new Uint16Array((T + rowsOfTile) * stride).map(() => f32ToBf16(Math.round(next() * 254 - 127) / 64));
      const y = new Float32Array((T + 2 * rowsOfTile) * 32);
      run(name, [packWideRecords(format, matrix), bytesOf(x), bytesOf(y)], [T], 1);
      // The numbers are exact, and so are their sums: whole multiples of 1/1024 below 2^24 of them.
      expectProduct(y, shape, (t, c) => bf16ToF32(x[t * stride + c]!), weightOf(matrix), 0);
    }
  }
});

it.runIf(runs(target))("products go through tiles, without calls between them", { timeout: 60_000 }, async () => {
  const limits = { T: 128, context: 128 };
  const { kernels } = schedule(product(512, 64), target, { limits, storage: () => "q4_0" });
  const { assembly } = await compiled(kernels, target);
  const loops = hotLoops(await assembly(), kernels.at(-1)!.name, "tdpbf16ps");
  for (const loop of loops) expect(loop.calls, loop.text).toEqual([]);
  // Two tiles of rows and two of outputs, eight blocks of columns, two times for a pair of tiles of outputs.
  expect(loops.map((loop) => loop.count("tdpbf16ps", "tmm"))).toContain(2 * 2 * 2 * 8);
});
