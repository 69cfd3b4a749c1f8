/** `stack` and `fold`: bodies that run again and again over carried values. */
import { Size } from "../../axes/size.js";
import type { FoldAttrs, Node, StackAttrs } from "../../2-graph/ir.js";
import type { TensorType } from "../../ops/types.js";
import { constant } from "../kernel-expressions.js";
import { memoryBytes, registerType } from "../kernel-types.js";
import { refuse } from "../refusal.js";
import type { EntryLowering, LoopFrame } from "./entry-lowering.js";
import { bytesOf } from "./program-lowering.js";
import type { RegionLowering } from "./region.js";
import { Routes, type LoweredValue } from "./routes.js";
import { Computed, elements, Stored, type Tensor, type TensorAxis } from "./tensor.js";
import { Weight } from "./weight.js";

/** A value that each turn reads and makes anew. It has two places: a turn reads one and writes the other. */
interface Carried {
  /** What a turn finds. */
  readonly value: LoweredValue;
  /** Put what a turn made where the next one finds it. */
  readonly advance: (value: LoweredValue) => void;
  /** That place, of a tensor: the turn itself reads the other one. */
  readonly next: Stored | undefined;
  /** What is there after all turns. */
  readonly last: LoweredValue;
}

function tensorsOf(value: LoweredValue): readonly Tensor[] {
  return value instanceof Routes ? [value.index, value.weight] : [value];
}

/** Memory for one tensor twice over, behind each other. */
function twoPlaces(entry: EntryLowering, tensor: Tensor): (turn: Size) => Stored {
  const live = tensor.axes.filter((axis) => axis.live);
  const axes = [...live, ...tensor.axes.filter((axis) => !axis.live)];
  const bytes = Math.ceil((entry.program.bound(elements(axes)) * bytesOf[tensor.dtype]) / 256) * 256;
  const pair = entry.memory("carried", tensor.dtype, axes, 2 * bytes);
  return (turn) => {
    const isOdd = turn.minus(turn.floorDividedBy(Size.of(2)).times(Size.of(2)));
    const place = { ...pair.place, offset: isOdd.times(Size.of(bytes)) };
    return new Stored(pair.dtype, axes, place, pair.format, pair.strides);
  };
}

/** @param turns How many turns the loop has; may name run-time sizes. */
function carry(entry: EntryLowering, initial: LoweredValue, loop: LoopFrame, turns: Size): Carried {
  const places = tensorsOf(initial).map((tensor) => twoPlaces(entry, tensor));
  const at = (turn: Size): LoweredValue => {
    const [first, second] = places.map((place) => place(turn));
    if (!(initial instanceof Routes)) return first!;
    return new Routes(initial.tokens, initial.experts, initial.slots, first!, second!);
  };
  const put = (value: LoweredValue, turn: Size): void =>
    tensorsOf(value).forEach((tensor, index) => {
      const place = places[index]!(turn);
      if (!liesIn(tensor, place)) entry.store(tensor, place);
    });
  put(initial, Size.zero);
  const turn = Size.of(loop.name);
  const after = turn.plus(Size.one);
  const next = initial instanceof Routes ? undefined : places[0]!(after);
  return { value: at(turn), advance: (value) => put(value, after), next, last: at(turns) };
}

/** True for a tensor that was put into this very place. */
function liesIn({ stored }: Tensor, { place, strides, offset, axes }: Stored): boolean {
  return (
    stored?.place.buffer === place.buffer &&
    stored.place.offset.equals(place.offset) &&
    stored.offset.equals(offset) &&
    axes.every(({ name }) => stored.strides.get(name)?.equals(strides.get(name)!))
  );
}

/** Memory of its own for each carried value, but for those that the body hands on as they are. */
function carryAll(
  lowering: RegionLowering,
  initial: readonly LoweredValue[],
  loop: LoopFrame,
  turns: Size,
  handedOn: (index: number) => boolean,
): readonly Carried[] {
  return initial.map((value, index) => {
    if (!handedOn(index)) return carry(lowering.entry, value, loop, turns);
    const [settled] = lowering.settledAll([value]);
    return { value: settled!, advance: () => undefined, next: undefined, last: settled! };
  });
}

/** The part of a stacked value that belongs to the turn of the loop: its first axis is taken off. */
function layerOf(lowering: RegionLowering, value: Tensor, loop: LoopFrame): Tensor {
  if (value instanceof Weight && value.layerAxes > 0) return value.layered(loop.name).simplified();
  const stored = value.stored ?? lowering.entry.store(value);
  const [layers, ...rest] = stored.axes;
  return turnOf(stored, layers!.name, loop, rest, `a value stacked over ${loop.stack}`);
}

/** What the turn of the loop has of a value along one of its axes, seen with these axes. */
export function turnOf(
  { dtype, element, strides, offset, place }: Stored,
  along: string,
  loop: LoopFrame,
  axes: readonly TensorAxis[],
  what: string,
): Stored {
  const step = strides.get(along)!;
  if (step.constant === undefined) return refuse("MOE3303", { what, size: step.key });
  const turn = { ...place, strides: { ...place.strides, [loop.name]: step.constant * memoryBytes[element] } };
  return new Stored(dtype, axes, turn, element, strides, offset);
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
  const region = node.regions[0]!;
  const handedOn = (index: number): boolean => region.results[index] === region.params[index]?.id;
  const carried = carryAll(lowering, operands.slice(0, attrs.carried), loop, Size.of(count), handedOn);
  const captures = lowering.settledAll(operands.slice(attrs.carried + attrs.stacked));
  entry.loop(loop, () => {
    const layers = prepared.map((value) => layerOf(lowering, value, loop));
    const results = lowering.run(region, [...carried.map((c) => c.value), ...layers, ...captures]);
    carried.forEach((one, index) => one.advance(results[index]!));
  });
  return carried.map((one) => one.last);
}

/** What each turn gives as its row, all of it in memory. */
interface Rows {
  /** Takes the row of a turn, counted from 0. */
  readonly put: (row: LoweredValue, turn: Size) => void;
  readonly all: () => Tensor;
}

/** A turn writes its own row and touches no other. */
function rowsOf({ entry }: RegionLowering, { dtype, axes }: TensorType): Rows {
  const [turns] = axes as readonly [TensorAxis];
  let memory: Stored | undefined;
  return {
    put: (value, turn) => {
      const row = value as Tensor;
      const live = row.axes.filter((axis) => axis.live);
      const rest = row.axes.filter((axis) => !axis.live);
      memory ??= entry.allocate("rows", dtype, [...live, turns, ...rest]);
      const start = turn.times(memory.strides.get(turns.name)!);
      entry.store(row, memory.viewed([...live, ...rest], memory.strides, start));
    },
    all: () => memory ?? new Computed(dtype, axes, { cost: 0 }, () => constant(0, registerType(dtype, 1))),
  };
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
  // A negative count is no turn.
  const turns = attrs.to.minus(attrs.from).max(Size.zero);
  const count = turns.constant;
  const region = node.regions[0]!;
  const captures = lowering.settledAll(operands.slice(attrs.carried));
  const turn = (value: Size): Tensor => new Computed("i32", [], { cost: 0 }, (emitter) => emitter.size(value));
  const rows = node.results.slice(attrs.carried).map(({ type }) => rowsOf(lowering, type as TensorType));
  const putRows = (results: readonly LoweredValue[], number: Size): void =>
    rows.forEach((each, index) => each.put(results[attrs.carried + index]!, number));
  if (count !== undefined && count <= unrolled) {
    let values: readonly LoweredValue[] = operands.slice(0, attrs.carried);
    for (let i = 0; i < count; i++) {
      const results = lowering.run(region, [turn(attrs.from.plus(Size.of(i))), ...values, ...captures]);
      values = lowering.settledAll(results.slice(0, attrs.carried));
      putRows(results, Size.of(i));
    }
    return [...values, ...rows.map((each) => each.all())];
  }
  // An open count: as many turns as the largest call has, of which those behind the count have no blocks to run.
  const loop: LoopFrame = {
    name: lowering.loopName("fold"),
    stack: "",
    count: count ?? entry.program.bound(turns),
    ...(count === undefined ? { turns } : {}),
  };
  const handedOn = (index: number): boolean => region.results[index] === region.params[index + 1]?.id;
  const carried = carryAll(lowering, operands.slice(0, attrs.carried), loop, turns, handedOn);
  entry.loop(loop, () => {
    const number = turn(attrs.from.plus(Size.of(loop.name)));
    // What a row reads of a next value lies where the next turn finds it.
    const places = new Map(
      carried.flatMap(({ next }, index) => (next ? [[region.results[index]!, next] as const] : [])),
    );
    const results = lowering.run(region, [number, ...carried.map((c) => c.value), ...captures], places);
    putRows(results, Size.of(loop.name));
    carried.forEach((one, index) => one.advance(results[index]!));
  });
  return [...carried.map((one) => one.last), ...rows.map((each) => each.all())];
}
