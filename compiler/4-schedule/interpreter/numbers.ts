/**
 * Arithmetic that JavaScript has no operator for, as the translated kernels call it. f32 values are JavaScript numbers
 * that are exact f32; i32, i16 and i8 lanes are numbers in their range; bool lanes are booleans.
 */
import { f16ToF32, f32ToBf16, f32ToF16 } from "../../checkpoints/half.js";

const bytes = new ArrayBuffer(16);
const f32 = new Float32Array(bytes);
const i32 = new Int32Array(bytes);
const i16 = new Int16Array(bytes);
const i8 = new Int8Array(bytes);
const views = { f32, i32, i16, i8 } as const;

/** Value of every f16 bit pattern. */
const f16 = Float32Array.from({ length: 65536 }, (_, half) => f16ToF32(half));

/** What the source of a translated kernel sees as `n`. */
export const numbers = {
  f16,
  toF16: f32ToF16,
  toBf16: f32ToBf16,

  /** Value of a bf16 bit pattern. */
  bf16(half: number): number {
    i32[0] = half << 16;
    return f32[0]!;
  },

  /** To the nearest whole number, halves to even. */
  round(value: number): number {
    const nearest = Math.round(value);
    return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
  },

  /** f32 to i32: toward zero, saturating, NaN to 0. */
  toI32(value: number): number {
    if (value >= 2147483648) return 2147483647;
    return value <= -2147483648 ? -2147483648 : value | 0;
  },

  floatBits(value: number): number {
    f32[0] = value;
    return i32[0]!;
  },

  bitsFloat(bits: number): number {
    i32[0] = bits;
    return f32[0]!;
  },

  /** Lane `lane` of the vector whose lanes of another width hold the bits (at most 128 of them). */
  lane(from: keyof typeof views, to: keyof typeof views, lane: number, ...lanes: readonly number[]): number {
    const view = views[from];
    for (let i = 0; i < lanes.length; i++) view[i] = lanes[i]!;
    return views[to][lane]!;
  },
};

export type Numbers = typeof numbers;
