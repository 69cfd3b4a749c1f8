/**
 * ggml's two simplest block formats, byte for byte and rounding for rounding, so that a file written here is the file
 * that llama.cpp's own quantizer writes from the same values.
 *
 * Both hold 32 values along the innermost axis and begin with a little-endian f16 scale `d`:
 * - q8_0: 34 bytes, `d` then 32 signed bytes; value = d * q.
 * - q4_0: 18 bytes, `d` then 16 bytes; byte j holds value j in its low and value j + 16 in its high half;
 *   value = d * (q - 8).
 *
 * All arithmetic is f32 (`Math.fround`), because the rounding of the quotients decides single quants.
 */
import { notQuantizable } from "./errors.js";
import { f16ToF32, f16Values, f32ToF16 } from "./half.js";

/** Values in a block of either format. */
export const BLOCK_VALUES = 32;
const Q8_BYTES = 34;
const Q4_BYTES = 18;
const { fround } = Math;

function writeScale(out: Uint8Array, at: number, scale: number): void {
  const half = f32ToF16(scale);
  out[at] = half & 0xff;
  out[at + 1] = half >>> 8;
}

/** Bits of infinity. */
const INFINITE = 0x7f800000;

/**
 * Bits of the largest magnitude in a block; bits of magnitudes are ordered as the magnitudes are, with NaN above all.
 *
 * @throws MoecError MOE5118 for NaN and infinities.
 */
function largestBits(bits: Int32Array, values: Float32Array, start: number): number {
  let largest = 0;
  for (let i = start; i < start + BLOCK_VALUES; i++) largest = Math.max(largest, bits[i]! & 0x7fffffff);
  if (largest < INFINITE) return largest;
  const index = values.subarray(start, start + BLOCK_VALUES).findIndex((value) => !Number.isFinite(value));
  throw notQuantizable(start + index, values[start + index]!);
}

/** The value of largest magnitude in a block, with its sign; the first one wins among equals. */
function extreme(bits: Int32Array, values: Float32Array, start: number): number {
  const largest = largestBits(bits, values, start);
  let i = start;
  while ((bits[i]! & 0x7fffffff) !== largest) i++;
  return values[i]!;
}

const bitsOf = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

/** A scale whose f16 is infinite would turn every zero of the block into NaN. */
function checkScale(scale: number, index: number, value: number): number {
  if (!Number.isFinite(f16ToF32(f32ToF16(scale)))) throw notQuantizable(index, value);
  return scale;
}

/**
 * Quantize to q8_0.
 *
 * @param values length a multiple of 32
 * @param out 34 bytes for each 32 values
 * @throws MoecError MOE5118 for NaN, infinities and values too large for an f16 scale.
 */
export function encodeQ8(values: Float32Array, out: Uint8Array): void {
  const bits = bitsOf(values);
  for (let start = 0, at = 0; start < values.length; start += BLOCK_VALUES, at += Q8_BYTES) {
    const largest = Math.abs(extreme(bits, values, start));
    const scale = checkScale(fround(largest / 127), start, largest);
    // Infinite for some subnormal scales; ggml's cast of what follows is undefined, here it is cut off at 127.
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    writeScale(out, at, scale);
    for (let i = 0; i < BLOCK_VALUES; i++) {
      // C's roundf, half away from zero: of the magnitude, as doubles hold the sum exactly; then the sign.
      const rounded = Math.min(127, Math.abs(fround(values[start + i]! * inverse)) + 0.5) | 0;
      const sign = bits[start + i]! >> 31;
      out[at + 2 + i] = (rounded ^ sign) - sign;
    }
  }
}

/** Dequantize q8_0; `out` has 32 values for each 34 bytes. */
export function decodeQ8(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += BLOCK_VALUES, at += Q8_BYTES) {
    const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < BLOCK_VALUES; i++) out[start + i] = scale * ((bytes[at + 2 + i]! << 24) >> 24);
  }
}

/**
 * Quantize to q4_0.
 *
 * @param values length a multiple of 32
 * @param out 18 bytes for each 32 values
 * @throws MoecError MOE5118 for NaN, infinities and values too large for an f16 scale.
 */
export function encodeQ4(values: Float32Array, out: Uint8Array): void {
  const bits = bitsOf(values);
  for (let start = 0, at = 0; start < values.length; start += BLOCK_VALUES, at += Q4_BYTES) {
    const largest = extreme(bits, values, start);
    // The extreme value becomes quant 0, that is -8: the range -8..7 has one more step on the negative side.
    const scale = checkScale(fround(largest / -8), start, largest);
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    writeScale(out, at, scale);
    for (let i = 0; i < 16; i++) {
      const low = quantizeQ4(values[start + i]!, inverse);
      const high = quantizeQ4(values[start + 16 + i]!, inverse);
      out[at + 2 + i] = low | (high << 4);
    }
  }
}

function quantizeQ4(value: number, inverse: number): number {
  const shifted = fround(fround(value * inverse) + 8.5);
  // Not below 0 (NaN counts as 0: zero times an infinite inverse), and its fraction is cut off.
  return shifted >= 16 ? 15 : shifted > 0 ? shifted | 0 : 0;
}

/** Dequantize q4_0; `out` has 32 values for each 18 bytes. */
export function decodeQ4(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += BLOCK_VALUES, at += Q4_BYTES) {
    const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i]!;
      out[start + i] = scale * ((pair & 15) - 8);
      out[start + 16 + i] = scale * ((pair >>> 4) - 8);
    }
  }
}
