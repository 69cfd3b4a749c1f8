/**
 * A kernel that writes one tensor: a loop nest over its axes. Leading axes make rows, which blocks share out; reductions
 * inside the value sit at the loop whose variables they depend on (so a norm or a softmax is one pass over a row and one
 * kernel); the last axis runs in vectors when its neighbours lie side by side.
 */
import { Size } from "../../axes/size.js";
import {
  add,
  block,
  constant,
  convert,
  div,
  min,
  mul,
  rem,
  splat,
  sub,
  thread,
  compare,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { isGpu, type Target } from "../../targets/index.js";
import type { Driver } from "../plan.js";
import type { Coordinate } from "./coordinate.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { forDrivers } from "./gpu-grouping.js";
import { writeProducts } from "./product-kernel.js";
import { elements, type Stored, type Tensor, type TensorAxis } from "./tensor.js";

/** Operations that one block should have at least: some ten microseconds of work; on a GPU as few as can be. */
const blockWorkOf = (target: Target): number => (isGpu(target) ? 1 : 32_768);

interface Shape {
  /** Axes that make rows. */
  readonly rows: readonly TensorAxis[];
  /** Axes that are loops within a row, but for `last`. */
  readonly loops: readonly TensorAxis[];
  readonly last: TensorAxis | undefined;
  readonly vector: boolean;
}

/** How many leading axes can be rows, after forcing reductions into memory that would be computed again and again. */
function hoistedPrefix(source: Tensor, axes: readonly TensorAxis[]): number {
  for (;;) {
    let prefix = axes.length;
    let forced = false;
    for (const hoist of source.hoists) {
      const names = new Set(hoist.axes);
      const needed = axes.filter((axis) => names.has(axis.name)).length;
      const leading = axes.slice(0, needed).every((axis) => names.has(axis.name) || axis.size.constant === 1);
      if (leading && needed > 0) prefix = Math.min(prefix, needed);
      else if (axes.length > 0) {
        hoist.value.force();
        forced = true;
        break;
      }
    }
    if (!forced) return prefix;
  }
}

function shapeOf(source: Tensor, target: Stored, lanes: number): Shape {
  const { axes } = target;
  const prefix = hoistedPrefix(source, axes);
  const last = axes.at(-1);
  const size = last?.size.constant;
  const vector =
    last !== undefined &&
    lanes > 1 &&
    (size === undefined || size >= lanes) &&
    last.live === undefined &&
    target.strides.get(last.name)!.constant === 1 &&
    source.lanesAlong(last.name);
  if (vector) {
    const rows = Math.min(prefix, axes.length - 1);
    return { rows: axes.slice(0, rows), loops: axes.slice(rows, -1), last, vector };
  }
  return { rows: axes.slice(0, prefix), loops: axes.slice(prefix), last: undefined, vector };
}

/** The number that is surely there, or a guess for run-time sizes. */
function guess(axes: readonly TensorAxis[]): number {
  return axes.reduce((product, axis) => product * (axis.size.constant ?? 16), 1);
}

/** Coordinates of row number `row`. */
export function rowCoordinates(rows: readonly TensorAxis[], row: Coordinate): Coordinates {
  return new Map(
    rows.map((axis, index) => {
      const below = elements(rows.slice(index + 1));
      const quotient = row.dividedBy(below);
      return [axis.name, index === 0 ? quotient : quotient.modulo(axis.size)];
    }),
  );
}

/** The number of rows that are really there. */
function rowCount(emitter: Emitter, rows: readonly TensorAxis[]): Expression {
  const live = rows.find((axis) => axis.live);
  if (!live) return emitter.size(elements(rows));
  const others = elements(rows.filter((axis) => axis !== live));
  return mul(min(live.live!.read(emitter, new Map()), emitter.size(live.size)), emitter.size(others));
}

function write(emitter: Emitter, source: Tensor, target: Stored, at: Coordinates): void {
  const buffer = emitter.buffer(target.place, target.element, "write");
  const value = source.read(emitter, at);
  const number = value.type.element === "bool" ? convert(value, "i32") : value;
  const lanes = emitter.vector?.lanes ?? 1;
  const address = emitter.scalar(() => emitter.index(target.address(at)));
  emitter.builder.store(buffer, address, number.type.lanes === lanes ? number : splat(number, lanes));
}

/** Loops over `axis` in vectors with a scalar rest, from column `from` to column `to`. */
export function vectorLoop(
  emitter: Emitter,
  axis: TensorAxis,
  from: Expression,
  to: Expression,
  whole: boolean,
  body: (at: Coordinate) => void,
): void {
  const { lanes } = emitter;
  const end = whole ? to : emitter.builder.let("vectors", sub(to, rem(sub(to, from), constant(lanes))));
  emitter.loop(axis.name, from, end, lanes, axis.size, (at, register) =>
    emitter.withVector({ name: (register as Expression & { kind: "get" }).name, lanes }, () => body(at)),
  );
  if (!whole) emitter.loop(axis.name, end, to, 1, axis.size, (at) => body(at));
}

export function writeNest(entry: EntryLowering, source: Tensor, target: Stored): void {
  if (writeProducts(entry, source, target)) return;
  const shape = shapeOf(source, target, entry.lanes);
  if (!isGpu(entry.program.target) || !isLong(source)) return writeShape(entry, source, target, shape);
  forDrivers(entry, (on) =>
    on === "cpu" ? writeShape(entry, source, target, shape, on) : writeTogether(entry, source, target, shape, on),
  );
}

/** Operations of a reduction from which on the threads of a block share it. */
const longReduction = 64;
const isLong = (source: Tensor): boolean => source.hoists.some(({ value }) => value.cost >= longReduction);

/** A block for each row: its threads reduce together and then share the elements of the row. */
function writeTogether(
  entry: EntryLowering,
  source: Tensor,
  target: Stored,
  shape: Shape,
  on: Driver | undefined,
): void {
  const emitter = entry.emitter(entry.node?.op ?? "copy", undefined, rowThreads);
  const inner = [...shape.loops, ...(shape.last ? [shape.last] : [])];
  eachRowOfBlocks(emitter, shape.rows, (at) => {
    if (inner.length === 0) {
      // All threads reduce, one stores.
      source.read(emitter, at);
      emitter.guard(compare("eq", thread, 0), () => write(emitter, source, target, at));
      return;
    }
    const count = elements(inner);
    emitter.threadLoop("element", emitter.size(count), count, (element) =>
      write(emitter, source, target, new Map([...at, ...rowCoordinates(inner, element)])),
    );
  });
  entry.launch(emitter, elements(shape.rows), on);
}

const rowThreads = 64;

/** A row for each block, where it is there: all threads of the block come to `body` together. */
export function eachRowOfBlocks(emitter: Emitter, rows: readonly TensorAxis[], body: (at: Coordinates) => void): void {
  const row = emitter.variable(block, [], elements(rows));
  const own = (): void => body(rowCoordinates(rows, row));
  if (!rows.some((axis) => axis.live)) return own();
  const present = emitter.fold("present", "first", rowCount(emitter, rows));
  emitter.guard(compare("lt", emitter.let("row", block), present), own);
}

function writeShape(entry: EntryLowering, source: Tensor, target: Stored, shape: Shape, on?: Driver): void {
  const emitter = entry.emitter(entry.node?.op ?? "copy");
  const { lanes } = emitter;
  const blockWork = blockWorkOf(entry.program.target);
  const inner = [...shape.loops, ...(shape.last ? [shape.last] : [])];
  const rowWork = Math.max(1, guess(inner) * Math.max(1, source.cost / (shape.vector ? lanes : 1)));
  const columns = shape.last?.size.constant;
  // Wide rows without a common reduction are cut into pieces.
  const cut = shape.loops.length === 0 && columns !== undefined && rowWork >= 2 * blockWork && noHoist(source, shape);
  const piece = cut ? Math.max(lanes, Math.ceil((columns * blockWork) / rowWork / lanes) * lanes) : 0;
  const pieces = cut ? Math.ceil(columns / piece) : 1;
  const perBlock = cut ? 1 : Math.max(1, Math.round(blockWork / rowWork));
  const count = emitter.builder.let("rows", rowCount(emitter, shape.rows));
  const first = cut ? div(block, pieces) : mul(block, perBlock);
  const start = emitter.builder.let("first", first);
  emitter.loop("row", start, min(add(start, perBlock), count), 1, elements(shape.rows), (row) => {
    const nest = (level: number, at: Coordinates): void => {
      const axis = shape.loops[level];
      if (axis) {
        emitter.loop(axis.name, 0, emitter.size(axis.size), 1, axis.size, (c) =>
          nest(level + 1, new Map([...at, [axis.name, c]])),
        );
        return;
      }
      const { last } = shape;
      if (!last) return write(emitter, source, target, at);
      const size = emitter.size(last.size);
      const from = cut ? emitter.builder.let("from", mul(rem(block, pieces), piece)) : constant(0);
      const to = cut ? emitter.builder.let("to", min(add(from, piece), size)) : size;
      const whole = columns !== undefined && columns % lanes === 0;
      vectorLoop(emitter, last, from, to, whole, (c) =>
        write(emitter, source, target, new Map([...at, [last.name, c]])),
      );
    };
    nest(0, rowCoordinates(shape.rows, row));
  });
  entry.launch(emitter, elements(shape.rows).ceilDividedBy(Size.of(perBlock)).times(Size.of(pieces)), on);
}

function noHoist(source: Tensor, shape: Shape): boolean {
  return source.hoists.every((hoist) => hoist.axes.length > shape.rows.length);
}
