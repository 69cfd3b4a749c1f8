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
  /** Put the next value there. */
  next(value: LoweredValue): () => void;
}

function carryTensor(
  entry: EntryLowering,
  initial: Tensor,
): { readonly memory: Stored; next(value: Tensor): () => void } {
  const live = initial.axes.filter((axis) => axis.live);
  const axes = [...live, ...initial.axes.filter((axis) => !axis.live)];
  const memory = entry.allocate("carried", initial.dtype, axes);
  entry.store(initial, memory);
  return {
    memory,
    next: (value) => {
      // All next values are computed before the first one is put into place.
      const ready = value.stored && value.stored !== memory ? value.stored : entry.store(value);
      return () => void entry.store(ready, memory);
    },
  };
}

function carry(entry: EntryLowering, initial: LoweredValue): Carried {
  if (!(initial instanceof Routes)) {
    const { memory, next } = carryTensor(entry, initial);
    return { value: memory, next: (value) => next(value as Tensor) };
  }
  const index = carryTensor(entry, initial.index);
  const weight = carryTensor(entry, initial.weight);
  return {
    value: new Routes(initial.tokens, initial.experts, initial.slots, index.memory, weight.memory),
    next: (value) => {
      const routes = value as Routes;
      const [a, b] = [index.next(routes.index), weight.next(routes.weight)];
      return () => {
        a();
        b();
      };
    },
  };
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
    const placed = carried.map((c, index) => c.next(results[index]!));
    for (const place of placed) place();
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
    const placed = carried.map((c, index) => c.next(results[index]!));
    for (const place of placed) place();
  });
  return carried.map((c) => c.value);
}
