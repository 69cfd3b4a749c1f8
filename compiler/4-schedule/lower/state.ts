/** States: memory that outlives the call, one piece for each layer. */
import { Size } from "../../axes/size.js";
import type { AppendAttrs } from "../../2-graph/ir.js";
import { layersOf } from "../../2-graph/state-layers.js";
import type { EntryLowering } from "./entry-lowering.js";
import { quantizeRows } from "./quantized-rows.js";
import { storedBytes } from "./storage.js";
import { type Deferred, Stored, type Tensor } from "./tensor.js";

/** The memory of a state in the layer that the loops around are in. */
function own(entry: EntryLowering, path: string): Stored {
  const decl = entry.program.state(path);
  const all = entry.program.stateMemory(path);
  // Layers are turns of stacks, not of folds or texts.
  const stacks = entry.loops.filter(({ stack }) => stack !== "");
  const loops = layersOf(decl, stacks);
  const strides: Record<string, number> = {};
  for (const [index, loop] of loops.entries()) {
    strides[loop.name] = all.strides.get(all.axes[index]!.name)!.constant! * storedBytes[all.format];
  }
  const axes = all.axes.slice(decl.layerAxes);
  const place = { ...all.place, strides };
  return new Stored(all.dtype, axes, place, all.format, new Map(axes.map((a) => [a.name, all.strides.get(a.name)!])));
}

/** Writes the new rows behind the old ones and gives all rows, without copying the old ones. */
export function append(entry: EntryLowering, value: Tensor, attrs: AppendAttrs): Stored {
  const memory = own(entry, attrs.state);
  const steps = memory.axes.map((axis) => memory.strides.get(axis.name)!);
  const strides = new Map(value.axes.map((axis, index) => [axis.name, steps[index]!]));
  const past = Size.of("past");
  const target = memory.viewed(value.axes, strides, past.times(steps[0]!));
  if (target.format === "q8_0") quantizeRows(entry, value, target);
  else entry.store(value, target);
  const [first, ...rest] = value.axes;
  const axes = [{ name: attrs.as, size: past.plus(first!.size) }, ...rest];
  return memory.viewed(axes, new Map(axes.map((axis, index) => [axis.name, steps[index]!])));
}

/** A copy, because a later write in the same call must not change what was read. */
export function readState(entry: EntryLowering, path: string): Stored {
  return entry.store(own(entry, path), entry.allocate("state", own(entry, path).dtype, own(entry, path).axes));
}

export function writeState(entry: EntryLowering, value: Deferred, path: string): Stored {
  const memory = own(entry, path);
  const steps = memory.axes.map((axis) => memory.strides.get(axis.name)!);
  const inMemory = value.force();
  const strides = new Map(value.axes.map((axis, index) => [axis.name, steps[index]!]));
  entry.store(inMemory, memory.viewed(value.axes, strides));
  return inMemory;
}
