/** `stack` and `fold`: bodies that run again and again over carried values. */
import { Size } from "../../axes/size.js";
import type { FoldAttrs, Node, StackAttrs } from "../../2-graph/ir.js";
import { refuse } from "../refusal.js";
import type { EntryLowering, LoopFrame } from "./entry-lowering.js";
import { bytesOf } from "./program-lowering.js";
import type { RegionLowering } from "./region.js";
import { Routes, type LoweredValue } from "./routes.js";
import { Computed, Stored, type Tensor } from "./tensor.js";
import { Weight } from "./weight.js";

/** A value that each turn reads and writes: memory that stays where it is. */
interface Carried {
  readonly value: LoweredValue;
  readonly memory: readonly Stored[];
  /** Compute the next value apart from all carried memory; what comes back puts it into place. */
  readonly next: (value: LoweredValue, carried: ReadonlySet<string>) => () => void;
}

function tensorsOf(value: LoweredValue): readonly Tensor[] {
  return value instanceof Routes ? [value.index, value.weight] : [value];
}

function carry(entry: EntryLowering, initial: LoweredValue): Carried {
  const memory = tensorsOf(initial).map((tensor) => {
    const live = tensor.axes.filter((axis) => axis.live);
    const axes = [...live, ...tensor.axes.filter((axis) => !axis.live)];
    return entry.store(tensor, entry.allocate("carried", tensor.dtype, axes));
  });
  const [first, second] = memory;
  return {
    memory,
    value:
      initial instanceof Routes ? new Routes(initial.tokens, initial.experts, initial.slots, first!, second!) : first!,
    next: (value, carried) => {
      const ready = tensorsOf(value).map((tensor, index) => {
        const { stored } = tensor;
        if (stored === memory[index]) return undefined;
        return stored && !carried.has(stored.place.buffer) ? stored : entry.store(tensor);
      });
      return () => ready.forEach((stored, index) => stored && entry.store(stored, memory[index]));
    },
  };
}

/** One turn: all next values are computed before the first one is put into place. */
function advance(carried: readonly Carried[], results: readonly LoweredValue[]): void {
  const buffers = new Set(carried.flatMap(({ memory }) => memory.map((stored) => stored.place.buffer)));
  const placed = carried.map((one, index) => one.next(results[index]!, buffers));
  for (const place of placed) place();
}

/** The part of a stacked value that belongs to the turn of the loop: its first axis is taken off. */
function layerOf(lowering: RegionLowering, value: Tensor, loop: LoopFrame): Tensor {
  if (value instanceof Weight && value.layerAxes > 0) return value.layered(loop.name).simplified();
  const stored = value.stored ?? lowering.entry.store(value);
  const [layers, ...rest] = stored.axes;
  const bytes = stored.element === "f16" || stored.element === "bf16" ? 2 : bytesOf[stored.dtype];
  const step = stored.strides.get(layers!.name)!.constant;
  if (step === undefined) {
    return refuse("MOE3303", {
      what: `a value stacked over ${loop.stack}`,
      size: stored.strides.get(layers!.name)!.key,
    });
  }
  const place = { ...stored.place, strides: { ...stored.place.strides, [loop.name]: step * bytes } };
  return new Stored(stored.dtype, rest, place, stored.element, stored.strides, stored.offset);
}

export function lowerStack(
  lowering: RegionLowering,
  node: Node,
  operands: readonly LoweredValue[],
): readonly LoweredValue[] {
  const attrs = node.attrs as StackAttrs;
  const count = attrs.layers.constant;
  if (count === undefined) return refuse("MOE3303", { what: `stack ${attrs.name}`, size: attrs.layers.key }, node.span);
  const { entry } = lowering;
  const loop = { name: lowering.loopName(attrs.name), stack: attrs.name, count };
  const stacked = operands.slice(attrs.carried, attrs.carried + attrs.stacked) as readonly Tensor[];
  // Memory that a stacked value still needs is made before the loop.
  const prepared = stacked.map((value) => (value instanceof Weight || value.stored ? value : entry.store(value)));
  const carried = operands.slice(0, attrs.carried).map((value) => carry(entry, value));
  const captures = lowering.settledAll(operands.slice(attrs.carried + attrs.stacked));
  entry.loop(loop, () => {
    const layers = prepared.map((value) => layerOf(lowering, value, loop));
    const results = lowering.run(node.regions[0]!, [...carried.map((c) => c.value), ...layers, ...captures]);
    advance(carried, results);
  });
  return carried.map((c) => c.value);
}

/** Turns up to which a fold is written out. */
const unrolled = 4;

export function lowerFold(
  lowering: RegionLowering,
  node: Node,
  operands: readonly LoweredValue[],
): readonly LoweredValue[] {
  const attrs = node.attrs as FoldAttrs;
  const { entry } = lowering;
  const count = attrs.to.minus(attrs.from).constant;
  const region = node.regions[0]!;
  const captures = lowering.settledAll(operands.slice(attrs.carried));
  if (count === undefined) {
    return refuse(
      "MOE3301",
      {
        op: "fold",
        target: entry.program.target.name,
        reason: `its count ${attrs.to.minus(attrs.from).key} is known only at run time`,
      },
      node.span,
    );
  }
  const turn = (value: Size): Tensor => new Computed("i32", [], { cost: 0 }, (emitter) => emitter.size(value));
  if (count <= unrolled) {
    let values: readonly LoweredValue[] = operands.slice(0, attrs.carried);
    for (let i = 0; i < count; i++) {
      values = lowering.settledAll(lowering.run(region, [turn(attrs.from.plus(Size.of(i))), ...values, ...captures]));
    }
    return values;
  }
  const loop = { name: lowering.loopName("fold"), stack: "", count };
  const carried = operands.slice(0, attrs.carried).map((value) => carry(entry, value));
  entry.loop(loop, () => {
    const number = turn(attrs.from.plus(Size.of(loop.name)));
    const results = lowering.run(region, [number, ...carried.map((c) => c.value), ...captures]);
    advance(carried, results);
  });
  return carried.map((c) => c.value);
}
