/**
 * Layouts of native targets, and packers into them. A weight is a matrix of N rows (outputs) and K columns (contracted).
 *
 * - wide panels (f32, f16, bf16): [N / 32][K][32]: for each k the 32 outputs of a panel side by side.
 * - wide records (quantized): [N / 16][K / 64] records for 16 rows and 64 columns. A record begins with 16 f16 scales for
 *   each half of 32 columns; then come the quants of each half, in words of 4 bytes with 4 columns of one row, 16 rows
 *   side by side. One dot product of 64 bytes with a repeated word of activations so serves 16 rows, and no sum crosses
 *   lanes.
 *   - q8: 8 groups of 64 bytes a half: group j has columns 4j..4j+3, each plus 128.
 *   - q4: 4 groups of 64 bytes a half: group c has columns 8c..8c+3 in the low half of each byte and 8c+4..8c+7 in the
 *     high one, each plus 8.
 *
 * Rows and columns that fill up the last tile and the last record have scale 0.
 */
import { f32ToBf16, f32ToF16 } from "../../checkpoints/half.js";
import { blockElements, type QuantizedMatrix } from "./layouts.js";

/** Rows of a panel. */
export const panelRows = 32;
/** Rows of a record. */
export const recordRows = 16;
/** Columns of a record. */
export const recordColumns = 64;
/** Bytes of the scales at the start of a record. */
export const recordScaleBytes = 64;

export type WideQuants = "q8_0" | "q4_0";

/** Bytes of the quants of one half of a record. */
export const halfBytes: Readonly<Record<WideQuants, number>> = { q8_0: 512, q4_0: 256 };

/** Bytes of one record. */
export const wideRecordBytes = (format: WideQuants): number => recordScaleBytes + 2 * halfBytes[format];

/** Records of one tile of 16 rows. */
export const recordCount = (columns: number): number => Math.ceil(columns / recordColumns);

/** Columns of activations with one scale. */
export const groupColumns = 256;
/** Records of a group. */
export const groupRecords = groupColumns / recordColumns;

/**
 * One row of activations as integers, in groups of 256 columns: four records of 64 signed bytes and, for each of their
 * halves, -128 times the sum of the bytes (i32), where products with weights that are stored plus 128 start; then the
 * scale (f32) of the group. Groups are whole lines of the cache.
 */
export const activationGroupBytes = 320;
export const activationBytes = 72;
export const activationStarts = 64;
export const activationScale = 4 * activationBytes;

/** Bytes of one row of activations. */
export const activationRowBytes = (columns: number): number => Math.ceil(columns / groupColumns) * activationGroupBytes;

/** [rows][columns] to [rows / 32][columns][32]. */
export function packWidePanels(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  storage: "f32" | "f16" | "bf16",
): Uint8Array {
  const count = Math.ceil(rows / panelRows) * columns * panelRows;
  const packed = storage === "f32" ? new Float32Array(count) : new Uint16Array(count);
  const encode = storage === "f32" ? (x: number): number => x : storage === "f16" ? f32ToF16 : f32ToBf16;
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / panelRows) * columns * panelRows + (row % panelRows);
    for (let k = 0; k < columns; k++) packed[start + k * panelRows] = encode(values[row * columns + k]!);
  }
  return new Uint8Array(packed.buffer);
}

/** Rows of q8_0 or q4_0 to wide records. */
export function packWideRecords(format: WideQuants, matrix: QuantizedMatrix): Uint8Array {
  const { rows, columns, quants, scales } = matrix;
  const size = wideRecordBytes(format);
  const records = recordCount(columns);
  const bytes = new Uint8Array(Math.ceil(rows / recordRows) * records * size);
  // The bytes of zeros; their scales are 0 where no number belongs.
  const empty = format === "q8_0" ? 128 : 0x88;
  for (let at = 0; at < bytes.length; at += size) bytes.fill(empty, at + recordScaleBytes, at + size);
  for (let row = 0; row < rows; row++) {
    const lane = row % recordRows;
    for (let start = 0; start < columns; start += blockElements) {
      const record = (Math.floor(row / recordRows) * records + Math.floor(start / recordColumns)) * size;
      const half = (start % recordColumns) / blockElements;
      const scale = scales[(row * columns + start) / blockElements]!;
      bytes[record + 32 * half + 2 * lane] = scale & 0xff;
      bytes[record + 32 * half + 2 * lane + 1] = scale >> 8;
      const to = record + recordScaleBytes + half * halfBytes[format] + 4 * lane;
      const from = row * columns + start;
      if (format === "q8_0") {
        for (let k = 0; k < blockElements; k++) bytes[to + (k >> 2) * 64 + (k & 3)] = quants[from + k]! + 128;
      } else {
        for (let c = 0; c < 4; c++) {
          for (let i = 0; i < 4; i++) {
            const [low, high] = [quants[from + 8 * c + i]! + 8, quants[from + 8 * c + 4 + i]! + 8];
            bytes[to + c * 64 + i] = low | (high << 4);
          }
        }
      }
    }
  }
  return bytes;
}
