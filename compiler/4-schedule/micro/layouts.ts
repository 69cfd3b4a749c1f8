/**
 * Layouts that the micro-kernels read, and plain packers into them. A weight is a matrix of N rows (outputs) and K
 * columns (contracted); rows come in tiles of 16, four vectors of four, and the last tile is filled up with zeros.
 *
 * - panels (f32, f16): [N / 16][K][16]: for each k the 16 outputs of a tile side by side.
 * - q8 tiles: [N / 16][K / 32] records of 544 bytes: 16 f16 scales, then for each pair of k four groups of 8 bytes:
 *   four rows, two k each. Widened to i16 they meet pairs of activations in one dot product per four rows.
 * - q4 tiles: [N / 16][K / 32] records of 288 bytes: 16 f16 scales, then for each eight k four groups of 16 bytes: four
 *   rows, four bytes each; byte j holds k = j in its low half and k = j + 4 in its high half, each plus 8.
 */
import { f32ToF16 } from "../../checkpoints/half.js";

/** Rows of one tile. */
export const tileRows = 16;
/** Elements with one scale. */
export const blockElements = 32;
/** Bytes of 16 f16 scales at the start of a record. */
export const scaleBytes = 32;
export const q8RecordBytes = scaleBytes + 512;
export const q4RecordBytes = scaleBytes + 256;
/** What buffers of records hold, and how long a record is. */
export const recordsOf = {
  q8_0: { element: "i8", bytes: q8RecordBytes },
  q4_0: { element: "u8", bytes: q4RecordBytes },
} as const;

export const tileCount = (rows: number): number => Math.ceil(rows / tileRows);

/** Rows of one format: numbers as stored, before they are moved to their places. */
export interface QuantizedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Signed quants, row-major: -127..127 (q8_0) or -8..7 (q4_0). */
  readonly quants: Int8Array;
  /** f16 bits, row-major, one for 32 columns. */
  readonly scales: Uint16Array;
}

/** [rows][columns] to [rows / 16][columns][16]. */
export function packPanels(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const packed = new Float32Array(tileCount(rows) * columns * tileRows);
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / tileRows) * columns * tileRows + (row % tileRows);
    for (let k = 0; k < columns; k++) packed[start + k * tileRows] = values[row * columns + k]!;
  }
  return packed;
}

/** The same as f16 bits. */
export function packHalfPanels(values: ArrayLike<number>, rows: number, columns: number): Uint16Array {
  return Uint16Array.from(packPanels(values, rows, columns), f32ToF16);
}

export function packQ8Tiles(matrix: QuantizedMatrix): Uint8Array {
  return packRecords(matrix, q8RecordBytes, (bytes, record, row, k, quant) => {
    bytes[record + scaleBytes + (k >> 1) * 32 + row * 2 + (k & 1)] = quant;
  });
}

export function packQ4Tiles(matrix: QuantizedMatrix): Uint8Array {
  return packRecords(matrix, q4RecordBytes, (bytes, record, row, k, quant) => {
    const at = record + scaleBytes + (k >> 3) * 64 + row * 4 + (k & 3);
    bytes[at] = bytes[at]! | ((quant + 8) << (k & 4));
  });
}

function packRecords(
  { rows, columns, quants, scales }: QuantizedMatrix,
  recordBytes: number,
  put: (bytes: Uint8Array, record: number, row: number, k: number, quant: number) => void,
): Uint8Array {
  const blocks = columns / blockElements;
  const bytes = new Uint8Array(tileCount(rows) * blocks * recordBytes);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const record = (Math.floor(row / tileRows) * blocks + block) * recordBytes;
      const scale = scales[row * blocks + block]!;
      const lane = row % tileRows;
      bytes[record + 2 * lane] = scale & 0xff;
      bytes[record + 2 * lane + 1] = scale >> 8;
      const start = row * columns + block * blockElements;
      for (let k = 0; k < blockElements; k++) put(bytes, record, lane, k, quants[start + k]!);
    }
  }
  return bytes;
}
