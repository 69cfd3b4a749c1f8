/**
 * Sorting rows by expert when there are many more experts than rows: by the two digits of the expert's number to a base of
 * about the square root of the number of experts, low digit first (each pass keeps the order of equal digits). Nothing is
 * as long as the list of experts, so a bank of 262,144 costs two walks over 512 counters.
 */
import { Size } from "../../axes/size.js";
import type { BufferHandle } from "../kernel-builder.js";
import { add, and, compare, constant, div, rem, select } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { Emitter } from "./emitter.js";

/** Buffers of the rows: see `Grouping`. */
export interface DigitBuffers {
  readonly index: BufferHandle;
  readonly slotOfRow: BufferHandle;
  readonly expertOfRow: BufferHandle;
  readonly rowOfSlot: BufferHandle;
  readonly banks: BufferHandle;
  /** Room for the slots between the passes. */
  readonly between: BufferHandle;
  /** As many numbers as there are digits. */
  readonly counters: BufferHandle;
}

/** The base: its square is at least the number of experts. */
export const digitBase = (experts: number): number => Math.ceil(Math.sqrt(experts));

/** Writes the sorting for `slots` slots; `bankSizes` follow each other. */
export function sortByDigits(
  emitter: Emitter,
  buffers: DigitBuffers,
  slots: Size,
  experts: number,
  bankSizes: readonly Size[],
): void {
  const { builder } = emitter;
  const { index, between, counters, slotOfRow, expertOfRow, rowOfSlot } = buffers;
  const base = digitBase(experts);
  const most = emitter.size(slots);
  /** Puts what `walk` gives in the order of a digit. */
  const pass = (
    walk: (visit: (slot: Expression, expert: Expression) => void) => void,
    digit: (expert: Expression) => Expression,
    place: (row: Expression, slot: Expression, expert: Expression) => void,
  ): Expression => {
    const counter = (expert: Expression): Expression => builder.let("digit", digit(expert));
    emitter.loop("digit", 0, base, 1, undefined, (_, d) => builder.store(counters, d, 0));
    walk((_, expert) => {
      const own = counter(expert);
      builder.store(counters, own, add(builder.load(counters, own), 1));
    });
    const sum = builder.variable("sum", constant(0));
    emitter.loop("digit", 0, base, 1, undefined, (_, d) => {
      const count = builder.let("count", builder.load(counters, d));
      builder.store(counters, d, sum.get);
      sum.set(add(sum.get, count));
    });
    walk((slot, expert) => {
      const own = counter(expert);
      const row = builder.let("row", builder.load(counters, own));
      builder.store(counters, own, add(row, 1));
      place(row, slot, expert);
    });
    return sum.get;
  };
  const taken = (visit: (slot: Expression, expert: Expression) => void): void =>
    emitter.loop("n", 0, most, 1, undefined, (_, n) => {
      const expert = builder.let("expert", builder.load(index, n));
      emitter.guard(compare("ge", expert, 0), () => visit(n, expert));
    });
  emitter.loop("n", 0, most, 1, undefined, (_, n) => builder.store(rowOfSlot, n, -1));
  const rows = pass(
    taken,
    (expert) => rem(expert, base),
    (row, slot) => builder.store(between, row, slot),
  );
  const count = builder.let("rows", rows);
  const ordered = (visit: (slot: Expression, expert: Expression) => void): void =>
    emitter.loop("n", 0, count, 1, undefined, (_, n) => {
      const slot = builder.let("slot", builder.load(between, n));
      visit(slot, builder.let("expert", builder.load(index, slot)));
    });
  pass(
    ordered,
    (expert) => div(expert, base),
    (row, slot, expert) => {
      builder.store(slotOfRow, row, slot);
      builder.store(expertOfRow, row, expert);
      builder.store(rowOfSlot, slot, row);
    },
  );
  let first = Size.zero;
  for (const [bank, size] of bankSizes.entries()) {
    // The rows before this bank, and those of it.
    const below = builder.variable("below", constant(0));
    const own = builder.variable("own", constant(0));
    const [from, to] = [emitter.size(first), emitter.size(first.plus(size))];
    emitter.loop("n", 0, count, 1, undefined, (_, n) => {
      const expert = builder.let("expert", builder.load(expertOfRow, n));
      const inside = and(compare("ge", expert, from), compare("lt", expert, to));
      below.set(add(below.get, select(compare("lt", expert, from), constant(1), constant(0))));
      own.set(add(own.get, select(inside, constant(1), constant(0))));
    });
    builder.store(buffers.banks, 2 * bank, below.get);
    builder.store(buffers.banks, 2 * bank + 1, own.get);
    first = first.plus(size);
  }
}
