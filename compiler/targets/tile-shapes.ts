/**
 * Shapes of wide tiles by machine level: how many rows and vectors stay in registers and how many columns in the first
 * cache. `node bench/native/tune.mjs` measures the candidates on the machine at hand and prints the best ones.
 */
export interface WideShapes {
  /** f32 numbers of a vector. */
  readonly lanes: 4 | 8 | 16;
  /** Whether four products of bytes are added to a lane by one instruction; else pairs are added to halves of lanes. */
  readonly quads: boolean;
  /** Where `quads` are: both factors of such products are signed, so that an offset is taken off the weights first. */
  readonly signed?: true;
  /** A product takes one lane of a register for all outputs, so that one load brings words or numbers of four products. */
  readonly byLane?: true;
  /** Rows of integer activations that are multiplied together, largest first; 1 is the last. */
  readonly byteRows: readonly number[];
  /** The same where each byte of a weight is multiplied in two halves. */
  readonly splitRows: readonly number[];
  /** Vectors of outputs that share a word of activations. */
  readonly byteVectors: 2 | 4;
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
  byteVectors: 4,
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
  byteVectors: 2,
  floatRows: [6, 4, 2, 1],
  floatVectors: 2,
  floatColumns: 128,
};

/** 64-bit ARM: 10 sums of bytes and 10 of floats, or 20 of floats alone, in 32 registers. */
export const neonTiles: WideShapes = {
  lanes: 4,
  quads: true,
  signed: true,
  byLane: true,
  byteRows: [4, 2, 1],
  splitRows: [],
  byteVectors: 2,
  floatRows: [5, 4, 2, 1],
  floatVectors: 4,
  floatColumns: 128,
};
