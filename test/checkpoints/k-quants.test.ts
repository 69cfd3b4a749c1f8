/** Block formats that are only read: blocks are put together bit by bit from known quants, scales and minima. */
import { describe, expect, it } from "vitest";
import { f16ToF32, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { keptAs, STORAGE, STORAGE_TYPES, toF32, fromF32 } from "../../compiler/checkpoints/storage.js";
import { random } from "../kernels/memory.js";

/** Bits of a block by their number, least significant bit of byte 0 first. */
class Bits {
  readonly bytes: Uint8Array;
  constructor(count: number) {
    this.bytes = new Uint8Array(count);
  }
  /** `width` bits of a number from bit `at` on. */
  put(at: number, width: number, value: number): void {
    for (let i = 0; i < width; i++) {
      if ((value >> i) & 1) this.bytes[(at + i) >> 3]! |= 1 << ((at + i) & 7);
    }
  }
}

const next = random(11);
const below = (limit: number): number => Math.floor(next() * limit);
const halfBits = (): number => f32ToF16(next() * 2 - 1);
const several = (count: number, limit: number): number[] => Array.from({ length: count }, () => below(limit));

interface Made {
  readonly bytes: Uint8Array;
  readonly values: readonly number[];
}

/** q4_1, q5_0 and q5_1. */
function block32(bits: 4 | 5, minimum: boolean): Made {
  const quants = several(32, 2 ** bits);
  const [d, m] = [halfBits(), halfBits()];
  const head = minimum ? 32 : 16;
  const low = head + (bits === 5 ? 32 : 0);
  const block = new Bits((low + 128) / 8);
  block.put(0, 16, d);
  if (minimum) block.put(16, 16, m);
  quants.forEach((quant, i) => {
    block.put(low + (i % 16) * 8 + (i < 16 ? 0 : 4), 4, quant % 16);
    if (bits === 5) block.put(head + i, 1, quant >> 4);
  });
  const values = quants.map((quant) =>
    minimum ? f16ToF32(d) * quant + f16ToF32(m) : f16ToF32(d) * (quant - 2 ** (bits - 1)),
  );
  return { bytes: block.bytes, values };
}

/** q4_K and q5_K. */
function runs(bits: 4 | 5): Made {
  const quants = several(256, 2 ** bits);
  const [d, n, scales, minima] = [halfBits(), halfBits(), several(8, 64), several(8, 64)];
  const fifth = 128;
  const low = fifth + (bits === 5 ? 256 : 0);
  const block = new Bits((low + 1024) / 8);
  block.put(0, 16, d);
  block.put(16, 16, n);
  for (let run = 0; run < 4; run++) {
    block.put(32 + run * 8, 6, scales[run]!);
    block.put(64 + run * 8, 6, minima[run]!);
    block.put(96 + run * 8, 4, scales[run + 4]! % 16);
    block.put(100 + run * 8, 4, minima[run + 4]! % 16);
    block.put(32 + run * 8 + 6, 2, scales[run + 4]! >> 4);
    block.put(64 + run * 8 + 6, 2, minima[run + 4]! >> 4);
  }
  quants.forEach((quant, i) => {
    const run = Math.floor(i / 32);
    block.put(low + (Math.floor(run / 2) * 32 + (i % 32)) * 8 + (run % 2) * 4, 4, quant % 16);
    if (bits === 5) block.put(fifth + (i % 32) * 8 + run, 1, quant >> 4);
  });
  const values = quants.map((quant, i) => {
    const run = Math.floor(i / 32);
    return f16ToF32(d) * scales[run]! * quant - f16ToF32(n) * minima[run]!;
  });
  return { bytes: block.bytes, values };
}

function sixBits(): Made {
  const quants = several(256, 64);
  const scales = several(16, 256).map((scale) => scale - 128);
  const d = halfBits();
  const block = new Bits(210);
  quants.forEach((quant, i) => {
    const [part, within] = [Math.floor(i / 128), i % 128];
    // 64 bytes hold 128 low halves: values 0..63 low, 64..127 high. 32 bytes hold the upper two bits of all four quarters.
    block.put((part * 64 + (within % 64)) * 8 + (within < 64 ? 0 : 4), 4, quant % 16);
    block.put((128 + part * 32 + (within % 32)) * 8 + Math.floor(within / 32) * 2, 2, quant >> 4);
  });
  scales.forEach((scale, i) => block.put((192 + i) * 8, 8, scale & 255));
  block.put(208 * 8, 16, d);
  return {
    bytes: block.bytes,
    values: quants.map((quant, i) => f16ToF32(d) * scales[Math.floor(i / 16)]! * (quant - 32)),
  };
}

const makers = {
  q4_1: () => block32(4, true),
  q5_0: () => block32(5, false),
  q5_1: () => block32(5, true),
  q4_K: () => runs(4),
  q5_K: () => runs(5),
  q6_K: sixBits,
} as const;

describe.each(Object.keys(makers) as (keyof typeof makers)[])("%s", (type) => {
  it("gives the numbers of its formula", () => {
    const blocks = Array.from({ length: 20 }, makers[type]);
    const { blockBytes, blockValues } = STORAGE[type];
    expect(blocks[0]!.bytes.length).toBe(blockBytes);
    const all = new Uint8Array(20 * blockBytes);
    blocks.forEach(({ bytes }, i) => all.set(bytes, i * blockBytes));
    const found = toF32(type, all);
    blocks.forEach(({ values }, b) =>
      values.forEach((value, i) => {
        // One rounding to f32 of a number that doubles hold exactly or nearly so.
        expect(Math.abs(found[b * blockValues + i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -23);
      }),
    );
  });

  it("is kept within half a step of 8 bits", () => {
    const { values } = makers[type]();
    const kept = keptAs(type);
    expect(kept).toBe("q8_0");
    const back = toF32(kept, fromF32(kept, Float32Array.from(values)));
    values.forEach((value, i) => {
      const largest = Math.max(...values.slice(i - (i % 32), i - (i % 32) + 32).map(Math.abs));
      // Half a step, and the f16 scale is off by 2^-11 of itself.
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual((largest / 127) * (0.5 + 127 * 2 ** -11) + 2 ** -24 * 127);
    });
  });
});

it("every type is kept in one that can be written", () => {
  for (const type of STORAGE_TYPES) expect(STORAGE[keptAs(type)].encode).toBeDefined();
});
