/** Kernels that make blocks of stored numbers: byte for byte what the plain conversion gives. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRequantizable, requantizeKernel } from "../../compiler/4-schedule/requantize/kernel.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { asBlocks } from "../../compiler/checkpoints/reblock.js";
import { STORAGE, STORAGE_TYPES } from "../../compiler/checkpoints/storage.js";
import { f32ToF16 } from "../../compiler/checkpoints/half.js";
import type { StorageType } from "../../compiler/checkpoints/types.js";
import { wasmSimd } from "../../compiler/targets/index.js";
import { kernelBlocks } from "../../cli/block-kernels.js";
import { instantiate } from "../emit/wasm-host.js";
import { numbers } from "./compare.js";

const types = STORAGE_TYPES.filter(isRequantizable);
const targets = ["q8_0", "q4_0"] as const;
/** Where the f16 scales of a block lie; their exponents decide whether the numbers are ones that can be quantized. */
const scalesAt: Partial<Record<StorageType, readonly number[]>> = {
  q4_1: [0, 2],
  q5_1: [0, 2],
  q4_K: [0, 2],
  q5_K: [0, 2],
  q6_K: [208],
};

/** Any bits, with scales of any sign from none at all to 2. */
function blocksOf(type: StorageType, count: number, seed: number): Uint8Array {
  const { blockBytes, blockValues, encode } = STORAGE[type];
  if (blockValues === 1) {
    const values = Float32Array.from(numbers(seed, count * 32), (x, i) => edge(x, (seed + i) % 61));
    // All of one block zero.
    values.fill(seed % 2 === 0 ? 0 : -0, 32, 64);
    const out = new Uint8Array(values.length * blockBytes);
    encode!(values, out);
    return out;
  }
  const out = Uint8Array.from(numbers(seed, count * blockBytes), (x) => (x + 1) * 128);
  const scales = numbers(seed + 1, count * 2).map((x, i) => f32ToF16(i % 7 === 3 ? 0 : x * 2 ** -((i * 5) % 23)));
  for (let block = 0; block < count; block++) {
    for (const [i, at] of scalesAt[type]!.entries()) {
      new DataView(out.buffer).setUint16(block * blockBytes + at, scales[2 * block + i]!, true);
    }
  }
  return out;
}

/** Numbers whose rounding is not the usual one: ties, equals of both signs, very small ones. */
function edge(x: number, which: number): number {
  switch (which) {
    case 0:
      return 1;
    case 1:
      return -1;
    case 2:
      return 0.5 / 127;
    case 3:
      return -1.5 / 127;
    case 4:
      return 2 ** -149;
    case 5:
      return 63.5 / 127;
    default:
      return x;
  }
}

describe.each(targets)("blocks of %s", (to) => {
  const kernels = types.map((from) => requantizeKernel(from, to));
  const memory = new WebAssembly.Memory({ initial: 16 });
  const run = instantiate(kernels, wasmSimd, memory);

  it("are made by kernels that verify", () => expect(verifyKernels(kernels)).toEqual([]));

  it.each(types)("from %s are those of the plain conversion", (from) => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(1e6), (count, seed) => {
        const stored = blocksOf(from, count, seed);
        const expected = asBlocks(from, stored, to);
        const view = new Uint8Array(memory.buffer);
        view.fill(0, 1024, 4096);
        view.set(stored, 4096);
        view.fill(0xaa, 131072, 131072 + expected.length + 64);
        run[`${from}_to_${to}`]!(4096, 131072, 1024, 0, count);
        expect(view.slice(131072, 131072 + expected.length)).toEqual(expected);
        expect(view.slice(131072 + expected.length, 131072 + expected.length + 64)).toEqual(
          new Uint8Array(64).fill(0xaa),
        );
      }),
      { numRuns: 20, seed: 2026 },
    );
  });
});

describe("whole tensors", () => {
  it("are converted piece by piece, the few first ones plainly", () => {
    const convert = kernelBlocks();
    const stored = blocksOf("q4_K", 9000, 5);
    const expected = Buffer.from(asBlocks("q4_K", stored, "q8_0"));
    for (let call = 0; call < 3; call++) {
      expect(Buffer.from(convert("q4_K", stored, "q8_0")).equals(expected), `call ${call}`).toBe(true);
    }
  });

  it("that cannot be quantized are refused with the place", () => {
    const convert = kernelBlocks();
    const values = new Float32Array(2 ** 21 + 64).fill(1);
    values[values.length - 3] = NaN;
    const bytes = new Uint8Array(values.buffer);
    expect(() => convert("f32", bytes, "q8_0")).toThrow(expect.objectContaining({ code: "MOE5118" }) as Error);
    values[values.length - 3] = 1e9;
    expect(() => convert("f32", bytes, "q4_0")).toThrow(expect.objectContaining({ code: "MOE5118" }) as Error);
  });
});
