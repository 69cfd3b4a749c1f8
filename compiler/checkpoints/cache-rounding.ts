/** What caches make of the rows that they are given, for the reference: the numbers that kernels read back. */
import { BLOCK_VALUES } from "./blocks.js";
import { f16ToF32, f32ToF16, roundingTo } from "./half.js";

const { fround } = Math;

/** Added to a small f32, it leaves a whole number, half to even. */
const ROUNDING_SHIFT = 12582912;

/**
 * Blocks of 32 as kernels write them, every step rounded to f32: the scale is max|x| / 127 as f16, quants are
 * x * (127 / max|x|), half to even. (Weights are rounded as llama.cpp rounds them, half away from zero.)
 */
function throughBlocks(rows: Float64Array): Float64Array {
  const read = new Float64Array(rows.length);
  for (let start = 0; start < rows.length; start += BLOCK_VALUES) {
    const block = Float32Array.from(rows.subarray(start, start + BLOCK_VALUES));
    const bound = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const inverse = bound > 0 ? fround(127 / bound) : 0;
    const scale = f16ToF32(f32ToF16(fround(bound / 127)));
    for (const [i, x] of block.entries()) {
      const quant = fround(fround(fround(x * inverse) + ROUNDING_SHIFT) - ROUNDING_SHIFT);
      // Where 127 / max|x| is infinite, the scale is 0.
      read[start + i] = scale === 0 ? 0 : scale * quant;
    }
  }
  return read;
}

/** Rows, with axes last one fastest, as a cache of this format gives them back; undefined where it changes nothing. */
export function cacheRounding(
  format: "f32" | "f16" | "bf16" | "q8_0",
): ((rows: Float64Array) => Float64Array) | undefined {
  if (format === "q8_0") return throughBlocks;
  const round = roundingTo(format);
  return round && ((rows) => rows.map(round));
}
