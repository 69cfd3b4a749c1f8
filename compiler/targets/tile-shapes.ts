/**
 * Shapes of wide tiles by machine level: how many rows and vectors stay in registers and how many columns in the first
 * cache. `node bench/native/tune.mjs` measures the candidates on the machine at hand and prints the best ones.
 */

/** Rows of integer activations and vectors of outputs whose sums are held in registers together. */
export interface SumTile {
  readonly rows: number;
  readonly vectors: 1 | 2 | 4;
}

const tilesOf = (vectors: SumTile["vectors"], ...rows: readonly number[]): readonly SumTile[] =>
  rows.map((count) => ({ rows: count, vectors }));

export interface WideShapes {
  /** f32 numbers of a vector. */
  readonly lanes: 4 | 8 | 16;
  /** Whether four products of bytes are added to a lane by one instruction; else pairs are added to halves of lanes. */
  readonly quads: boolean;
  /** Where `quads` are: both factors of such products are signed, so that an offset is taken off the weights first. */
  readonly signed?: true;
  /** A product takes one lane of a register for all outputs, so that one load brings words or numbers of four products. */
  readonly byLane?: true;
  /** What q4_0 and q8_0 are multiplied in, most rows first; the last has one row. */
  readonly byteTiles: readonly SumTile[];
  /** The same where each byte of a weight is multiplied in two halves. */
  readonly splitTiles: readonly SumTile[];
  /** The same of the finer formats, which take more registers. */
  readonly fineTiles: readonly SumTile[];
  /**
   * Many rows are multiplied with quantized weights as matrices of bf16 numbers in registers of their own (fragments of
   * kernel IR); what is said of bytes here is then for fewer rows.
   */
  readonly matrices?: true;
  /** Most rows of float activations that are multiplied together. */
  readonly floatRows: number;
  /** Vectors of outputs that share a float activation. */
  readonly floatVectors: 2 | 4;
  /** Columns of a panel that are multiplied with all rows before the next ones come. */
  readonly floatColumns: number;
}

export const avx512Tiles: WideShapes = {
  lanes: 16,
  quads: true,
  // A sum waits five clocks for the one before, so there are twelve where there are rows enough. With one vector, words
  // of activations are operands in memory, which saves loading them; with fewer rows vectors share them.
  byteTiles: [...tilesOf(1, 12), ...tilesOf(4, 3, 2, 1)],
  splitTiles: [],
  fineTiles: tilesOf(4, 3, 2, 1),
  floatRows: 6,
  floatVectors: 4,
  floatColumns: 128,
};

export const amxTiles: WideShapes = { ...avx512Tiles, matrices: true };

export const avx2Tiles: WideShapes = {
  lanes: 8,
  quads: false,
  byteTiles: tilesOf(2, 3, 2, 1),
  splitTiles: tilesOf(2, 2, 1),
  fineTiles: tilesOf(2, 3, 2, 1),
  floatRows: 6,
  floatVectors: 2,
  floatColumns: 128,
};

/** 64-bit ARM: 10 sums of bytes and 10 of floats, or 20 of floats alone, in 32 registers. */
export const neonTiles: WideShapes = {
  lanes: 4,
  quads: true,
  signed: true,
  byLane: true,
  byteTiles: tilesOf(2, 4, 2, 1),
  splitTiles: [],
  fineTiles: tilesOf(2, 4, 2, 1),
  floatRows: 5,
  floatVectors: 4,
  floatColumns: 128,
};
