/**
 * Rows of keys and values on their way into shared memory, as halves: 16 bytes at a time where they lie so that this is
 * possible. They are asked for first and written later, so that what is computed in between need not wait for memory.
 */
import { Size } from "../../axes/size.js";
import {
  add,
  and,
  bitcast,
  compare,
  div,
  extract,
  min,
  mul,
  not,
  or,
  rem,
  select,
  shru,
  sub,
  thread,
} from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Expression } from "../kernel-ir.js";
import { plus } from "./attention.js";
import type { KeyBlock } from "./attention-blocks.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import { matrixThreads, pieceHalves, spread, words } from "./cuda-factors.js";
import type { Emitter } from "./emitter.js";
import type { Stored } from "./tensor.js";

type Half = "f16" | "bf16";

/** The halves that keys or values are kept as, if they are. */
export const halfOf = ({ format }: Stored): Half | undefined =>
  format === "f16" || format === "bf16" ? format : undefined;

/** Bits of the exponents of two halves in a word: all of them are set in infinities and in what is no number. */
const exponents: Readonly<Record<Half, number>> = { f16: 0x7c007c00, bf16: 0x7f807f80 };
/** What carries such an exponent into the bit of the sign. */
const lowest: Readonly<Record<Half, number>> = { f16: 0x04000400, bf16: 0x00800080 };
const signs = 0x80008000 | 0;

/** True where an f32 is an infinity or no number. */
export const isEndless = (x: Expression): Expression => compare("eq", and(bitcast(x, "i32"), 0x7f800000), 0x7f800000);

/** Rows of keys or values, and where those of a block go. */
export interface HalfRowsOfKeys {
  readonly from: Stored;
  readonly keyAxis: string;
  /** The axis whose numbers make up a row, and how many they are. */
  readonly along: string;
  readonly width: number;
  /** Coordinates of the other axes. */
  readonly at: Coordinates;
  readonly into: BufferHandle;
  /** Elements from a row in shared memory to the next. */
  readonly line: number;
  /** Keys of a block. */
  readonly keys: number;
  /** Where it is given: infinities and what is no number become 0 on the way, and this is run for them. */
  readonly onEndless?: () => void;
}

/** Where the numbers of a row of keys lie in memory. */
export interface RowPlace {
  readonly source: BufferHandle;
  /** Of the first row of the block; rows are `keyStep` apart, numbers of a row `step`. */
  readonly start: Expression;
  readonly keyStep: Expression;
  readonly step: Expression;
}

export function rowPlace(emitter: Emitter, rows: HalfRowsOfKeys, visited: KeyBlock): RowPlace {
  const { from, keyAxis, along, at } = rows;
  const zero = plus(plus(at, keyAxis, Coordinate.zero), along, Coordinate.zero);
  const keyStep = emitter.size(from.strides.get(keyAxis)!);
  return {
    source: emitter.buffer(from.place, from.element, "read"),
    start: emitter.builder.let("rows_at", add(emitter.index(from.address(zero)), mul(visited.start, keyStep))),
    keyStep,
    step: emitter.size(from.strides.get(along)!),
  };
}

/** Asks for the rows of a block of keys, the last one again behind it; gives what writes them into shared memory. */
export function askForRows(emitter: Emitter, rows: HalfRowsOfKeys, visited: KeyBlock): () => void {
  const { builder } = emitter;
  const { from, width, into, line, keys, onEndless } = rows;
  const { source, start, keyStep, step } = rowPlace(emitter, rows, visited);
  const last = builder.let("last_key", sub(visited.count, 1));
  if (!liesInPieces(rows)) {
    return () =>
      builder.loop("e", thread, keys * width, matrixThreads, (e) => {
        const key = builder.let("key", div(e, width));
        const d = builder.let("d", rem(e, width));
        const x = builder.let("x", builder.load(source, add(start, add(mul(min(key, last), keyStep), mul(d, step)))));
        const place = add(mul(key, line), d);
        if (!onEndless) return builder.store(into, place, x);
        const endless = builder.let("is_endless", isEndless(x));
        builder.ifThen(endless, onEndless);
        builder.store(into, place, select(endless, 0, x));
      });
  }
  const half = halfOf(from)!;
  const perRow = width / pieceHalves;
  const pieces = spread(emitter, keys * perRow, (number, guarded) => {
    const key = builder.let("key", div(number, perRow));
    const column = builder.let("column", mul(rem(number, perRow), pieceHalves));
    const at = add(start, add(mul(min(key, last), keyStep), column));
    const place = builder.let("to", add(mul(key, line), column));
    return {
      read: () => builder.load(source, builder.let("row_at", at), words),
      write: (value) =>
        guarded(() => {
          const four = onEndless ? finite(emitter, value, half, onEndless) : value;
          builder.store(into, place, four, { as: "i32" });
        }),
    };
  });
  // Places begin at the block's first key already.
  const held = pieces.map(({ read }) => builder.let("held", read(visited.start)));
  return () => pieces.forEach(({ write }, i) => write(held[i]!, visited.start));
}

/** Four words of halves with 0 for infinities and what is no number. */
function finite({ builder }: Emitter, value: Expression, half: Half, onEndless: () => void): Expression {
  const four = builder.variable("four", value);
  const marks = builder.let("marks", and(add(and(value, exponents[half]), lowest[half]), signs));
  const any = [0, 1, 2, 3].map((word) => extract(marks, word)).reduce((a, b) => or(a, b));
  builder.ifThen(compare("ne", any, 0), () => {
    onEndless();
    four.set(and(value, not(mul(shru(marks, 15), 0xffff))));
  });
  return four.get;
}

/** Whether each row is whole pieces of 16 bytes that begin at multiples of their size. */
function liesInPieces({ from: { axes, strides, offset, place }, along, width }: HalfRowsOfKeys): boolean {
  const others = axes.filter(({ name }) => name !== along).map(({ name }) => strides.get(name)!);
  const isWhole = (size: Size, of: number): boolean => size.dividedBy(Size.of(of)) !== undefined;
  return (
    strides.get(along)!.constant === 1 &&
    width % pieceHalves === 0 &&
    [offset, ...others].every((size) => isWhole(size, pieceHalves)) &&
    isWhole(place.offset, 2 * pieceHalves) &&
    Object.values(place.strides).every((bytes) => bytes % (2 * pieceHalves) === 0)
  );
}
