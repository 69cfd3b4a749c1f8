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
import { f16Values } from "./half.js";

/** Values in a block of 256. */
export const SUPERBLOCK_VALUES = 256;

const half = (halves: Float32Array, bytes: Uint8Array, at: number): number =>
  halves[bytes[at]! | (bytes[at + 1]! << 8)]!;

export function decodeQ4Min(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += 32, at += 20) {
    const d = half(halves, bytes, at);
    const m = half(halves, bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 4 + i]!;
      out[start + i] = d * (pair & 15) + m;
      out[start + 16 + i] = d * (pair >> 4) + m;
    }
  }
}

export function decodeQ5(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += 32, at += 22) {
    const d = half(halves, bytes, at);
    const low = bytes[at + 2]! | (bytes[at + 3]! << 8);
    const high = bytes[at + 4]! | (bytes[at + 5]! << 8);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 6 + i]!;
      out[start + i] = d * (((pair & 15) | (((low >> i) & 1) << 4)) - 16);
      out[start + 16 + i] = d * (((pair >> 4) | (((high >> i) & 1) << 4)) - 16);
    }
  }
}

export function decodeQ5Min(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += 32, at += 24) {
    const d = half(halves, bytes, at);
    const m = half(halves, bytes, at + 2);
    const low = bytes[at + 4]! | (bytes[at + 5]! << 8);
    const high = bytes[at + 6]! | (bytes[at + 7]! << 8);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 8 + i]!;
      out[start + i] = d * ((pair & 15) | (((low >> i) & 1) << 4)) + m;
      out[start + 16 + i] = d * ((pair >> 4) | (((high >> i) & 1) << 4)) + m;
    }
  }
}

/**
 * Scale of run `run` of eight, from the twelve bytes at `at`. The first four are the low six bits of bytes 0..3; the
 * others have their low four bits in bytes 8..11 and their upper two in the bits that the first left free.
 */
export function scaleOf(bytes: Uint8Array, at: number, run: number): number {
  if (run < 4) return bytes[at + run]! & 63;
  return (bytes[at + 4 + run]! & 15) | ((bytes[at + run - 4]! >> 6) << 4);
}

/** Its minimum: the same with bytes 4..7 and the high halves of bytes 8..11. */
export function minimumOf(bytes: Uint8Array, at: number, run: number): number {
  if (run < 4) return bytes[at + 4 + run]! & 63;
  return (bytes[at + 4 + run]! >> 4) | ((bytes[at + run]! >> 6) << 4);
}

export function decodeQ4K(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += SUPERBLOCK_VALUES, at += 144) {
    const d = half(halves, bytes, at);
    const n = half(halves, bytes, at + 2);
    for (let run = 0; run < 8; run++) {
      const scale = d * scaleOf(bytes, at + 4, run);
      const minimum = n * minimumOf(bytes, at + 4, run);
      const quants = at + 16 + (run >> 1) * 32;
      const to = start + run * 32;
      const shift = (run & 1) * 4;
      for (let i = 0; i < 32; i++) out[to + i] = scale * ((bytes[quants + i]! >> shift) & 15) - minimum;
    }
  }
}

/** As q4_K, with 32 bytes of fifth bits before the quants: bit `run` of byte i is that of value i of the run. */
export function decodeQ5K(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += SUPERBLOCK_VALUES, at += 176) {
    const d = half(halves, bytes, at);
    const n = half(halves, bytes, at + 2);
    for (let run = 0; run < 8; run++) {
      const scale = d * scaleOf(bytes, at + 4, run);
      const minimum = n * minimumOf(bytes, at + 4, run);
      const quants = at + 48 + (run >> 1) * 32;
      const to = start + run * 32;
      const shift = (run & 1) * 4;
      for (let i = 0; i < 32; i++) {
        const quant = ((bytes[quants + i]! >> shift) & 15) | (((bytes[at + 16 + i]! >> run) & 1) << 4);
        out[to + i] = scale * quant - minimum;
      }
    }
  }
}

export function decodeQ6K(bytes: Uint8Array, out: Float32Array): void {
  const halves = f16Values();
  for (let start = 0, at = 0; start < out.length; start += SUPERBLOCK_VALUES, at += 210) {
    const d = half(halves, bytes, at + 208);
    // Runs of 16 with one scale. Two halves of 128; in each four quarters of 32 share bytes: the quarter decides which bits.
    for (let run = 0; run < 16; run++) {
      const part = run >> 3;
      const quarter = (run >> 1) & 3;
      const first = (run & 1) * 16;
      const low = at + part * 64 + (quarter & 1) * 32 + first;
      const high = at + 128 + part * 32 + first;
      const [lowShift, highShift] = [(quarter >> 1) * 4, quarter * 2];
      const scale = d * ((bytes[at + 192 + run]! << 24) >> 24);
      const to = start + run * 16;
      for (let i = 0; i < 16; i++) {
        const quant = ((bytes[low + i]! >> lowShift) & 15) | (((bytes[high + i]! >> highShift) & 3) << 4);
        out[to + i] = scale * (quant - 32);
      }
    }
  }
}
