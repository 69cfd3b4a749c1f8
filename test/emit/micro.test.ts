/**
 * The micro-kernels against plain JavaScript in doubles, on the interpreter and on WebAssembly with and without relaxed
 * SIMD, at sizes around the tile of 16 outputs and the pass of 256 columns.
 */
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import {
  packHalfPanels,
  packPanels,
  packQ4Tiles,
  packQ8Tiles,
  type QuantizedMatrix,
} from "../../compiler/4-schedule/micro/layouts.js";
import {
  panelProduct,
  panelsProduct,
  packedProduct,
  quantizeProduct,
  unpackedProduct,
} from "../../compiler/4-schedule/micro/products.js";
import { f16ToF32, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { wasmQuads, wasmRelaxed, wasmSimd, type Target } from "../../compiler/targets/index.js";
import { random } from "../kernels/memory.js";
import { hasQuads } from "../support/quads.js";
import { instantiate, type KernelFunction } from "./wasm-host.js";

const floatKernels: readonly Kernel[] = [
  panelProduct("f32_2", "f32"),
  panelProduct("f32_3", "f32", 3),
  panelProduct("f16_2", "f16"),
  panelProduct("f16_many", "f16", 2, true),
  panelsProduct("f16_2_tiles", "f16", 2),
];

/** Kernels by the instructions that a target has for products of bytes. */
const byteKernels = (target: Target): readonly Kernel[] => [
  quantizeProduct("quantize_q8", "q8_0", target),
  quantizeProduct("quantize_q4", "q4_0", target),
  packedProduct("q8_1", "q8_0", target, 1),
  packedProduct("q8_2", "q8_0", target, 2),
  packedProduct("q8_3", "q8_0", target, 3),
  packedProduct("q4_1", "q4_0", target, 1),
  packedProduct("q4_2", "q4_0", target, 2),
  packedProduct("q8_4_tiles", "q8_0", target, 1, 4),
  packedProduct("q4_2_tiles", "q4_0", target, 1, 2),
  unpackedProduct("q8_unpacked", "q8_0", target, 96, 2),
  unpackedProduct("q4_unpacked", "q4_0", target, 96, 2),
];
const kernels = [...floatKernels, ...byteKernels(wasmRelaxed)];
const quadKernels = byteKernels(wasmQuads);

const memory = new WebAssembly.Memory({ initial: 40 });
const scratch = 1024;
const start = scratch + Math.ceil(scratchBytes([...kernels, ...quadKernels]) / 64) * 64;

/** The interpreter as if it were a module. */
function interpreted(
  own: readonly Kernel[],
  byteReading: "signed" | "unsigned",
): Readonly<Record<string, KernelFunction>> {
  const interpreter = makeInterpreter(own, { checked: true, byteReading });
  return Object.fromEntries(
    own.map(({ name, buffers }) => [
      name,
      (...args: readonly number[]): void => {
        const [from, to] = args.slice(-2);
        const scalars = args.slice(buffers.length, -2);
        interpreter.launch(name, memory.buffer, args.slice(0, buffers.length), scalars, from!, to!);
      },
    ]),
  );
}

const targets: Readonly<Record<string, Readonly<Record<string, KernelFunction>>>> = {
  "wasm-relaxed": instantiate(kernels, wasmRelaxed, memory, scratch),
  "wasm-simd": instantiate(kernels, wasmSimd, memory, scratch),
  interpreter: interpreted(kernels, "signed"),
  "interpreter with quads of signed bytes": interpreted(quadKernels, "signed"),
  "interpreter with quads of unsigned bytes": interpreted(quadKernels, "unsigned"),
  // Where products of four bytes are inexact, as in Node 20, this engine is asked for what all have.
  ...(hasQuads() ? { "wasm-quads": instantiate(quadKernels, wasmQuads, memory, scratch) } : {}),
  "wasm-simd with quads": instantiate(quadKernels, wasmSimd, memory, scratch),
};

/** Places in the memory, one after the other. */
class Places {
  private next = start;
  take(bytes: Uint8Array | number): number {
    const at = this.next;
    this.next += Math.ceil((typeof bytes === "number" ? bytes : bytes.length) / 64) * 64;
    expect(this.next).toBeLessThanOrEqual(memory.buffer.byteLength);
    if (typeof bytes !== "number") new Uint8Array(memory.buffer).set(bytes, at);
    return at;
  }
}
const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const floats = (at: number, count: number): Float32Array => new Float32Array(memory.buffer, at, count).slice();

/** |found - sum_k a b| <= steps * 2^-24 * sum_k |a b| for every output: `steps` roundings on the way of each product. */
function expectProduct(
  found: Float32Array,
  shape: { readonly T: number; readonly N: number; readonly K: number },
  left: (t: number, k: number) => number,
  right: (n: number, k: number) => number,
  steps: number,
): void {
  for (let t = 0; t < shape.T; t++) {
    for (let n = 0; n < shape.N; n++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k < shape.K; k++) {
        const product = left(t, k) * right(n, k);
        sum += product;
        size += Math.abs(product);
      }
      expect(Math.abs(found[t * shape.N + n]! - sum)).toBeLessThanOrEqual(steps * 2 ** -24 * size + 1e-40);
    }
  }
}

const guard = 12345.5;

const next = random(7);
const some = (count: number): Float32Array => Float32Array.from({ length: count }, () => next() * 4 - 2);

it("has sound kernels", () => expect([...verifyKernels(kernels), ...verifyKernels(quadKernels)]).toEqual([]));

describe.each(["wasm-relaxed", "wasm-simd", "interpreter"])("products of numbers on %s", (target) => {
  const run = targets[target]!;

  it.each([
    { T: 1, K: 1, N: 1 },
    { T: 2, K: 7, N: 16 },
    { T: 3, K: 64, N: 17 },
    { T: 5, K: 513, N: 15 },
    { T: 4, K: 1030, N: 33 },
    { T: 0, K: 8, N: 16 },
  ])("f32 and f16 panels, $T x $K x $N", (shape) => {
    const { T, K, N } = shape;
    const x = some(T * K);
    const w = some(N * K);
    for (const name of ["f32_2", "f32_3", "f16_2", "f16_many", "f16_2_tiles"]) {
      const places = new Places();
      const half = name.startsWith("f16");
      const packed = half ? packHalfPanels(w, N, K) : packPanels(w, N, K);
      const at = [places.take(bytesOf(x)), places.take(bytesOf(packed)), places.take((T * N + 1) * 4)] as const;
      new Float32Array(memory.buffer, at[2], T * N + 1).fill(guard);
      run[name]!(...at, T, K, N, 0, Math.ceil(N / (name.endsWith("tiles") ? 32 : 16)));
      const y = floats(at[2], T * N + 1);
      const right = (n: number, k: number): number => (half ? f16ToF32(f32ToF16(w[n * K + k]!)) : w[n * K + k]!);
      // Each product is rounded once and passes at most K + 1 additions.
      expectProduct(y, shape, (t, k) => x[t * K + k]!, right, K + 2);
      expect(y[T * N]).toBe(guard);
    }
  });
});

describe.each(Object.keys(targets))("products of bytes on %s", (target) => {
  const run = targets[target]!;

  it.each([
    { T: 1, K: 32, N: 1 },
    { T: 2, K: 64, N: 16 },
    { T: 3, K: 96, N: 17 },
    { T: 5, K: 96, N: 47 },
    { T: 1, K: 64, N: 150 },
    { T: 0, K: 32, N: 16 },
  ])("q8 and q4 tiles, $T x $K x $N", (shape) => {
    const { T, K, N } = shape;
    const x = some(T * K);
    x.fill(0, 0, 32);
    for (const bits of [8, 4] as const) {
      const bound = bits === 8 ? 127 : 7;
      const matrix: QuantizedMatrix = {
        rows: N,
        columns: K,
        // The extremes in front: -128 (or -8) and the largest.
        quants: Int8Array.from({ length: N * K }, (_, i) =>
          i === 0 ? -bound - 1 : i === 1 ? bound : Math.floor(next() * (2 * bound + 2)) - bound - 1,
        ),
        scales: Uint16Array.from({ length: (N * K) / 32 }, () => f32ToF16(next() * 0.01 - 0.002)),
      };
      const packed = bits === 8 ? packQ8Tiles(matrix) : packQ4Tiles(matrix);
      const places = new Places();
      const source = places.take(bytesOf(x));
      const w = places.take(packed);
      const quants = places.take(T * K * 2);
      const scales = places.take((T * K) / 8);
      const starts = places.take((T * K) / 8);
      const y = places.take((T * N + 1) * 4);
      const hasWords = bits === 8 && !target.includes("quads");
      const activations = hasWords ? [quants, scales] : [quants, scales, starts];
      run[`quantize_q${bits}`]!(source, ...activations, K, 0, T);
      const q = hasWords ? new Int16Array(memory.buffer, quants, T * K) : new Int8Array(memory.buffer, quants, T * K);
      const d = floats(scales, (T * K) / 32);
      x.forEach((value, i) => {
        const largest = Math.max(...x.subarray(i - (i % 32), i - (i % 32) + 32).map(Math.abs));
        expect(Math.abs(q[i]! * d[i >> 5]! - value)).toBeLessThanOrEqual((largest / 254) * (1 + 2 ** -20));
      });
      const left = (t: number, k: number): number => q[t * K + k]! * d[(t * K + k) >> 5]!;
      const right = (n: number, k: number): number =>
        matrix.quants[n * K + k]! * f16ToF32(matrix.scales[(n * K + k) >> 5]!);
      for (const name of bits === 8
        ? ["q8_1", "q8_2", "q8_3", "q8_4_tiles", "q8_unpacked"]
        : ["q4_1", "q4_2", "q4_unpacked", "q4_2_tiles"]) {
        new Float32Array(memory.buffer, y, T * N + 1).fill(guard);
        const tiles = Number(/(\d)_tiles/.exec(name)?.[1] ?? 1);
        run[name]!(w, ...activations, y, T, K, N, 0, Math.ceil(N / (16 * tiles)));
        const found = floats(y, T * N + 1);
        // Integers are exact; the scales are multiplied, the product is scaled, and K / 32 blocks are added.
        expectProduct(found, shape, left, right, K / 32 + 3);
        expect(found[T * N]).toBe(guard);
      }
    }
  });
});
