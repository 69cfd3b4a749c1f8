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
import { f16ToF32, f32ToF16 } from "./half.js";

/** Values in a block of either format. */
export const BLOCK_VALUES = 32;
const Q8_BYTES = 34;
const Q4_BYTES = 18;
const { fround } = Math;

/** C's roundf: half away from zero. `Math.round` takes halves up, so it is applied to the magnitude. */
function roundAway(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}

function writeScale(out: Uint8Array, at: number, scale: number): void {
  const half = f32ToF16(scale);
  out[at] = half & 0xff;
  out[at + 1] = half >>> 8;
}

function readScale(bytes: Uint8Array, at: number): number {
  return f16ToF32(bytes[at]! | (bytes[at + 1]! << 8));
}

/** The value of largest magnitude in a block, with its sign; the first one wins among equals. */
function extreme(values: Float32Array, start: number): number {
  let best = 0;
  for (let i = start; i < start + BLOCK_VALUES; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) throw notQuantizable(i, value);
    if (Math.abs(value) > Math.abs(best)) best = value;
  }
  return best;
}

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
  for (let start = 0, at = 0; start < values.length; start += BLOCK_VALUES, at += Q8_BYTES) {
    const largest = extreme(values, start);
    const scale = checkScale(fround(Math.abs(largest) / 127), start, largest);
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    writeScale(out, at, scale);
    for (let i = 0; i < BLOCK_VALUES; i++) {
      // Clamped because 1/scale of a subnormal scale is infinite; ggml's cast of that is undefined.
      const quant = roundAway(fround(values[start + i]! * inverse));
      out[at + 2 + i] = Math.max(-127, Math.min(127, quant));
    }
  }
}

/** Dequantize q8_0; `out` has 32 values for each 34 bytes. */
export function decodeQ8(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += BLOCK_VALUES, at += Q8_BYTES) {
    const scale = readScale(bytes, at);
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
  for (let start = 0, at = 0; start < values.length; start += BLOCK_VALUES, at += Q4_BYTES) {
    const largest = extreme(values, start);
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
  return Math.max(0, Math.min(15, Math.trunc(shifted) || 0));
}

/** Dequantize q4_0; `out` has 32 values for each 18 bytes. */
export function decodeQ4(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += BLOCK_VALUES, at += Q4_BYTES) {
    const scale = readScale(bytes, at);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 2 + i]!;
      out[start + i] = scale * ((pair & 15) - 8);
      out[start + 16 + i] = scale * ((pair >>> 4) - 8);
    }
  }
}
