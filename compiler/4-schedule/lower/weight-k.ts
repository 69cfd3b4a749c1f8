/**
 * One number of a parameter in ggml's finer formats: out of the records that products read (a tied embedding table), and
 * out of blocks as files have them. Products of a quant and its scale are exact in f32; what a minimum adds is rounded as
 * the plain decoder does.
 */
import { Size } from "../../axes/size.js";
import type { KRecords } from "../../2-graph/ir.js";
import { STORAGE } from "../../checkpoints/storage.js";
import { add, and, compare, constant, convert, mul, or, select, shl, shr, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { BlocksLayout, MatrixLayout } from "../layout/layouts.js";
import {
  hasSuperblocks,
  highBitsAt,
  kFormats,
  kRecordBytes,
  minimumAt,
  minimumFactorAt,
  quantsStart,
  runBytes,
  runColumns,
  scaleAt,
} from "../micro/k-layouts.js";
import { recordRows } from "../micro/wide-layouts.js";
import { Coordinate } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { BufferPlace } from "./storage.js";
import type { MatrixElement } from "./weight-wide.js";

const size = (value: number): Size => Size.of(value);
const number = (value: number): Coordinate => Coordinate.number(value);

/** Reads numbers from a place, by bytes from some byte on. */
interface Reader {
  byte(at: Coordinate): Expression;
  signed(at: Coordinate): Expression;
  half(at: Coordinate): Expression;
}

/** @param start Byte where the reading begins, which is even. */
function reader(emitter: Emitter, place: BufferPlace, start: Coordinate, halfStart: Coordinate): Reader {
  const load = (element: "u8" | "i8" | "f16", at: Coordinate): Expression =>
    emitter.load(emitter.buffer(place, element, "read"), at);
  return {
    byte: (at) => load("u8", start.plus(at)),
    signed: (at) => load("i8", start.plus(at)),
    half: (at) => load("f16", halfStart.plus(at)),
  };
}

/** Four bits of a byte. */
const four = (byte: Expression, high: Expression): Expression => select(high, shr(byte, 4), and(byte, 15));

/** (quant - offset) scale, and a minimum with its sign. */
function value(storage: KRecords, quant: Expression, scale: Expression, minimum: Expression | undefined): Expression {
  const { offset, minimumSign } = kFormats[storage];
  const scaled = mul(convert(sub(quant, offset), "f32"), scale);
  if (!minimum) return scaled;
  return minimumSign < 0 ? sub(scaled, minimum) : add(scaled, minimum);
}

/** A number of a matrix in records. */
export function recordElement(
  emitter: Emitter,
  place: BufferPlace,
  layout: MatrixLayout,
  storage: KRecords,
  at: MatrixElement,
): Expression {
  const format = kFormats[storage];
  const lane = at.row.modulo(size(recordRows));
  const record = at.column.dividedBy(size(format.columns));
  const within = at.column.modulo(size(format.columns));
  const run = within.dividedBy(size(runColumns));
  const column = within.modulo(size(runColumns));
  const startIn = (unit: number): Coordinate =>
    at.layer.times(size(layout.layerBytes / unit)).plus(
      at.batch
        .times(size(layout.tiles))
        .plus(at.row.dividedBy(size(recordRows)))
        .times(size(layout.tileBytes / unit))
        .plus(record.times(size(kRecordBytes(storage) / unit))),
    );
  const read = reader(emitter, place, startIn(1), startIn(2));
  const along = (zero: number, step: number, each: Coordinate): Coordinate =>
    number(zero).plus(each.times(size(step - zero)));
  const quants = number(quantsStart(format))
    .plus(run.times(size(runBytes(format))))
    .plus(lane.times(size(4)))
    .plus(column.modulo(size(4)));
  const word = column.dividedBy(size(4));
  const isHigh = compare("ne", emitter.index(word.modulo(size(2))), 0);
  const low = four(read.byte(quants.plus(column.dividedBy(size(8)).times(size(64)))), isHigh);
  const quant = or(low, highBits());
  function highBits(): Expression {
    if (format.highBits === 0) return constant(0);
    const group = format.highBits === 1 ? Coordinate.zero : column.dividedBy(size(16)).times(size(64));
    const byte = read.byte(quants.plus(number(highBitsAt)).plus(group));
    const shift = format.highBits === 1 ? word : word.modulo(size(4)).times(size(2));
    return shl(and(shr(byte, emitter.index(shift)), format.highBits === 1 ? 1 : 3), 4);
  }
  if (!hasSuperblocks(format)) {
    const half = (zero: number, next: number): Expression => read.half(along(zero / 2, next / 2, run).plus(lane));
    const minimum = format.minimumSign === 0 ? undefined : half(minimumAt(format, 0), minimumAt(format, 1));
    return value(storage, quant, half(scaleAt(format, 0), scaleAt(format, 1)), minimum);
  }
  const part = format.scales === 2 ? column.dividedBy(size(16)).times(size(recordRows)) : Coordinate.zero;
  const scalePlace = along(scaleAt(format, 0), scaleAt(format, 1), run).plus(part).plus(lane);
  const small = format.scales === 2 ? read.signed(scalePlace) : read.byte(scalePlace);
  const scale = mul(convert(small, "f32"), read.half(lane));
  if (format.minimumSign === 0) return value(storage, quant, scale, undefined);
  const least = read.byte(along(minimumAt(format, 0), minimumAt(format, 1), run).plus(lane));
  const factor = read.half(number(minimumFactorAt / 2).plus(lane));
  return value(storage, quant, scale, mul(convert(least, "f32"), factor));
}

/** A number of rows of blocks, as `checkpoints/k-quants.ts` describes them. */
export function blockElement(
  emitter: Emitter,
  place: BufferPlace,
  { storage, depth, layerBytes }: BlocksLayout,
  at: { readonly layer: Coordinate; readonly row: Coordinate; readonly column: Coordinate },
): Expression {
  const { blockValues, blockBytes } = STORAGE[storage];
  const block = at.row.times(size(depth / blockValues)).plus(at.column.dividedBy(size(blockValues)));
  const startIn = (unit: number): Coordinate =>
    at.layer.times(size(layerBytes / unit)).plus(block.times(size(blockBytes / unit)));
  const read = reader(emitter, place, startIn(1), startIn(2));
  const column = at.column.modulo(size(blockValues));
  const isSet = (c: Coordinate): Expression => compare("ne", emitter.index(c), 0);
  /** Four bits, with the first 16 columns in the low halves of the bytes from `from` on. */
  const halves = (from: number): Expression =>
    four(read.byte(number(from).plus(column.modulo(size(16)))), isSet(column.dividedBy(size(16))));
  const bitOf = (byte: Expression, bit: Coordinate): Expression => shl(and(shr(byte, emitter.index(bit)), 1), 4);
  const fifth = (from: number): Expression =>
    bitOf(read.byte(number(from).plus(column.dividedBy(size(8)))), column.modulo(size(8)));
  const run = column.dividedBy(size(32));
  const inRun = column.modulo(size(32));
  const small = (byte: number): Expression => read.byte(run.plus(number(4 + byte)));
  const isEarly = (): Expression => compare("lt", emitter.index(run), 4);
  /** Six bits of the first four runs lie in a byte, those of the others in four bits and in two that the first left. */
  const superblock = (quant: Expression): Expression => {
    const late = small(4);
    const scale = select(isEarly(), and(small(0), 63), or(and(late, 15), shl(shr(small(-4), 6), 4)));
    const minimum = select(isEarly(), and(late, 63), or(shr(late, 4), shl(shr(small(0), 6), 4)));
    const factor = (index: number, whole: Expression): Expression =>
      mul(convert(whole, "f32"), read.half(number(index)));
    return value(storage, quant, factor(0, scale), factor(1, minimum));
  };
  const pairs = (from: number): Expression =>
    four(
      read.byte(
        number(from)
          .plus(run.dividedBy(size(2)).times(size(32)))
          .plus(inRun),
      ),
      isSet(run.modulo(size(2))),
    );
  switch (storage) {
    case "q4_1":
      return value(storage, halves(4), read.half(number(0)), read.half(number(1)));
    case "q5_0":
      return value(storage, or(halves(6), fifth(2)), read.half(number(0)), undefined);
    case "q5_1":
      return value(storage, or(halves(8), fifth(4)), read.half(number(0)), read.half(number(1)));
    case "q4_K":
      return superblock(pairs(16));
    case "q5_K":
      return superblock(or(pairs(48), bitOf(read.byte(inRun.plus(number(16))), run)));
    case "q6_K": {
      const [part, quarter] = [column.dividedBy(size(128)), run.modulo(size(4))];
      const lowAt = part
        .times(size(64))
        .plus(quarter.modulo(size(2)).times(size(32)))
        .plus(inRun);
      const low = four(read.byte(lowAt), isSet(quarter.dividedBy(size(2))));
      const high = shr(
        read.byte(part.times(size(32)).plus(inRun).plus(number(128))),
        emitter.index(quarter.times(size(2))),
      );
      const scale = read.signed(column.dividedBy(size(16)).plus(number(192)));
      const quant = or(low, shl(and(high, 3), 4));
      return value(storage, quant, mul(convert(scale, "f32"), read.half(number(104))), undefined);
    }
    default:
      return storage satisfies never;
  }
}
