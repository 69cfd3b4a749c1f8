/** Blocks of ggml's finer formats, as files hold them, moved to the records of `micro/k-layouts.ts`. */
import type { KQuants, KRecords } from "../../2-graph/ir.js";
import { minimumOf, scaleOf } from "../../checkpoints/k-quants.js";
import { STORAGE } from "../../checkpoints/storage.js";
import {
  hasSuperblocks,
  highBitsAt,
  kFormats,
  type KFormat,
  kRecordBytes,
  kRecordCount,
  minimumAt,
  minimumFactorAt,
  quantsStart,
  runBytes,
  runCount,
  scaleAt,
} from "../micro/k-layouts.js";
import { recordRows } from "../micro/wide-layouts.js";
import type { MatrixBlocks } from "./pack-blocks.js";

const low = 0x0f0f0f0f;

/** What a block of a file is read from: words of two bytes, from one of them on, and the same bytes. */
interface Block {
  readonly words: Uint16Array;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Four bytes from a byte of the block on. */
const wordAt = ({ words, at }: Block, byte: number): number =>
  words[at + (byte >> 1)]! | (words[at + (byte >> 1) + 1]! << 16);

/** The parts of a run: eight words of the low bits and of the higher ones, four columns each. */
interface Run {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

/** Fills `run` from a block. */
type ReadRun = (block: Block, number: number, run: Run) => void;

/** The low halves of 16 bytes, then the high ones. */
function halves(block: Block, from: number, run: Run): void {
  for (let j = 0; j < 4; j++) {
    const both = wordAt(block, from + 4 * j);
    run.low[j] = both & low;
    run.low[j + 4] = (both >>> 4) & low;
  }
}

/** Bits of a number that belong to columns 4j..4j+3, each in the lowest bit of a byte. */
const spread = (bits: number, j: number): number => {
  const four = (bits >>> (4 * j)) & 15;
  return (four & 1) | ((four & 2) << 7) | ((four & 4) << 14) | ((four & 8) << 21);
};

const fifths = (block: Block, from: number, run: Run): void => {
  const bits = wordAt(block, from);
  for (let j = 0; j < 8; j++) run.high[j] = spread(bits, j);
};

/** Runs two by two share 32 bytes. */
function superblockRun(block: Block, from: number, number: number, run: Run): void {
  const shift = 4 * (number & 1);
  for (let j = 0; j < 8; j++) run.low[j] = (wordAt(block, from + 32 * (number >> 1) + 4 * j) >>> shift) & low;
}

const readRun: Readonly<Record<KQuants, ReadRun>> = {
  q4_1: (block, _, run) => halves(block, 4, run),
  q5_0: (block, _, run) => {
    fifths(block, 2, run);
    halves(block, 6, run);
  },
  q5_1: (block, _, run) => {
    fifths(block, 4, run);
    halves(block, 8, run);
  },
  q4_K: (block, number, run) => superblockRun(block, 16, number, run),
  q5_K: (block, number, run) => {
    superblockRun(block, 48, number, run);
    for (let j = 0; j < 8; j++) run.high[j] = (wordAt(block, 16 + 4 * j) >>> number) & 0x01010101;
  },
  q6_K: (block, number, run) => {
    const [part, quarter] = [number >> 2, number & 3];
    for (let j = 0; j < 8; j++) {
      run.low[j] = (wordAt(block, part * 64 + (quarter & 1) * 32 + 4 * j) >>> (4 * (quarter >> 1))) & low;
      run.high[j] = (wordAt(block, 128 + part * 32 + 4 * j) >>> (2 * quarter)) & 0x03030303;
    }
  },
};

/**
 * One matrix, into all bytes of `out`. What fills up the last rows and columns is scaled by zero.
 *
 * @param from What the blocks are: what `storage` says, or one of those that `any_K` holds.
 */
export function packK(storage: KRecords, from: KQuants, { words, rows, blocks }: MatrixBlocks, out: Uint8Array): void {
  const format = kFormats[storage];
  const [size, runs, runSize] = [kRecordBytes(storage), runCount(format), runBytes(format)];
  const { blockValues, blockBytes } = STORAGE[from];
  const runsOfBlock = blockValues / 32;
  const records = kRecordCount(storage, blocks * blockValues);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const run: Run = { low: new Int32Array(8), high: new Int32Array(8) };
  const read = readRun[from];
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  // Quants without an offset get that of q6_K: bit 5.
  const raised = format.offset - kFormats[from].offset === 32 ? 0x02020202 : 0;
  rows.forEach((first, row) => {
    const lane = row % recordRows;
    const tile = ((row - lane) / recordRows) * records * size;
    for (let number = 0; number < blocks * runsOfBlock; number++) {
      const block: Block = { words, bytes, at: ((first + Math.floor(number / runsOfBlock)) * blockBytes) / 2 };
      const [record, own] = [tile + Math.floor(number / runs) * size, number % runs];
      if (number % runsOfBlock === 0) packFactors(format, from, block, view, record, own, lane);
      read(block, number % runsOfBlock, run);
      if (raised !== 0)
        run.high.forEach((bits, j) => (run.high[j] = (kFormats[from].highBits === 0 ? 0 : bits) | raised));
      putRun(run, format.highBits, view, record + quantsStart(format) + own * runSize + 4 * lane);
    }
  });
}

/** Scales and minima of a block whose first run is run `own` of the record. */
function packFactors(
  format: KFormat,
  from: KQuants,
  block: Block,
  view: DataView,
  record: number,
  own: number,
  lane: number,
): void {
  const half = (byte: number): number => block.words[block.at + byte / 2]!;
  const putHalf = (at: number, byte: number): void => view.setUint16(record + at + 2 * lane, half(byte), true);
  if (!hasSuperblocks(format)) {
    putHalf(scaleAt(format, own), 0);
    if (format.minimumSign !== 0) putHalf(minimumAt(format, own), 2);
    return;
  }
  if (from === "q6_K") {
    putHalf(0, 208);
    for (let i = 0; i < 16; i++)
      view.setUint8(record + scaleAt(format, 0) + 16 * i + lane, block.bytes[2 * block.at + 192 + i]!);
    return;
  }
  putHalf(0, 0);
  putHalf(minimumFactorAt, 2);
  const smallAt = 2 * block.at + 4;
  for (let run = 0; run < 8; run++) {
    const [scale, minimum] = [scaleOf(block.bytes, smallAt, run), minimumOf(block.bytes, smallAt, run)];
    for (let part = 0; part < format.scales; part++) view.setUint8(record + scaleAt(format, run, part) + lane, scale);
    view.setUint8(record + minimumAt(format, run) + lane, minimum);
  }
}

/** The quants of one row and run, whose first byte is `to`. */
function putRun({ low, high }: Run, highBits: 0 | 1 | 2, view: DataView, to: number): void {
  for (let c = 0; c < 4; c++) view.setInt32(to + 64 * c, low[2 * c]! | (low[2 * c + 1]! << 4), true);
  if (highBits === 1) {
    let bits = 0;
    for (let j = 0; j < 8; j++) bits |= high[j]! << j;
    view.setInt32(to + highBitsAt, bits, true);
  } else if (highBits === 2) {
    for (const group of [0, 1]) {
      let bits = 0;
      for (let i = 0; i < 4; i++) bits |= high[4 * group + i]! << (2 * i);
      view.setInt32(to + highBitsAt + 64 * group, bits, true);
    }
  }
}
