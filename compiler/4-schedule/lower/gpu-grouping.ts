/**
 * Rows sorted by expert, by one block of a GPU: counts in shared memory, a running sum, and a place for each slot. Which
 * of an expert's rows comes first depends on the threads; no result does, since rows are computed each on its own.
 */
import { Size } from "../../axes/size.js";
import { add, compare, constant, min, sub, thread } from "../kernel-expressions.js";
import type { BufferHandle } from "../kernel-builder.js";
import type { Driver } from "../plan.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { mostParts, tileHeight } from "./gpu-shape.js";
import type { Grouping } from "./grouping.js";
import type { Stored } from "./tensor.js";

/** Threads that sort: where a driver computes on the processor one alone, which meets no other. */
const sortingThreads = { gpu: 256, cpu: 1 } as const;

/** Launches that sort the slots of a call by expert. */
export function launchGrouping(entry: EntryLowering, grouping: Grouping, bankSizes: readonly Size[]): void {
  forDrivers(entry, (on) => launchGroupingOn(entry, on, grouping, bankSizes, Size.one));
}

/** The launch for one kind of driver, when `share` is 1. */
export function launchGroupingOn(
  entry: EntryLowering,
  on: Driver | undefined,
  grouping: Grouping,
  bankSizes: readonly Size[],
  share: Size,
): void {
  const doc = `${entry.label}: rows sorted by expert`;
  const emitter = entry.emitter("group", doc, sortingThreads[on ?? "gpu"]);
  writeGrouping(emitter, grouping, emitter.buffer(grouping.routes.index.place, "i32", "read"), bankSizes);
  entry.launch(emitter, share, on);
}

/** WebGPU has drivers of two kinds, other GPUs one. */
export function forDrivers(entry: EntryLowering, write: (on: Driver | undefined) => void): void {
  if (entry.program.target.family !== "wgsl") return write(undefined);
  write("gpu");
  write("cpu");
}

/** Numbers of one part: its expert (-1 for none), its first row, and how many rows it has. */
export const partFields = 3;

/** Counts, places and parts, by all threads of the block; `index` holds the expert of each slot. */
export function writeGrouping(
  emitter: Emitter,
  grouping: Grouping,
  index: BufferHandle,
  bankSizes: readonly Size[],
): void {
  const { builder } = emitter;
  const experts = grouping.routes.experts.size;
  const handle = (stored: Stored): BufferHandle => emitter.buffer(stored.place, "i32", "readwrite");
  const [slotOfRow, expertOfRow, rowOfSlot, start, banks, parts] = (
    ["slotOfRow", "expertOfRow", "rowOfSlot", "start", "banks", "parts"] as const
  ).map((name) => handle(grouping[name]!)) as [
    BufferHandle,
    BufferHandle,
    BufferHandle,
    BufferHandle,
    BufferHandle,
    BufferHandle,
  ];
  const count = emitter.size(experts);
  const slots = emitter.size(grouping.most);
  const next = builder.blockBuffer("next", "i32", "shared", Math.max(1, experts.constant!));
  emitter.threadLoop("e", count, undefined, (_, e) => builder.store(next, e, 0));
  emitter.meet();
  emitter.threadLoop("n", slots, undefined, (_, n) => {
    const expert = builder.let("expert", builder.load(index, n));
    emitter.guard(compare("ge", expert, 0), () => void builder.atomicAdd(next, expert, 1));
  });
  emitter.meet();
  alone(emitter, () => {
    const sum = builder.variable("sum", constant(0));
    const part = builder.variable("part", constant(0));
    const bankOf = firstsOf(bankSizes);
    bankSizes.forEach((size, bank) => {
      const below = builder.let("below", sum.get);
      builder.loop("e", emitter.size(bankOf[bank]!), emitter.size(bankOf[bank]!.plus(size)), 1, (e) => {
        const rows = builder.let("rows", builder.load(next, e));
        const first = builder.let("first_row", sum.get);
        builder.store(start, e, first);
        builder.store(next, e, first);
        builder.loop("at", 0, rows, tileHeight, (at) => {
          const place = builder.let("place", part.get);
          builder.store(parts, place, e);
          builder.store(parts, add(place, 1), add(first, at));
          builder.store(parts, add(place, 2), min(sub(rows, at), tileHeight));
          part.set(add(part.get, partFields));
        });
        sum.set(add(sum.get, rows));
      });
      builder.store(banks, 2 * bank, below);
      builder.store(banks, 2 * bank + 1, sub(sum.get, below));
    });
    builder.store(start, count, sum.get);
    const end = emitter.size(mostParts(grouping).times(Size.of(partFields)));
    builder.loop("at", part.get, end, partFields, (at) => builder.store(parts, at, -1));
  });
  emitter.meet();
  emitter.threadLoop("n", slots, undefined, (_, n) => {
    const expert = builder.let("expert", builder.load(index, n));
    emitter.guard(
      compare("ge", expert, 0),
      () => {
        const row = builder.atomicAdd(next, expert, 1, "row")!;
        builder.store(slotOfRow, row, n);
        builder.store(expertOfRow, row, expert);
        builder.store(rowOfSlot, n, row);
      },
      () => builder.store(rowOfSlot, n, -1),
    );
  });
}

/** By one thread of the block. */
export function alone(emitter: Emitter, body: () => void): void {
  if (emitter.threads === 1) body();
  else emitter.guard(compare("eq", thread, 0), body);
}

/** Number of the first expert of each bank. */
function firstsOf(bankSizes: readonly Size[]): readonly Size[] {
  let first = Size.zero;
  return bankSizes.map((size) => {
    const own = first;
    first = first.plus(size);
    return own;
  });
}
