/**
 * Records of native targets for ggml's finer formats, beside those of `wide-layouts.ts`. A record has 16 rows and one
 * super-block of 256 columns (q4_K, q5_K, q6_K, and any_K for all of them) or two blocks of 32 (q4_1, q5_0, q5_1). Nothing that a file says is
 * rounded; scales and minima of 6 bits take a byte each.
 *
 * A record begins with what its numbers are scaled by, for 16 rows side by side:
 * - super-blocks: 16 f16 `d`; 16 f16 `n` (nothing without minima); from byte 64 on for each run of 32 columns 16 small
 *   scales (two times 16 in q6_K and any_K, one for each half of the run), then for each run 16 small minima.
 * - blocks: for each of the two 16 f16 scales, then for each 16 f16 minima.
 *
 * Then come the quants, run by run. As in the records of q4_0, four groups of 64 bytes hold words of 4 columns: group c
 * has columns 8c..8c+3 in the low half of each byte and 8c+4..8c+7 in the high one, 16 rows side by side. Behind them lie
 * the higher bits of the run: with one, bit j of a byte belongs to word j; with two, bits 2i and 2i + 1 of the first
 * group of 64 bytes to word i, those of the second to word i + 4.
 */
import type { KRecords } from "../../2-graph/ir.js";
import { blockElements } from "./layouts.js";

export type { KRecords };

export interface KFormat {
  /** Columns of a record. */
  readonly columns: 64 | 256;
  /** Bits of a quant beyond four. */
  readonly highBits: 0 | 1 | 2;
  /** What is taken off a quant. */
  readonly offset: 0 | 16 | 32;
  /** Scales of a run. */
  readonly scales: 1 | 2;
  /** What is added to a scaled quant: minima times this; 0 without minima. */
  readonly minimumSign: -1 | 0 | 1;
}

export const kFormats: Readonly<Record<KRecords, KFormat>> = {
  q4_1: { columns: 64, highBits: 0, offset: 0, scales: 1, minimumSign: 1 },
  q5_0: { columns: 64, highBits: 1, offset: 16, scales: 1, minimumSign: 0 },
  q5_1: { columns: 64, highBits: 1, offset: 0, scales: 1, minimumSign: 1 },
  q4_K: { columns: 256, highBits: 0, offset: 0, scales: 1, minimumSign: -1 },
  q5_K: { columns: 256, highBits: 1, offset: 0, scales: 1, minimumSign: -1 },
  q6_K: { columns: 256, highBits: 2, offset: 32, scales: 2, minimumSign: 0 },
  // Quants of q4_K and q5_K are 32 more, so that all have one offset.
  any_K: { columns: 256, highBits: 2, offset: 32, scales: 2, minimumSign: -1 },
};

export const isK = (storage: string): storage is KRecords => Object.hasOwn(kFormats, storage);

/** Columns of a run: those whose quants lie together. */
export const runColumns = blockElements;
/** Whether scales and minima are small numbers with a common factor. */
export const hasSuperblocks = ({ columns }: KFormat): boolean => columns === 256;
/** Runs of a record. */
export const runCount = ({ columns }: KFormat): number => columns / runColumns;

/** Byte of a super-block's `n`. */
export const minimumFactorAt = 32;

/** Byte of the 16 scales of a half or whole run. */
export function scaleAt(format: KFormat, run: number, part = 0): number {
  return hasSuperblocks(format) ? 64 + 16 * (run * format.scales + part) : 32 * run;
}

/** Byte of the 16 minima of a run. */
export function minimumAt(format: KFormat, run: number): number {
  return hasSuperblocks(format) ? 64 + 16 * (runCount(format) * format.scales + run) : 64 + 32 * run;
}

/** Byte of the quants of the first run. */
export const quantsStart = (format: KFormat): number => {
  const end = minimumAt(format, 0) + (minimumAt(format, 1) - minimumAt(format, 0)) * runCount(format);
  return format.minimumSign === 0 ? minimumAt(format, 0) : end;
};

/** Byte, in the quants of a run, of the higher bits. */
export const highBitsAt = 256;

/** Bytes of the quants of a run. */
export const runBytes = ({ highBits }: KFormat): number => highBitsAt + 64 * highBits;

export const kRecordBytes = (storage: KRecords): number => {
  const format = kFormats[storage];
  return quantsStart(format) + runCount(format) * runBytes(format);
};

/** Records of one tile of 16 rows. */
export const kRecordCount = (storage: KRecords, columns: number): number =>
  Math.ceil(columns / kFormats[storage].columns);
