/**
 * How the threads of a block bring factors of products into shared memory for tensor cores: a step of 32 columns at a
 * time, in pieces of 16 bytes. What a thread has read waits in registers, so that the next step is on its way while the
 * present one is multiplied.
 */
import { add, compare, constant, div, extract, min, mul, rem, thread } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { blockElements, tileRows } from "../micro/layouts.js";
import type { ByteRows, HalfRows } from "./cuda-activations.js";
import type { Emitter } from "./emitter.js";
import { lessEight, pairedColumns, scaleHalves, weights, wordsOf } from "./gpu-weights.js";
import type { Product } from "./product.js";

/** Threads of a block that multiplies by tensor cores: four warps. */
export const matrixThreads = 128;
/** Columns of a step. */
export const stepColumns = blockElements;
/** Halves and bytes of a piece, and those that keep lines of shared memory apart: neighbours begin in other banks. */
export const pieceHalves = 8;
const pieceBytes = 16;
/** Elements from a line of activations to the next, by the bytes of an element. */
export const halfLine = stepColumns + pieceHalves;
export const byteLine = stepColumns + pieceBytes;
/** Elements from a column of half weights to the next: 128 outputs. */
export const outputLine = 8 * tileRows + pieceHalves;

/** One piece of a thread: what it reads of the step at a column, and where that goes. */
export interface Piece {
  readonly read: (k0: Expression) => Expression;
  readonly write: (value: Expression, k0: Expression) => void;
}

/** Pieces number thread, thread + 128, ... of `total`; behind the last one nothing is written. */
export function spread(
  { builder }: Emitter,
  total: number,
  piece: (number: Expression, guarded: (write: () => void) => void) => Piece | readonly Piece[],
): readonly Piece[] {
  return Array.from({ length: Math.ceil(total / matrixThreads) }, (_, i) => {
    const own = builder.let("piece", add(thread, i * matrixThreads));
    if ((i + 1) * matrixThreads <= total) return piece(own, (write) => write());
    const isThere = compare("lt", own, total);
    return piece(builder.let("piece", min(own, total - 1)), (write) => builder.ifThen(isThere, write));
  }).flat();
}

/** A piece at once. */
export const words = { lanes: 4, as: "i32", aligned: true } as const;

/** Activations of some rows as halves: [part][row][column]. `lines` has the numbers of their stored rows. */
export function halfActivations(
  emitter: Emitter,
  from: HalfRows,
  lines: BufferHandle,
  rows: number,
  into: BufferHandle,
): readonly Piece[] {
  const { builder } = emitter;
  const { parts, line } = from;
  const source = emitter.buffer(from.halves.place, from.element, "read");
  const perPart = stepColumns / pieceHalves;
  return spread(emitter, rows * parts * perPart, (number, guarded) => {
    const row = builder.let("row", div(number, parts * perPart));
    const part = builder.let("part", rem(div(number, perPart), parts));
    const column = builder.let("column", mul(rem(number, perPart), pieceHalves));
    const start = builder.let("from", add(mul(add(mul(builder.load(lines, row), parts), part), line), column));
    const place = builder.let("to", add(mul(add(mul(part, rows), row), halfLine), column));
    return {
      read: (k0) => builder.load(source, add(start, k0), words),
      write: (value) => guarded(() => builder.store(into, place, value, { as: "i32" })),
    };
  });
}

/** The same as bytes, [row][column], and the scales of the rows. */
export function byteActivations(
  emitter: Emitter,
  from: ByteRows,
  depth: number,
  lines: BufferHandle,
  rows: number,
  into: BufferHandle,
  scalesInto: BufferHandle,
): readonly Piece[] {
  const { builder } = emitter;
  const source = emitter.buffer(from.quants.place, "i8", "read");
  const scales = emitter.buffer(from.scales.place, "f32", "read");
  const perRow = stepColumns / pieceBytes;
  const quants = spread(emitter, rows * perRow, (number, guarded) => {
    const row = builder.let("row", div(number, perRow));
    const column = builder.let("column", mul(rem(number, perRow), pieceBytes));
    const start = builder.let("from", add(mul(builder.load(lines, row), depth), column));
    const place = builder.let("to", add(mul(row, byteLine), column));
    return {
      read: (k0) => builder.load(source, add(start, k0), words),
      write: (value) => guarded(() => builder.store(into, place, value, { as: "i32" })),
    };
  });
  const ofRows = spread(emitter, rows, (row, guarded) => {
    const start = builder.let("from", mul(builder.load(lines, row), depth / blockElements));
    return {
      read: (k0) => builder.load(scales, add(start, div(k0, blockElements))),
      write: (value) => guarded(() => builder.store(scalesInto, row, value)),
    };
  });
  return [...quants, ...ofRows];
}

/** Which tiles of a product a block has. */
export interface TileRange {
  /** Number of a tile in the weight, by its number in the block. */
  readonly tile: (number: Expression) => Expression;
  readonly count: number;
  /** First column of the block's outputs that they are. */
  readonly column: number;
}

/** Weights stored as halves: [column][output]. */
export function halfWeights(
  emitter: Emitter,
  product: Product,
  { tile, count, column }: TileRange,
  into: BufferHandle,
): readonly Piece[] {
  const { builder } = emitter;
  const { depth } = product.layout;
  const source = weights(emitter, product);
  const perColumn = tileRows / pieceHalves;
  const isWhole = depth % stepColumns === 0;
  return spread(emitter, count * stepColumns * perColumn, (number, guarded) => {
    const own = builder.let("own", div(number, stepColumns * perColumn));
    const k = builder.let("k", rem(div(number, perColumn), stepColumns));
    const output = builder.let("output", mul(rem(number, perColumn), pieceHalves));
    const start = builder.let("from", add(mul(tile(own), depth * tileRows), output));
    const place = builder.let("to", add(mul(k, outputLine), add(mul(own, tileRows), add(output, column))));
    const put = (value: Expression): void => builder.store(into, place, value, { as: "i32" });
    return {
      // Behind the last column the last one is read again, and is nothing.
      read: (k0) => {
        const at = isWhole ? add(k0, k) : min(add(k0, k), depth - 1);
        return builder.load(source, builder.let("w_at", add(start, mul(at, tileRows))), words);
      },
      write: (value, k0) =>
        guarded(() => {
          if (isWhole) return put(value);
          builder.ifThen(
            compare("lt", add(k0, k), depth),
            () => put(value),
            () => put(constant(0, value.type)),
          );
        }),
    };
  });
}

/** Quantized weights as bytes, [output][column], and the scales of the outputs. */
export function byteWeights(
  emitter: Emitter,
  product: Product,
  range: TileRange,
  into: BufferHandle,
  scalesInto: BufferHandle,
): readonly Piece[] {
  const { builder } = emitter;
  const { depth, storage } = product.layout;
  const { recordHalves } = wordsOf(storage)!;
  const source = weights(emitter, product);
  const recordOf = (own: Expression): Expression =>
    builder.let("record", mul(range.tile(own), (depth / blockElements) * recordHalves));
  const record = (start: Expression, k0: Expression): Expression =>
    add(start, mul(div(k0, blockElements), recordHalves));
  const quants = (storage === "q8_0" ? bytePieces : nibblePieces)(emitter, range, into, (own, at) => {
    const start = builder.let("from", add(recordOf(own), at));
    return (k0) => builder.load(source, builder.let("w_at", record(start, k0)), words);
  });
  const scales = spread(emitter, range.count * tileRows, (number, guarded) => {
    const start = builder.let("from", add(recordOf(div(number, tileRows)), rem(number, tileRows)));
    return {
      read: (k0) => builder.load(source, record(start, k0), { as: "f16" }),
      write: (value) => guarded(() => builder.store(scalesInto, add(number, range.column), value)),
    };
  });
  return [...quants, ...scales];
}

/** Gives what reads four words from a place (in halves) of the record of a tile of the block. */
type RecordReader = (own: Expression, at: Expression) => (k0: Expression) => Expression;

/** Pieces of a tile: 16 words of each are eight outputs of two lines, or four outputs of one. */
const piecesPerTile = 16;

/**
 * Lines of q8 tiles have two columns of all outputs, so two lines make up a word of four columns: the low halves of both
 * words for one output, the high halves for the next.
 */
function bytePieces(emitter: Emitter, range: TileRange, into: BufferHandle, reader: RecordReader): readonly Piece[] {
  const { builder } = emitter;
  const { lineHalves } = wordsOf("q8_0")!;
  return spread(emitter, range.count * piecesPerTile, (number, guarded) => {
    const own = builder.let("own", div(number, piecesPerTile));
    const pair = builder.let("pair", rem(div(number, 2), 8));
    const half = builder.let("half", mul(rem(number, 2), 8));
    const at = builder.let("at", add(add(mul(pair, 2 * lineHalves), half), scaleHalves));
    const [low, high] = [reader(own, at), reader(own, add(at, lineHalves))];
    const first = builder.variable("first", constant(0, words4));
    const output = builder.let("output", add(add(mul(own, tileRows), half), range.column));
    const place = builder.let("to", add(mul(output, byteLine), mul(pair, 4)));
    return [
      { read: low, write: (value) => first.set(value) },
      {
        read: high,
        write: (value) =>
          guarded(() =>
            [0, 1, 2, 3].forEach((word) => {
              const [a, b] = [extract(first.get, word), extract(value, word)];
              pairedColumns(a, b).forEach((four, i) =>
                builder.store(into, add(place, (2 * word + i) * byteLine), four, { as: "i32" }),
              );
            }),
          ),
      },
    ];
  });
}

const words4 = { element: "i32", lanes: 4 } as const;

/** Low halves of the bytes of a word of q4 tiles are four columns, high halves the next four, each plus eight. */
function nibblePieces(emitter: Emitter, range: TileRange, into: BufferHandle, reader: RecordReader): readonly Piece[] {
  const { builder } = emitter;
  const { lineHalves, columns } = wordsOf("q4_0")!;
  return spread(emitter, range.count * piecesPerTile, (number, guarded) => {
    const own = builder.let("own", div(number, piecesPerTile));
    const line = builder.let("line", rem(div(number, 4), 4));
    const four = builder.let("four", mul(rem(number, 4), 4));
    const output = builder.let("output", add(add(mul(own, tileRows), four), range.column));
    const place = builder.let("to", add(mul(output, byteLine), mul(line, columns)));
    return {
      read: reader(own, builder.let("at", add(add(mul(line, lineHalves), mul(four, 2)), scaleHalves))),
      write: (value) =>
        guarded(() =>
          [0, 1, 2, 3].forEach((word) =>
            lessEight(extract(value, word)).forEach((bytes, i) =>
              builder.store(into, add(place, word * byteLine + 4 * i), bytes, { as: "i32" }),
            ),
          ),
        ),
    };
  });
}
