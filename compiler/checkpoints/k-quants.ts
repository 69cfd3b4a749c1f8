/**
 * More of ggml's block formats, for reading. A byte holds two quants: the first half of a run of values in the low bits,
 * the second in the high ones; further bits lie apart.
 *
 * Blocks of 32 values:
 * - q4_1: 20 bytes, f16 `d`, f16 `m`, 16 bytes; value = d q + m.
 * - q5_0: 22 bytes, f16 `d`, 32 fifth bits, 16 bytes; value = d (q - 16).
 * - q5_1: 24 bytes, f16 `d`, f16 `m`, 32 fifth bits, 16 bytes; value = d q + m.
 *
 * Blocks of 256 values, in runs with small integer scales of their own:
 * - q4_K: 144 bytes, f16 `d`, f16 `n`, eight scales `s` and minima `t` of 6 bits in 12 bytes, 128 bytes;
 *   value = d s q - n t, a scale for each 32.
 * - q5_K: 176 bytes, the same with 256 fifth bits before the 128 bytes.
 * - q6_K: 210 bytes, 128 bytes of low halves, 64 bytes of fifth and sixth bits, 16 signed scales `s`, f16 `d`;
 *   value = d s (q - 32), a scale for each 16.
 */
import { f16ToF32 } from "./half.js";

/** Values in a block of 256. */
export const SUPERBLOCK_VALUES = 256;

const half = (bytes: Uint8Array, at: number): number => f16ToF32(bytes[at]! | (bytes[at + 1]! << 8));

/** Low four bits of 32 values from 16 bytes. */
function pairs(bytes: Uint8Array, at: number, put: (i: number, quant: number) => void): void {
  for (let i = 0; i < 16; i++) {
    put(i, bytes[at + i]! & 15);
    put(i + 16, bytes[at + i]! >>> 4);
  }
}

export function decodeQ4Min(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += 32, at += 20) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    pairs(bytes, at + 4, (i, quant) => {
      out[start + i] = d * quant + m;
    });
  }
}

/** The fifth bit of value `i` of a block, times 16. */
const fifth = (bytes: Uint8Array, at: number, i: number): number => ((bytes[at + (i >> 3)]! >> (i & 7)) & 1) << 4;

export function decodeQ5(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += 32, at += 22) {
    const d = half(bytes, at);
    pairs(bytes, at + 6, (i, quant) => {
      out[start + i] = d * ((quant | fifth(bytes, at + 2, i)) - 16);
    });
  }
}

export function decodeQ5Min(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += 32, at += 24) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    pairs(bytes, at + 8, (i, quant) => {
      out[start + i] = d * (quant | fifth(bytes, at + 4, i)) + m;
    });
  }
}

/**
 * Scale and minimum of run `run` of eight. The first four of each are the low six bits of bytes 0..3 and 4..7; the others
 * have their low four bits in bytes 8..11 and their upper two in the bits that the first left free.
 */
function scaleAndMinimum(bytes: Uint8Array, at: number, run: number): readonly [number, number] {
  if (run < 4) return [bytes[at + run]! & 63, bytes[at + 4 + run]! & 63];
  const low = bytes[at + 4 + run]!;
  return [(low & 15) | ((bytes[at + run - 4]! >> 6) << 4), (low >> 4) | ((bytes[at + run]! >> 6) << 4)];
}

/** q4_K, and q5_K when 32 bytes of fifth bits come before the quants. */
function decodeRuns(bytes: Uint8Array, out: Float32Array, blockBytes: number): void {
  const bits = blockBytes === 176;
  for (let start = 0, at = 0; start < out.length; start += SUPERBLOCK_VALUES, at += blockBytes) {
    const [d, n] = [half(bytes, at), half(bytes, at + 2)];
    const quants = at + blockBytes - 128;
    for (let run = 0; run < 8; run++) {
      const [s, t] = scaleAndMinimum(bytes, at + 4, run);
      const [scale, minimum] = [d * s, n * t];
      const shift = (run & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const low = (bytes[quants + (run >> 1) * 32 + i]! >> shift) & 15;
        const high = bits ? ((bytes[at + 16 + i]! >> run) & 1) << 4 : 0;
        out[start + run * 32 + i] = scale * (low | high) - minimum;
      }
    }
  }
}

export const decodeQ4K = (bytes: Uint8Array, out: Float32Array): void => decodeRuns(bytes, out, 144);
export const decodeQ5K = (bytes: Uint8Array, out: Float32Array): void => decodeRuns(bytes, out, 176);

export function decodeQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let start = 0, at = 0; start < out.length; start += SUPERBLOCK_VALUES, at += 210) {
    const d = half(bytes, at + 208);
    for (let i = 0; i < SUPERBLOCK_VALUES; i++) {
      // Two halves of 128; in each four quarters of 32 share bytes: the quarter decides which bits.
      const [part, quarter, j] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (bytes[at + part * 64 + (quarter & 1) * 32 + j]! >> ((quarter >> 1) * 4)) & 15;
      const high = (bytes[at + 128 + part * 32 + j]! >> (quarter * 2)) & 3;
      const scale = (bytes[at + 192 + (i >> 4)]! << 24) >> 24;
      out[start + i] = d * scale * ((low | (high << 4)) - 32);
    }
  }
}
