/** Lines of values on a GPU: when the threads of a block share one, and running sums by them. */
import type { Size } from "../../axes/size.js";
import { isGpu } from "../../targets/index.js";
import { add, constant, div, min, mul, thread } from "../kernel-expressions.js";
import type { Variable } from "../kernel-builder.js";
import { f32, i32 } from "../kernel-types.js";
import type { Coordinate, Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { eachRowOfBlocks } from "./nest.js";
import { elements, type Tensor } from "./tensor.js";

/** Elements of a line from which on the threads of a block share it. */
const longLine = 64;
/** Threads of such a block. */
export const lineThreads = 128;

/** Also true for a length that only a call knows. */
export function isLongOnGpu(entry: EntryLowering, length: Size): boolean {
  return isGpu(entry.program.target) && (length.constant ?? longLine) >= longLine;
}

/** A running sum along an axis. */
export interface Scan {
  readonly source: Tensor;
  readonly over: string;
  /** Where the element stands that is summed as number `n`. */
  readonly place: (row: Coordinates, n: Coordinate) => Coordinates;
  /** Takes the element at a place into the sum, and stores what belongs there. */
  readonly step: (emitter: Emitter, place: Coordinates, sum: Variable) => void;
}

/** Each thread sums a piece of the line, and begins its own running sum behind the sums of the pieces before. */
export function scanLines(entry: EntryLowering, { source, over, place, step }: Scan): void {
  const rows = source.axes.filter((axis) => axis.name !== over);
  const { size } = source.axis(over);
  const type = source.dtype === "f32" ? f32 : i32;
  const emitter = entry.emitter("cumsum", undefined, lineThreads);
  const { builder } = emitter;
  const pieces = builder.blockBuffer("pieces", source.dtype === "f32" ? "f32" : "i32", "shared", lineThreads);
  eachRowOfBlocks(emitter, rows, (row) => {
    const count = emitter.let("count", emitter.size(size));
    const piece = emitter.let("piece", div(add(count, lineThreads - 1), lineThreads));
    const from = builder.let("from", mul(thread, piece));
    const to = builder.let("to", min(add(from, piece), count));
    const own = builder.variable("own", constant(0, type));
    emitter.loop(over, from, to, 1, size, (n) => own.set(add(own.get, source.read(emitter, place(row, n)))));
    builder.store(pieces, thread, own.get);
    builder.barrier();
    const sum = builder.variable("sum", constant(0, type));
    builder.loop("before", 0, thread, 1, (before) => sum.set(add(sum.get, builder.load(pieces, before))));
    emitter.loop(over, from, to, 1, size, (n) => step(emitter, place(row, n), sum));
  });
  entry.launch(emitter, elements(rows));
}
