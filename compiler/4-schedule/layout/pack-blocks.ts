/**
 * Blocks as GGUF files hold them, moved to the places of a layout. Not one quant and not one scale is
 * changed: what a bundle computes with is what the file says. Every layout keeps the quants of a block in words of two
 * or four columns of one row, so words are moved, not numbers.
 */
import { blockElements, q4RecordBytes, q8RecordBytes, scaleBytes, tileRows } from "../micro/layouts.js";
import {
  halfBytes,
  recordColumns,
  recordCount,
  recordRows,
  recordScaleBytes,
  wideRecordBytes,
} from "../micro/wide-layouts.js";
import { STORAGE } from "../../checkpoints/storage.js";
import type { KQuants, KRecords } from "../../2-graph/ir.js";
import { packK } from "./k-pack.js";
import type { BlockFormat, MatrixLayout, PlanesLayout } from "./layouts.js";

/** Numbers of one layer of a parameter in blocks: an f16 scale and the quants. */
export interface StoredBlocks {
  readonly storage: BlockFormat;
  /** Names of the layer's axes in the order in which the numbers lie; blocks run along the last. */
  readonly axes: readonly string[];
  readonly bytes: Uint8Array;
}

/** Blocks of one matrix: block b of row r is block `rows[r] + b` of `words`. */
export interface MatrixBlocks {
  /** Blocks as words of two bytes. */
  readonly words: Uint16Array;
  readonly rows: Int32Array;
  /** Blocks of a row. */
  readonly blocks: number;
}

/** Bytes as words of 2, copied only where they start at an odd address. */
export function wordsOf(bytes: Uint8Array): Uint16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(even.buffer, even.byteOffset, even.length >> 1);
}

/** Rows of quants, then their scales. */
export function packPlanes(layout: PlanesLayout, { words, rows, blocks }: MatrixBlocks, out: Uint8Array): void {
  const size = STORAGE[layout.storage].blockBytes / 2;
  const to = wordsOf(out);
  let block = 0;
  for (const first of rows) {
    for (let b = 0; b < blocks; b++, block++) {
      const from = (first + b) * size;
      to[layout.scalesAt / 2 + block] = words[from]!;
      const start = block * (size - 1);
      for (let i = 1; i < size; i++) to[start + i - 1] = words[from + i]!;
    }
  }
}

/** Rows of blocks as they are. */
export function packBlocks(storage: BlockFormat, { words, rows, blocks }: MatrixBlocks, out: Uint8Array): void {
  const size = STORAGE[storage].blockBytes / 2;
  const to = wordsOf(out);
  rows.forEach((first, row) => to.set(words.subarray(first * size, (first + blocks) * size), row * blocks * size));
}

/**
 * One matrix, into all bytes of `out`.
 *
 * @param format What its blocks are.
 */
export function packTiles(
  name: MatrixLayout["name"],
  format: BlockFormat,
  matrix: MatrixBlocks,
  out: Uint8Array,
): void {
  switch (name) {
    case "q8-tiles":
      return packQ8(matrix, wordsOf(out));
    case "q4-tiles":
      return packQ4(matrix, out);
    case "wide-q8":
      return packWideQ8(matrix, out);
    case "wide-q4":
      return packWideQ4(matrix, out);
    case "wide-q4_1":
    case "wide-q5_0":
    case "wide-q5_1":
    case "wide-q4_K":
    case "wide-q5_K":
    case "wide-q6_K":
    case "wide-any_K":
      return packK(name.slice("wide-".length) as KRecords, format as KQuants, matrix, out);
    case "panels":
    case "wide-panels":
      throw new RangeError(`the layout ${name} holds no blocks`);
    default:
      name satisfies never;
  }
}

function packQ8({ words, rows, blocks }: MatrixBlocks, out: Uint16Array): void {
  for (let row = 0; row < rows.length; row++) {
    const lane = row % tileRows;
    let to = (((row - lane) / tileRows) * blocks * q8RecordBytes) / 2 + lane;
    let from = rows[row]! * 17;
    for (let b = 0; b < blocks; b++, from += 17, to += q8RecordBytes / 2) {
      out[to] = words[from]!;
      const quants = to + scaleBytes / 2;
      for (let pair = 0; pair < 16; pair++) out[quants + pair * 16] = words[from + 1 + pair]!;
    }
  }
}

function packQ4({ words, rows, blocks }: MatrixBlocks, bytes: Uint8Array): void {
  const [scales, quants] = [wordsOf(bytes), new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)];
  for (let row = 0; row < rows.length; row++) {
    const lane = row % tileRows;
    let to = ((row - lane) / tileRows) * blocks * q4RecordBytes;
    let from = rows[row]! * 9;
    for (let b = 0; b < blocks; b++, from += 9, to += q4RecordBytes) {
      scales[to / 2 + lane] = words[from]!;
      putQ4(words, from + 1, quants, (to + scaleBytes) / 4 + lane);
    }
  }
}

/**
 * Sixteen bytes of a block (byte j holds columns j and j + 16) to four words, 16 words apart: word c holds columns
 * 8c..8c+3 in the low halves of its bytes and 8c+4..8c+7 in the high ones.
 */
function putQ4(words: Uint16Array, from: number, out: Uint32Array, to: number): void {
  const first = words[from]! | (words[from + 1]! << 16);
  const second = words[from + 2]! | (words[from + 3]! << 16);
  const third = words[from + 4]! | (words[from + 5]! << 16);
  const fourth = words[from + 6]! | (words[from + 7]! << 16);
  out[to] = (first & 0x0f0f0f0f) | ((second & 0x0f0f0f0f) << 4);
  out[to + 16] = (third & 0x0f0f0f0f) | ((fourth & 0x0f0f0f0f) << 4);
  out[to + 32] = ((first >>> 4) & 0x0f0f0f0f) | (second & 0xf0f0f0f0);
  out[to + 48] = ((third >>> 4) & 0x0f0f0f0f) | (fourth & 0xf0f0f0f0);
}

function packWideQ8({ words, rows, blocks }: MatrixBlocks, bytes: Uint8Array): void {
  const size = wideRecordBytes("q8_0");
  const records = recordCount(blocks * blockElements);
  fillEmpty(bytes, size, 0x80, rows.length, blocks);
  const [scales, quants] = [wordsOf(bytes), new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)];
  for (let row = 0; row < rows.length; row++) {
    const lane = row % recordRows;
    const tile = ((row - lane) / recordRows) * records * size;
    let from = rows[row]! * 17;
    for (let b = 0; b < blocks; b++, from += 17) {
      const record = tile + (b >> 1) * size;
      scales[record / 2 + 16 * (b & 1) + lane] = words[from]!;
      const to = (record + recordScaleBytes + (b & 1) * halfBytes.q8_0) / 4 + lane;
      for (let j = 0; j < 8; j++) {
        // Each quant plus 128: its highest bit turned over.
        quants[to + 16 * j] = (words[from + 1 + 2 * j]! | (words[from + 2 + 2 * j]! << 16)) ^ 0x80808080;
      }
    }
  }
}

function packWideQ4({ words, rows, blocks }: MatrixBlocks, bytes: Uint8Array): void {
  const size = wideRecordBytes("q4_0");
  const records = recordCount(blocks * blockElements);
  fillEmpty(bytes, size, 0x88, rows.length, blocks);
  const [scales, quants] = [wordsOf(bytes), new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)];
  for (let row = 0; row < rows.length; row++) {
    const lane = row % recordRows;
    const tile = ((row - lane) / recordRows) * records * size;
    let from = rows[row]! * 9;
    for (let b = 0; b < blocks; b++, from += 9) {
      const record = tile + (b >> 1) * size;
      scales[record / 2 + 16 * (b & 1) + lane] = words[from]!;
      putQ4(words, from + 1, quants, (record + recordScaleBytes + (b & 1) * halfBytes.q4_0) / 4 + lane);
    }
  }
}

/** Quants of zeros where rows or columns fill up a record; their scales stay 0. */
function fillEmpty(bytes: Uint8Array, size: number, zeros: number, rows: number, blocks: number): void {
  const full = rows % recordRows === 0 && (blocks * blockElements) % recordColumns === 0;
  if (full) return;
  for (let at = 0; at < bytes.length; at += size) bytes.fill(zeros, at + recordScaleBytes, at + size);
}
