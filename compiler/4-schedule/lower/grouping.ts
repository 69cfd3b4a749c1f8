/**
 * Rows of a mixture: the slots of all tokens sorted by expert, counted and ordered on the device. Everything an expert
 * computes is then computed over the axis of rows, next to one another for one expert, with no padding.
 */
import { Size } from "../../axes/size.js";
import { isGpu } from "../../targets/index.js";
import type { max } from "../kernel-expressions.js";
import { add, compare, constant } from "../kernel-expressions.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { digitBase, sortByDigits, type DigitBuffers } from "./grouping-digits.js";
import { launchGrouping, partFields } from "./gpu-grouping.js";
import { mostParts } from "./gpu-shape.js";
import { slotAxis, type Routes } from "./routes.js";
import { elements, type Stored, type TensorAxis } from "./tensor.js";

/** The axis of rows; no name of a program has a dollar. */
export const rowAxis = "$row";

export interface Grouping {
  readonly routes: Routes;
  /** Tokens times slots: how many rows there can be. */
  readonly most: Size;
  /** `[rows]`: number of the slot (token * slots + slot) of each row. */
  readonly slotOfRow: Stored;
  /** `[rows]`: expert of each row. */
  readonly expertOfRow: Stored;
  /** `[tokens * slots]`: row of each slot, -1 for an empty one. */
  readonly rowOfSlot: Stored;
  /** `[E + 1]`: first row of each expert, and the number of rows. Only where a bank has few experts (`listedExperts`). */
  readonly start: Stored;
  /** `[banks, 2]`: first row and number of rows of each bank. */
  readonly banks: Stored;
  /** `[parts, 3]`: expert, first row and number of rows of what one block takes. On GPUs, where experts are listed. */
  readonly parts?: Stored;
}

const line = (axis: string, size: Size): readonly TensorAxis[] => [{ name: axis, size }];

/** Experts of a bank up to which each one has blocks of its own, empty or not, and so asks where its rows begin. */
export const listedExperts = 1024;

/** Memory for the rows of these routes. */
function groupingMemory(entry: EntryLowering, routes: Routes, bankSizes: readonly Size[]): Grouping {
  const most = elements(routes.tokens).times(routes.slots);
  const experts = routes.experts.size;
  const one = (wish: string, size: Size): Stored => entry.allocate(wish, "i32", line("n", size));
  return {
    routes,
    most,
    slotOfRow: one("slot_of_row", most),
    expertOfRow: one("expert_of_row", most),
    rowOfSlot: one("row_of_slot", most),
    start: one("expert_start", isLarge(routes, bankSizes) ? Size.one : experts.plus(Size.one)),
    banks: one("bank_rows", Size.of(2 * bankSizes.length)),
    ...(isListedOnGpu(entry, routes)
      ? { parts: one("parts", mostParts({ most, routes }).times(Size.of(partFields))) }
      : {}),
  };
}

const isLarge = (routes: Routes, bankSizes: readonly Size[]): boolean =>
  routes.experts.size.constant !== undefined && bankSizes.every((size) => (size.constant ?? 0) > listedExperts);

function isListedOnGpu(entry: EntryLowering, { experts }: Pick<Routes, "experts">): boolean {
  return isGpu(entry.program.target) && (experts.size.constant ?? Infinity) <= listedExperts;
}

/** On a GPU: memory for the grouping of routes that a kernel is about to make, so that it can sort them too. */
export function groupingAhead(entry: EntryLowering, routes: Routes, bankSizes: readonly Size[]): Grouping | undefined {
  return isListedOnGpu(entry, routes) ? groupingMemory(entry, routes, bankSizes) : undefined;
}

/** One block sorts: a count, a running sum and a walk in the order of the tokens, so the order is always the same. */
export function group(entry: EntryLowering, routes: Routes, bankSizes: readonly Size[]): Grouping {
  const ahead = routes.grouping;
  if (ahead?.bankSizes.length === bankSizes.length && bankSizes.every((size, i) => size.equals(ahead.bankSizes[i]!))) {
    return { ...ahead.grouping, routes };
  }
  const grouping = groupingMemory(entry, routes, bankSizes);
  if (isListedOnGpu(entry, routes)) {
    launchGrouping(entry, grouping, bankSizes);
    return grouping;
  }
  const { most } = grouping;
  const experts = routes.experts.size;
  const total = experts.constant;
  const one = (wish: string, size: Size): Stored => entry.allocate(wish, "i32", line("n", size));
  const cursor = one("cursor", total !== undefined && isLarge(routes, bankSizes) ? Size.of(digitBase(total)) : experts);
  const emitter = entry.emitter("group", `${entry.label}: rows sorted by expert`);
  const { builder } = emitter;
  const handle = (stored: Stored): ReturnType<Emitter["buffer"]> => emitter.buffer(stored.place, "i32", "readwrite");
  const [slotOfRow, expertOfRow, rowOfSlot] = [grouping.slotOfRow, grouping.expertOfRow, grouping.rowOfSlot].map(
    handle,
  );
  const index = emitter.buffer(routes.index.place, "i32", "read");
  if (total !== undefined && isLarge(routes, bankSizes)) {
    const buffers: DigitBuffers = {
      index,
      slotOfRow: slotOfRow!,
      expertOfRow: expertOfRow!,
      rowOfSlot: rowOfSlot!,
      banks: handle(grouping.banks),
      between: handle(one("slots_between", most)),
      counters: handle(cursor),
    };
    sortByDigits(emitter, buffers, most, total, bankSizes);
    entry.launch(emitter, Size.one);
    return grouping;
  }
  const [start, banks, next] = [grouping.start, grouping.banks, cursor].map(handle);
  const expertCount = emitter.size(experts);
  emitter.loop("e", 0, expertCount, 1, undefined, (_, e) => builder.store(next!, e, 0));
  emitter.loop("n", 0, emitter.size(most), 1, undefined, (_, n) => {
    const expert = builder.let("expert", builder.load(index, n));
    emitter.guard(compare("ge", expert, 0), () => builder.store(next!, expert, add(builder.load(next!, expert), 1)));
  });
  const sum = builder.variable("sum", constant(0));
  emitter.loop("e", 0, expertCount, 1, undefined, (_, e) => {
    const count = builder.let("count", builder.load(next!, e));
    builder.store(start!, e, sum.get);
    builder.store(next!, e, sum.get);
    sum.set(add(sum.get, count));
  });
  builder.store(start!, expertCount, sum.get);
  emitter.loop("n", 0, emitter.size(most), 1, undefined, (_, n) => {
    const expert = builder.let("expert", builder.load(index, n));
    builder.store(rowOfSlot!, n, -1);
    emitter.guard(compare("ge", expert, 0), () => {
      const row = builder.let("row", builder.load(next!, expert));
      builder.store(next!, expert, add(row, 1));
      builder.store(slotOfRow!, row, n);
      builder.store(expertOfRow!, row, expert);
      builder.store(rowOfSlot!, n, row);
    });
  });
  let first = Size.zero;
  for (const [bank, size] of bankSizes.entries()) {
    const from = builder.let("from", builder.load(start!, emitter.size(first)));
    first = first.plus(size);
    const to = builder.let("to", builder.load(start!, emitter.size(first)));
    builder.store(banks!, 2 * bank, from);
    builder.store(banks!, 2 * bank + 1, { kind: "binary", op: "sub", left: to, right: from, type: from.type });
  }
  entry.launch(emitter, Size.one);
  return grouping;
}

/** The rows of one bank as an axis. */
export function bankAxis(grouping: Grouping, bank: number): TensorAxis {
  const { banks } = grouping;
  const live = banks.viewed([], new Map(), banks.offset.plus(Size.of(2 * bank + 1)));
  return { name: rowAxis, size: grouping.most, live };
}

/** Row number within all banks of the row `at` of one bank. */
export function globalRow(emitter: Emitter, grouping: Grouping, bank: number, at: Coordinate): Coordinate {
  const { banks } = grouping;
  if (banks.axes[0]!.size.constant === 2) return at;
  const first = banks.viewed([], new Map(), banks.offset.plus(Size.of(2 * bank))).read(emitter, new Map());
  return at.plus(emitter.variable(first, []));
}

/** Coordinates of the token (and of its slot) behind a row. */
export function tokenOfRow(emitter: Emitter, grouping: Grouping, row: Coordinate): Coordinates {
  const slot = numberAt(emitter, grouping.slotOfRow, row, grouping.most);
  const { routes } = grouping;
  const coordinates = new Map<string, Coordinate>([[slotAxis, slot.modulo(routes.slots)]]);
  let token = slot.dividedBy(routes.slots);
  for (const axis of [...routes.tokens].reverse()) {
    coordinates.set(axis.name, axis === routes.tokens[0] ? token : token.modulo(axis.size));
    token = token.dividedBy(axis.size);
  }
  return coordinates;
}

/** A number from a list, as a coordinate. */
export function numberAt(emitter: Emitter, list: Stored, at: Coordinate, extent?: Size): Coordinate {
  const value = list.read(emitter, new Map([["n", at]]));
  return emitter.variable(value, at.variables, extent);
}

/** Row of a slot and whether there is one; the row is 0 when there is none. */
export function rowOfSlot(
  emitter: Emitter,
  grouping: Grouping,
  at: Coordinates,
): { readonly row: Coordinate; readonly register: ReturnType<typeof max> } {
  const { routes } = grouping;
  let slot = Coordinate.zero;
  for (const axis of routes.tokens) slot = slot.times(axis.size).plus(at.get(axis.name)!);
  slot = slot.times(routes.slots).plus(at.get(slotAxis)!);
  const register = grouping.rowOfSlot.read(emitter, new Map([["n", slot]]));
  return { row: emitter.variable(register, slot.variables, grouping.most), register };
}
