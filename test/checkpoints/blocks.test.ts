import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { f16ToF32, f32ToF16 } from "../../compiler/checkpoints/half.js";
import { fromF32, toF32 } from "../../compiler/checkpoints/storage.js";
import { codeOf } from "./coded.js";

const { fround } = Math;
const block = fc
  .tuple(
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 32, maxLength: 32 }),
    fc.double({ min: -12, max: 12, noNaN: true }),
  )
  .map(([values, exponent]) => Float32Array.from(values, (value) => fround(value * 2 ** exponent)));

const scaleOf = (bytes: Uint8Array): number => f16ToF32(bytes[0]! | (bytes[1]! << 8));

describe("q8_0", () => {
  it("has 34 bytes for 32 values: an f16 scale, then the quants", () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => i - 16);
    const bytes = fromF32("q8_0", values);
    expect(bytes.length).toBe(34);
    expect(scaleOf(bytes)).toBe(f16ToF32(f32ToF16(16 / 127)));
    const expected = [...values].map((value) => Math.sign(value) * Math.floor(Math.abs(value * 127) / 16 + 0.5) + 0);
    expect([...new Int8Array(bytes.buffer, 2)]).toEqual(expected);
  });

  it("rounds halves away from zero", () => {
    const values = new Float32Array(32);
    values.set([127, 0.5, -0.5, 1.5, -1.5, 0.49]);
    expect([...new Int8Array(fromF32("q8_0", values).buffer, 2, 6)]).toEqual([127, 1, -1, 2, -2, 0]);
  });

  it("is at most half a step and the error of the f16 scale away", () => {
    fc.assert(
      fc.property(block, (values) => {
        const bytes = fromF32("q8_0", values);
        const back = toF32("q8_0", bytes);
        const exact = Math.max(...values.map(Math.abs)) / 127;
        const scaleError = 127 * Math.abs(scaleOf(bytes) - exact);
        values.forEach((value, i) => {
          expect(Math.abs(value - back[i]!)).toBeLessThanOrEqual(exact * 0.5001 + scaleError);
        });
      }),
    );
  });

  it("does not change when its own output is quantized again", () => {
    fc.assert(
      fc.property(block, (values) => {
        const once = fromF32("q8_0", values);
        // The block's largest quant is +-127, so the scale is found again, up to the rounding of its f16.
        const twice = fromF32("q8_0", toF32("q8_0", once));
        const positive = (bytes: Uint8Array): number[] => [...toF32("q8_0", bytes)].map((value) => value + 0);
        expect(positive(twice)).toEqual(positive(once));
      }),
    );
  });
});

describe("q4_0", () => {
  it("puts the first 16 values in the low halves, the last 16 in the high halves", () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? -8 + (i % 16) : 7 - (i % 16)));
    const bytes = fromF32("q4_0", values);
    expect(bytes.length).toBe(18);
    expect(scaleOf(bytes)).toBe(1);
    for (let i = 0; i < 16; i++) {
      expect(bytes[2 + i]! & 15).toBe(i);
      expect(bytes[2 + i]! >> 4).toBe(15 - i);
    }
    expect(toF32("q4_0", bytes)).toEqual(values);
  });

  it("takes the sign of the scale from the largest value", () => {
    const values = new Float32Array(32).fill(0.25);
    values[3] = 8;
    const bytes = fromF32("q4_0", values);
    expect(scaleOf(bytes)).toBe(-1);
    expect(toF32("q4_0", bytes)[3]).toBe(8);
  });

  it("is at most one step and the error of the f16 scale away", () => {
    fc.assert(
      fc.property(block, (values) => {
        const bytes = fromF32("q4_0", values);
        const back = toF32("q4_0", bytes);
        const exact = Math.max(...values.map(Math.abs)) / 8;
        const scaleError = 8 * Math.abs(Math.abs(scaleOf(bytes)) - exact);
        values.forEach((value, i) => {
          // One step, not half: the end of the range opposite to the largest value is clipped from 8 to 7 steps.
          expect(Math.abs(value - back[i]!)).toBeLessThanOrEqual(exact * 1.0001 + scaleError);
        });
      }),
    );
  });
});

describe.each(["q8_0", "q4_0"] as const)("%s, hard values", (type) => {
  it("keeps zeros and turns values below the f16 range to zero", () => {
    expect(toF32(type, fromF32(type, new Float32Array(64))).every((value) => value === 0)).toBe(true);
    const tiny = new Float32Array(32).fill(1e-44);
    expect(toF32(type, fromF32(type, tiny)).every((value) => value === 0)).toBe(true);
  });

  it("refuses what would spoil a block", () => {
    for (const bad of [NaN, Infinity, -Infinity, 3e38]) {
      const values = new Float32Array(32);
      values[7] = bad;
      expect(codeOf(() => fromF32(type, values))).toBe("MOE5118");
    }
    expect(codeOf(() => fromF32(type, new Float32Array(33)))).toBe("MOE5111");
  });
});
