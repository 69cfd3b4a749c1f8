/**
 * Kernels for ops that look at a whole line of values: top, sort, argmax, top_mask, cumsum, scatter. One line is one row
 * of the grid. Selection goes slot by slot and remembers only what it chose last, so it needs no scratch memory and
 * breaks ties by the lowest index as the reference does.
 */
import { Size } from "../../axes/size.js";
import { add, and, block, compare, constant, convert, min, mul, or, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { f32, i32 } from "../kernel-types.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { rowCoordinates } from "./nest.js";
import { Computed, elements, type Deferred, type Stored, type Tensor, type TensorAxis } from "./tensor.js";

/** Write a kernel whose rows are `rows`; `perBlock` rows go to one block. The grid is multiplied by `share`. */
export function rowKernel(
  entry: EntryLowering,
  kind: string,
  rows: readonly TensorAxis[],
  perBlock: number,
  body: (emitter: Emitter, at: Coordinates) => void,
  share: Size = Size.one,
): void {
  const emitter = entry.emitter(kind);
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
  entry.launch(emitter, total.ceilDividedBy(Size.of(perBlock)).times(share));
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

/** Chooses slot after slot: the best one behind the one chosen before. `emit` gets value and index (-1 for none). */
export function chooseInOrder(
  emitter: Emitter,
  count: Expression,
  slots: Expression,
  descending: boolean,
  element: "f32" | "i32",
  read: (at: Coordinate, register: Expression) => Expression,
  emit: (slot: Coordinate, value: Expression, index: Expression) => void,
): void {
  const { builder } = emitter;
  const type = element === "f32" ? f32 : i32;
  const none = element === "f32" ? -Infinity : -(2 ** 31);
  const lastValue = builder.variable("last_value", constant(none, type));
  const lastIndex = builder.variable("last", constant(-1));
  emitter.loop("slot", 0, slots, 1, undefined, (slot, slotRegister) => {
    const best = builder.variable("best", constant(none, type));
    const bestIndex = builder.variable("best_at", constant(-1));
    emitter.loop("n", 0, count, 1, undefined, (n, register) => {
      const x = builder.let("x", read(n, register));
      const behind = or(
        compare(descending ? "lt" : "gt", x, lastValue.get),
        and(compare("eq", x, lastValue.get), compare("gt", register, lastIndex.get)),
      );
      const open = and(isNumber(x), or(compare("eq", slotRegister, 0), behind));
      const better = or(compare("lt", bestIndex.get, 0), compare(descending ? "gt" : "lt", x, best.get));
      const take = builder.let("take", and(open, better));
      best.set(select(take, x, best.get));
      bestIndex.set(select(take, register, bestIndex.get));
    });
    // When nothing is left, nothing may be chosen again: the end of the order stays the end.
    const found = builder.let("found", compare("ge", bestIndex.get, 0));
    const end = constant(descending ? none : element === "f32" ? Infinity : 2 ** 31 - 1, type);
    lastValue.set(select(found, best.get, end));
    lastIndex.set(select(found, bestIndex.get, constant(2 ** 31 - 1)));
    emit(slot, select(found, best.get, constant(none, type)), bestIndex.get);
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
  rowKernel(entry, "top", linesOf(x, over), 4, (emitter, row) => {
    const size = emitter.size(x.axis(over).size);
    chooseInOrder(
      emitter,
      size,
      emitter.size(as.size),
      true,
      x.element === "i32" ? "i32" : "f32",
      (n) => x.read(emitter, at(row, over, n)),
      (slot, value, index) => {
        storeAt(emitter, values, at(row, as.name, slot), value);
        storeAt(emitter, indices, at(row, as.name, slot), index);
      },
    );
  });
  return [values, indices];
}

export function sort(entry: EntryLowering, source: Deferred, over: string, descending: boolean): readonly Tensor[] {
  const x = source.force();
  const values = entry.allocate("sorted", x.dtype, x.axes);
  const indices = entry.allocate("sorted_index", "i32", x.axes);
  rowKernel(entry, "sort", linesOf(x, over), 1, (emitter, row) => {
    const { builder } = emitter;
    const size = emitter.size(x.axis(over).size);
    const element = x.element === "i32" ? "i32" : "f32";
    const read = (n: Coordinate): Expression => x.read(emitter, at(row, over, n));
    const numbers = builder.variable("numbers", constant(0));
    chooseInOrder(emitter, size, size, descending, element, read, (slot, value, index) => {
      emitter.guard(compare("ge", index, 0), () => {
        storeAt(emitter, values, at(row, over, slot), value);
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
  return [values, indices];
}

export function argBest(entry: EntryLowering, source: Deferred, over: string, descending: boolean): Tensor {
  const x = source.force();
  const result = entry.allocate("arg", "i32", linesOf(x, over));
  rowKernel(entry, "arg", linesOf(x, over), 16, (emitter, row) => {
    chooseInOrder(
      emitter,
      emitter.size(x.axis(over).size),
      constant(1),
      descending,
      x.element === "i32" ? "i32" : "f32",
      (n) => x.read(emitter, at(row, over, n)),
      (_, __, index) => storeAt(emitter, result, row, index),
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
  rowKernel(entry, "cumsum", linesOf(source, over), 4, (emitter, row) => {
    const size = source.axis(over).size;
    const sum = emitter.builder.variable("sum", constant(0, source.dtype === "f32" ? f32 : i32));
    emitter.loop(over, 0, emitter.size(size), 1, size, (n) => {
      const c = options.reverse ? Coordinate.size(size.minus(Size.one)).minus(n) : n;
      const x = source.read(emitter, at(row, over, c));
      if (options.exclusive) storeAt(emitter, result, at(row, over, c), sum.get);
      sum.set(add(sum.get, x));
      if (!options.exclusive) storeAt(emitter, result, at(row, over, c), sum.get);
    });
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
