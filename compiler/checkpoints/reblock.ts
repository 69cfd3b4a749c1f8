/**
 * Stored tensors as blocks of q8_0 or q4_0. Blocks of the wanted format stay as they are. q4_0 and q5_0 become q8_0
 * without loss, as the three have one formula, scale times quant, and 8 bits hold all their quants. Everything else is
 * decoded and quantized, a piece at a time.
 */
import { BLOCK_VALUES } from "./blocks.js";
import { SUPERBLOCK_VALUES } from "./k-quants.js";
import { STORAGE } from "./storage.js";
import type { StorageType } from "./types.js";

/** Values that are decoded at once: they stay in the cache. */
const PIECE = 64 * SUPERBLOCK_VALUES;

/**
 * @param bytes Whole blocks of `type`, and a multiple of 32 values.
 * @throws MoecError MOE5118 when a value cannot be quantized.
 */
export function asBlocks(type: StorageType, bytes: Uint8Array, wanted: "q8_0" | "q4_0"): Uint8Array {
  if (type === wanted) return bytes;
  const { blockValues, blockBytes, decode } = STORAGE[type];
  const count = (bytes.length / blockBytes) * blockValues;
  const to = STORAGE[wanted];
  const out = new Uint8Array((count / BLOCK_VALUES) * to.blockBytes);
  if (wanted === "q8_0" && type === "q4_0") widenQ4(bytes, out);
  else if (wanted === "q8_0" && type === "q5_0") widenQ5(bytes, out);
  else {
    const values = new Float32Array(Math.min(PIECE, count));
    for (let from = 0; from < count; from += PIECE) {
      const piece = values.subarray(0, Math.min(PIECE, count - from));
      const start = (from / blockValues) * blockBytes;
      decode(bytes.subarray(start, start + (piece.length / blockValues) * blockBytes), piece);
      to.encode!(piece, out.subarray((from / BLOCK_VALUES) * to.blockBytes));
    }
  }
  return out;
}

function widenQ4(bytes: Uint8Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < bytes.length; from += 18, to += 34) {
    out[to] = bytes[from]!;
    out[to + 1] = bytes[from + 1]!;
    for (let i = 2; i < 18; i++) {
      const pair = bytes[from + i]!;
      out[to + i] = (pair & 15) - 8;
      out[to + 16 + i] = (pair >> 4) - 8;
    }
  }
}

function widenQ5(bytes: Uint8Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < bytes.length; from += 22, to += 34) {
    out[to] = bytes[from]!;
    out[to + 1] = bytes[from + 1]!;
    const low = bytes[from + 2]! | (bytes[from + 3]! << 8);
    const high = bytes[from + 4]! | (bytes[from + 5]! << 8);
    for (let i = 0; i < 16; i++) {
      const pair = bytes[from + 6 + i]!;
      out[to + 2 + i] = (pair & 15) + (((low >> i) & 1) << 4) - 16;
      out[to + 18 + i] = (pair >> 4) + (((high >> i) & 1) << 4) - 16;
    }
  }
}
