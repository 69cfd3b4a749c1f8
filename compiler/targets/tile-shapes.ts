/**
 * Shapes of wide tiles by machine level: how many rows and vectors stay in registers and how many columns in the first
 * cache. `node bench/native/tune.mjs` measures the candidates on the machine at hand and prints the best ones.
 */
export interface WideShapes {
  /** f32 numbers of a vector. */
  readonly lanes: 8 | 16;
  /** Whether four products of bytes are added to a lane by one instruction; else pairs are added to halves of lanes. */
  readonly quads: boolean;
  /** Rows of integer activations that are multiplied together, largest first; 1 is the last. */
  readonly byteRows: readonly number[];
  /** The same where each byte of a weight is multiplied in two halves. */
  readonly splitRows: readonly number[];
  /** Tiles of 16 outputs that share a word of activations. */
  readonly byteTiles: 1 | 2 | 4;
  /**
   * Many rows are multiplied with quantized weights as matrices of bf16 numbers in registers of their own (fragments of
   * kernel IR); what is said of bytes here is then for fewer rows.
   */
  readonly matrices?: true;
  /** Rows of float activations that are multiplied together, largest first; 1 is the last. */
  readonly floatRows: readonly number[];
  /** Vectors of outputs that share a float activation. */
  readonly floatVectors: 2 | 4;
  /** Columns of a panel that are multiplied with all rows before the next ones come. */
  readonly floatColumns: number;
}

export const avx512Tiles: WideShapes = {
  lanes: 16,
  quads: true,
  byteRows: [3, 2, 1],
  splitRows: [],
  byteTiles: 4,
  floatRows: [6, 4, 2, 1],
  floatVectors: 4,
  floatColumns: 128,
};

export const amxTiles: WideShapes = { ...avx512Tiles, matrices: true };

export const avx2Tiles: WideShapes = {
  lanes: 8,
  quads: false,
  byteRows: [3, 2, 1],
  splitRows: [2, 1],
  byteTiles: 1,
  floatRows: [6, 4, 2, 1],
  floatVectors: 2,
  floatColumns: 128,
};
