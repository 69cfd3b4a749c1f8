/**
 * Kernels for ops that look at a whole line of values: top, sort, argmax, top_mask, cumsum, scatter. One line is one row
 * of the grid. Selection goes slot by slot and remembers only what it chose last, so it needs no scratch memory and
 * breaks ties by the lowest index as the reference does.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, constant, convert, max, min, mul, or, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32, i32 } from "../kernel-types.js";
import type { Driver } from "../plan.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import { isGpu } from "../../targets/index.js";
import type { EntryLowering } from "./entry-lowering.js";
import { alone } from "./gpu-grouping.js";
import { isLongOnGpu, lineThreads, scanLines, type Scan } from "./gpu-lines.js";
import { eachRowOfBlocks, rowCoordinates } from "./nest.js";
import { Computed, elements, type Deferred, type Stored, type Tensor, type TensorAxis } from "./tensor.js";

/**
 * `rowKernel` for bodies that know `chooseInOrder` to be shared by the threads of a block: `body` is run by all of them,
 * so what it stores is left to one (`alone`).
 */
function lineKernel(
  entry: EntryLowering,
  kind: string,
  rows: readonly TensorAxis[],
  length: Size,
  perBlock: number,
  body: (emitter: Emitter, at: Coordinates) => void,
): void {
  if (!isLongOnGpu(entry, length)) return rowKernel(entry, kind, rows, perBlock, body);
  const emitter = entry.emitter(kind, undefined, lineThreads);
  eachRowOfBlocks(emitter, rows, (at) => body(emitter, at));
  entry.launch(emitter, elements(rows));
}

/** Write a kernel whose rows are `rows`; `most` rows go to one block, on a GPU one. The grid is multiplied by `share`. */
export function rowKernel(
  entry: EntryLowering,
  kind: string,
  rows: readonly TensorAxis[],
  most: number,
  body: (emitter: Emitter, at: Coordinates) => void,
  { share = Size.one, on }: { readonly share?: Size; readonly on?: Driver | undefined } = {},
): void {
  const emitter = entry.emitter(kind);
  const perBlock = isGpu(entry.program.target) ? 1 : most;
  const total = elements(rows);
  const live = rows.find((axis) => axis.live);
  const others = elements(rows.filter((axis) => axis !== live));
  const count = live
    ? mul(min(live.live!.read(emitter, new Map()), emitter.size(live.size)), emitter.size(others))
    : emitter.size(total);
  const start = emitter.builder.let("first", mul(block, perBlock));
  emitter.loop("row", start, min(add(start, perBlock), count), 1, total, (row) => {
    body(emitter, rowCoordinates(rows, row));
  });
  entry.launch(emitter, total.ceilDividedBy(Size.of(perBlock)).times(share), on);
}

export function storeAt(
  emitter: Emitter,
  target: Stored,
  at: Coordinates,
  value: Expression,
  access: "write" | "readwrite" = "write",
): void {
  const buffer = emitter.buffer(target.place, target.element, access);
  const number = value.type.element === "bool" ? convert(value, "i32") : value;
  emitter.builder.store(buffer, emitter.index(target.address(at)), number);
}

const isNumber = (x: Expression): Expression => compare("eq", x, x);

/**
 * Chooses slot after slot: the best one behind the one chosen before. `emit` gets value and index (-1 for none). Where
 * the threads of a block are together they share the search, and all of them get the choice; its value is read when asked.
 */
export function chooseInOrder(
  emitter: Emitter,
  count: Expression,
  slots: Expression,
  descending: boolean,
  element: "f32" | "i32",
  read: (at: Coordinate, register: Expression) => Expression,
  emit: (slot: Coordinate, value: () => Expression, index: Expression) => void,
): void {
  const { builder } = emitter;
  const type = element === "f32" ? f32 : i32;
  const lowest = element === "f32" ? -Infinity : -(2 ** 31);
  const highest = element === "f32" ? Infinity : 2 ** 31 - 1;
  const none = constant(lowest, type);
  // The end of the order: behind it comes nothing.
  const end = constant(descending ? lowest : highest, type);
  const noIndex = constant(2 ** 31 - 1);
  const lastValue = builder.variable("last_value", none);
  const lastIndex = builder.variable("last", constant(-1));
  emitter.loop("slot", 0, slots, 1, undefined, (slot, slotRegister) => {
    const best = builder.variable("best", end);
    const bestIndex = builder.variable("best_at", noIndex);
    const meet = (n: Coordinate, register: Expression): void => {
      const x = builder.let("x", read(n, register));
      const behind = or(
        compare(descending ? "lt" : "gt", x, lastValue.get),
        and(compare("eq", x, lastValue.get), compare("gt", register, lastIndex.get)),
      );
      const open = and(isNumber(x), or(compare("eq", slotRegister, 0), behind));
      const better = or(compare("eq", bestIndex.get, noIndex), compare(descending ? "gt" : "lt", x, best.get));
      const take = builder.let("take", and(open, better));
      best.set(select(take, x, best.get));
      bestIndex.set(select(take, register, bestIndex.get));
    };
    const isShared = emitter.isTogether;
    if (!isShared) emitter.loop("n", 0, count, 1, undefined, meet);
    else {
      emitter.threadLoop("n", count, undefined, meet);
      const whole = emitter.fold("whole", descending ? "max" : "min", best.get);
      const isMine = compare("eq", best.get, whole);
      bestIndex.set(emitter.fold("first", "min", select(isMine, bestIndex.get, noIndex)));
      best.set(whole);
    }
    // When nothing is left, nothing may be chosen again: the end of the order stays the end.
    const found = builder.let("found", compare("ne", bestIndex.get, noIndex));
    lastValue.set(select(found, best.get, end));
    lastIndex.set(bestIndex.get);
    const index = builder.let("chosen", select(found, bestIndex.get, constant(-1)));
    // Threads do not agree on which zero the greatest is: the value is read where it lies.
    const value = (): Expression => {
      if (!isShared) return best.get;
      const place = builder.let("chosen_at", max(index, 0));
      return emitter.here(() => read(emitter.variable(place, slot.variables), place));
    };
    emit(slot, () => select(found, value(), none), index);
  });
}

function linesOf(source: Tensor, over: string): readonly TensorAxis[] {
  return source.axes.filter((axis) => axis.name !== over);
}

function replaced(source: Tensor, over: string, as: TensorAxis): readonly TensorAxis[] {
  return source.axes.map((axis) => (axis.name === over ? as : axis));
}

function at(coordinates: Coordinates, axis: string, c: Coordinate): Coordinates {
  return new Map([...coordinates, [axis, c]]);
}

export function top(entry: EntryLowering, source: Deferred, over: string, as: TensorAxis): readonly Tensor[] {
  const x = source.force();
  const axes = replaced(x, over, as);
  const values = entry.allocate("top", x.dtype, axes);
  const indices = entry.allocate("top_index", "i32", axes);
  lineKernel(entry, "top", linesOf(x, over), x.axis(over).size, 4, (emitter, row) => {
    const size = emitter.size(x.axis(over).size);
    chooseInOrder(
      emitter,
      size,
      emitter.size(as.size),
      true,
      x.element === "i32" ? "i32" : "f32",
      (n) => x.read(emitter, at(row, over, n)),
      (slot, value, index) =>
        alone(emitter, () => {
          storeAt(emitter, values, at(row, as.name, slot), value());
          storeAt(emitter, indices, at(row, as.name, slot), index);
        }),
    );
  });
  return [values, indices];
}

export function sort(entry: EntryLowering, source: Deferred, over: string, descending: boolean): readonly Tensor[] {
  const x = source.force();
  const values = entry.allocate("sorted", x.dtype, x.axes);
  const indices = entry.allocate("sorted_index", "i32", x.axes);
  const sorting = { x, over, descending, values, indices };
  if (isGpu(entry.program.target)) placeByRank(entry, sorting);
  else sortLines(entry, sorting);
  return [values, indices];
}

interface Sorting {
  readonly x: Stored;
  readonly over: string;
  readonly descending: boolean;
  readonly values: Stored;
  readonly indices: Stored;
}

function sortLines(entry: EntryLowering, { x, over, descending, values, indices }: Sorting): void {
  rowKernel(entry, "sort", linesOf(x, over), 1, (emitter, row) => {
    const { builder } = emitter;
    const size = emitter.size(x.axis(over).size);
    const element = x.element === "i32" ? "i32" : "f32";
    const read = (n: Coordinate): Expression => x.read(emitter, at(row, over, n));
    const numbers = builder.variable("numbers", constant(0));
    chooseInOrder(emitter, size, size, descending, element, read, (slot, value, index) => {
      emitter.guard(compare("ge", index, 0), () => {
        storeAt(emitter, values, at(row, over, slot), value());
        storeAt(emitter, indices, at(row, over, slot), index);
        numbers.set(add(numbers.get, 1));
      });
    });
    if (element === "i32") return;
    // What is no number follows, in its old order.
    emitter.loop("n", 0, size, 1, undefined, (n, register) => {
      const value = builder.let("x", read(n));
      emitter.guard(compare("ne", value, value), () => {
        const place = emitter.variable(builder.let("place", numbers.get), n.variables);
        storeAt(emitter, values, at(row, over, place), value);
        storeAt(emitter, indices, at(row, over, place), register);
        numbers.set(add(numbers.get, 1));
      });
    });
  });
}

/** Each element by a thread of its own: it goes to the place with the number of those that come before it. */
function placeByRank(entry: EntryLowering, { x, over, descending, values, indices }: Sorting): void {
  rowKernel(entry, "sort", x.axes, 1, (emitter, coordinates) => {
    const { builder } = emitter;
    const own = builder.let("own", x.read(emitter, coordinates));
    const index = builder.let("index", emitter.index(coordinates.get(over)!));
    const before = builder.variable("before", constant(0));
    emitter.loop("n", 0, emitter.size(x.axis(over).size), 1, undefined, (n, register) => {
      const other = builder.let("other", x.read(emitter, at(coordinates, over, n)));
      const earlier = compare("lt", register, index);
      const better = or(compare(descending ? "gt" : "lt", other, own), and(compare("eq", other, own), earlier));
      // What is no number follows, in its old order.
      const first = x.element === "i32" ? better : select(isNumber(own), better, or(isNumber(other), earlier));
      before.set(add(before.get, select(first, constant(1), constant(0))));
    });
    const variables = [...coordinates.values()].flatMap((c) => [...c.variables]);
    const place = at(coordinates, over, emitter.variable(builder.let("place", before.get), variables));
    storeAt(emitter, values, place, own);
    storeAt(emitter, indices, place, index);
  });
}

export function argBest(entry: EntryLowering, source: Deferred, over: string, descending: boolean): Tensor {
  const x = source.force();
  const result = entry.allocate("arg", "i32", linesOf(x, over));
  lineKernel(entry, "arg", linesOf(x, over), x.axis(over).size, 16, (emitter, row) => {
    chooseInOrder(
      emitter,
      emitter.size(x.axis(over).size),
      constant(1),
      descending,
      x.element === "i32" ? "i32" : "f32",
      (n) => x.read(emitter, at(row, over, n)),
      (_, __, index) => alone(emitter, () => storeAt(emitter, result, row, index)),
    );
  });
  return result;
}

/** An element is kept when fewer than k come before it in the order. */
export function topMask(source: Deferred, over: string, k: Size): Tensor {
  const x = source.force();
  return new Computed("bool", x.axes, { cost: 64, scalar: true }, (emitter, coordinates) => {
    const own = emitter.builder.let("own", x.read(emitter, coordinates));
    const place = emitter.index(coordinates.get(over)!);
    const before = emitter.builder.variable("before", constant(0));
    emitter.loop("n", 0, emitter.size(x.axis(over).size), 1, undefined, (n, register) => {
      const other = x.read(emitter, at(coordinates, over, n));
      const first = or(compare("gt", other, own), and(compare("eq", other, own), compare("lt", register, place)));
      before.set(add(before.get, select(first, constant(1), constant(0))));
    });
    return and(isNumber(own), compare("lt", before.get, emitter.size(k)));
  });
}

export function cumulativeSum(
  entry: EntryLowering,
  source: Deferred,
  over: string,
  options: { readonly exclusive: boolean; readonly reverse: boolean },
): Tensor {
  const result = entry.allocate("cumsum", source.dtype, source.axes);
  const { size } = source.axis(over);
  /** An element is read, and the sum that stands there stored. */
  const step: Scan["step"] = (emitter, place, sum) => {
    const x = source.read(emitter, place);
    if (options.exclusive) storeAt(emitter, result, place, sum.get);
    sum.set(add(sum.get, x));
    if (!options.exclusive) storeAt(emitter, result, place, sum.get);
  };
  const scan: Scan = {
    source,
    over,
    place: (row, n) => at(row, over, options.reverse ? Coordinate.size(size.minus(Size.one)).minus(n) : n),
    step,
  };
  if (isLongOnGpu(entry, size)) {
    scanLines(entry, scan);
    return result;
  }
  rowKernel(entry, "cumsum", linesOf(source, over), 4, (emitter, row) => {
    const sum = emitter.builder.variable("sum", constant(0, source.dtype === "f32" ? f32 : i32));
    emitter.loop(over, 0, emitter.size(size), 1, size, (n) => step(emitter, scan.place(row, n), sum));
  });
  return result;
}

/** Zeros first, then value after value in order, so that the last one of equal ids stays. */
export function scatter(
  entry: EntryLowering,
  idsValue: Deferred,
  valuesValue: Deferred,
  into: TensorAxis,
  mode: "add" | "set",
): Tensor {
  const ids = idsValue.force();
  const values = valuesValue.force();
  const last = ids.axes.at(-1)!;
  const result = entry.allocate("scatter", values.dtype, replaced(values, last.name, into));
  const type = values.dtype === "f32" ? f32 : i32;
  rowKernel(entry, "scatter", linesOf(values, last.name), 4, (emitter, row) => {
    const target = emitter.buffer(result.place, result.element, "readwrite");
    emitter.loop(into.name, 0, emitter.size(into.size), 1, into.size, (c) => {
      emitter.builder.store(target, emitter.index(result.address(at(row, into.name, c))), constant(0, type));
    });
    emitter.loop(last.name, 0, emitter.size(last.size), 1, last.size, (n) => {
      const id = emitter.builder.let("id", ids.read(emitter, at(row, last.name, n)));
      const inside = and(compare("ge", id, 0), compare("lt", id, emitter.size(into.size)));
      emitter.guard(inside, () => {
        const place = emitter.variable(emitter.builder.let("place", id), n.variables, into.size);
        const address = emitter.index(result.address(at(row, into.name, place)));
        const value = values.read(emitter, at(row, last.name, n));
        const next = mode === "add" ? add(emitter.builder.load(target, address), value) : value;
        emitter.builder.store(target, address, next);
      });
    });
  });
  return result;
}
