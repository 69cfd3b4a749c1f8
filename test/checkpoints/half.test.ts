import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bf16ToF32,
  decodeBf16,
  decodeF16,
  encodeF16,
  f16ToF32,
  f32ToBf16,
  f32ToF16,
} from "../../compiler/checkpoints/half.js";

const { fround } = Math;
const anyF32 = fc.integer({ min: 0, max: 0xffffffff }).map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]!);

/** All finite values of a 16-bit format by bit pattern, for a search that knows nothing of the encoder. */
function finiteValues(decode: (half: number) => number): { value: number; half: number }[] {
  return Array.from({ length: 65536 }, (_, half) => ({ value: decode(half), half }))
    .filter(({ value, half }) => Number.isFinite(value) && half < 0x8000)
    .sort((a, b) => a.value - b.value);
}

/** Nearest value by bisection; a tie goes to the even bit pattern, and half a step beyond the largest is infinity. */
function nearest(values: { value: number; half: number }[], infinity: number, x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  let low = 0;
  let high = values.length - 1;
  if (magnitude > values[high]!.value) {
    const step = values[high]!.value - values[high - 1]!.value;
    return sign | (magnitude >= values[high]!.value + step / 2 ? infinity : values[high]!.half);
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle]!.value <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - values[low]!.value;
  const above = values[high]!.value - magnitude;
  const pick = below < above || (below === above && (values[low]!.half & 1) === 0) ? low : high;
  return sign | values[pick]!.half;
}

describe.each([
  { name: "f16", decode: f16ToF32, encode: f32ToF16, infinity: 0x7c00 },
  { name: "bf16", decode: bf16ToF32, encode: f32ToBf16, infinity: 0x7f80 },
])("$name", ({ decode, encode, infinity }) => {
  it("survives a round trip for every bit pattern", () => {
    const changed = Array.from({ length: 65536 }, (_, half) => half).filter((half) => {
      const value = decode(half);
      return Number.isNaN(value) ? !Number.isNaN(decode(encode(value))) : encode(value) !== half;
    });
    expect(changed).toEqual([]);
  });

  it("rounds every f32 to the nearest value, ties to even", () => {
    const values = finiteValues(decode);
    fc.assert(
      fc.property(fc.oneof(anyF32, fc.double({ min: -70000, max: 70000, noNaN: true }).map(fround)), (x) => {
        if (Number.isNaN(x)) expect(decode(encode(x))).toBeNaN();
        else expect(encode(x)).toBe(nearest(values, infinity, x));
      }),
      { numRuns: 3000 },
    );
  });

  it("rounds the middle between any two neighbours to the even one", () => {
    const values = finiteValues(decode);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: values.length - 2 }), (i) => {
        const middle = fround((values[i]!.value + values[i + 1]!.value) / 2);
        expect(encode(middle)).toBe(nearest(values, infinity, middle));
      }),
      { numRuns: 2000 },
    );
  });
});

it("has the known f16 landmarks", () => {
  expect(f16ToF32(0x3c00)).toBe(1);
  expect(f16ToF32(0x7bff)).toBe(65504);
  expect(f16ToF32(0x0001)).toBe(2 ** -24);
  expect(f32ToF16(65519)).toBe(0x7bff);
  expect(f32ToF16(65520)).toBe(0x7c00);
  expect(f32ToF16(2 ** -25)).toBe(0);
  expect(Object.is(f16ToF32(0x8000), -0)).toBe(true);
});

it("decodes and encodes arrays as single values", () => {
  const bytes = new Uint8Array(65536 * 2);
  for (let half = 0; half < 65536; half++) bytes.set([half & 0xff, half >> 8], 2 * half);
  const decoded = new Float32Array(65536);
  decodeF16(bytes, decoded);
  expect(decoded).toEqual(Float32Array.from({ length: 65536 }, (_, half) => f16ToF32(half)));
  const finite = decoded.filter((value) => !Number.isNaN(value));
  const encoded = new Uint8Array(finite.length * 2);
  encodeF16(finite, encoded);
  expect([...encoded.slice(0, 200)]).toEqual([...bytes.slice(0, 200)]);
  decodeBf16(bytes, decoded);
  expect(decoded).toEqual(Float32Array.from({ length: 65536 }, (_, half) => bf16ToF32(half)));
});
