/** Sums, extrema and what is made of them, as tensors that are computed where they are read. */
import { Size } from "../../axes/size.js";
import {
  add,
  and,
  binary,
  compare,
  constant,
  convert,
  div,
  max,
  min,
  mul,
  or,
  reduce,
  rem,
  select,
  sub,
  unary,
  fma,
} from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { bool, f32, i32, registerType } from "../kernel-types.js";
import type { Coordinate } from "./coordinate.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import {
  alignedAxes,
  Deferred,
  Mapped,
  Tensor,
  variablesOf,
  type Hoist,
  type Stored,
  type TensorAxis,
} from "./tensor.js";

export type Fold = "sum" | "max" | "min" | "prod" | "any" | "all" | "dot";

function start(fold: Fold, integer: boolean): number {
  switch (fold) {
    case "sum":
    case "dot":
    case "any":
      return 0;
    case "prod":
    case "all":
      return 1;
    case "max":
      return integer ? -(2 ** 31) : -Infinity;
    case "min":
      return integer ? 2 ** 31 - 1 : Infinity;
  }
}

function combine(fold: Fold, a: Expression, values: readonly Expression[]): Expression {
  const [b, c] = values;
  switch (fold) {
    case "sum":
      return add(a, b!);
    case "dot":
      return b!.type.element === "f32" ? fma(b!, c!, a) : add(a, mul(b!, c!));
    case "prod":
      return mul(a, b!);
    case "max":
      return max(a, b!);
    case "min":
      return min(a, b!);
    case "any":
      return or(a, b!);
    case "all":
      return and(a, b!);
  }
}

/** How threads of a block put their parts of a fold together, where they can. */
const together: Readonly<Partial<Record<Fold, "add" | "max" | "min">>> = {
  sum: "add",
  dot: "add",
  max: "max",
  min: "min",
};

/** Sources (one, or two for `dot`) folded over some of their axes. */
export class Reduced extends Tensor {
  constructor(
    private readonly fold: Fold,
    private readonly sources: readonly Tensor[],
    private readonly over: readonly TensorAxis[],
    axes: readonly TensorAxis[],
  ) {
    super(sources[0]!.dtype, axes);
  }

  /** The reduced axis along which all sources have neighbours, last in the order of loops. */
  private innermost(vectorAxesTaken: boolean): { readonly axis: TensorAxis; readonly vector: boolean } {
    const fits = (axis: TensorAxis): boolean =>
      this.sources.every((source) => source.lanesAlong(axis.name)) && this.sources.some((s) => s.has(axis.name));
    const candidates = [...this.over].reverse();
    const found = vectorAxesTaken || this.dtype === "bool" || this.fold === "prod" ? undefined : candidates.find(fits);
    return { axis: found ?? candidates[0]!, vector: found !== undefined };
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    const variables = variablesOf(own);
    const lanewise = emitter.vector !== undefined && variables.has(emitter.vector.name);
    const write = (): Expression => emitter.once(variables, this.key(own), () => this.write(emitter, own, lanewise));
    return lanewise ? write() : emitter.scalar(write);
  }

  private write(emitter: Emitter, own: Coordinates, lanewise: boolean): Expression {
    const { builder } = emitter;
    const scalar = this.dtype === "f32" ? f32 : this.dtype === "i32" ? i32 : bool;
    const type = registerType(scalar.element, lanewise ? emitter.vector!.lanes : 1);
    const inner = this.innermost(lanewise);
    const outer = this.over.filter((axis) => axis !== inner.axis);
    const initial = constant(start(this.fold, this.dtype === "i32"), type);
    const total = builder.variable("total", initial);
    // Only where this is written do all threads pass, whoever reads the result.
    const shared = emitter.isTogether ? together[this.fold] : undefined;
    const step = (coordinates: Coordinates, into: typeof total): void =>
      into.set(
        combine(
          this.fold,
          into.get,
          this.sources.map((source) => source.read(emitter, coordinates)),
        ),
      );
    const nest = (level: number, coordinates: Coordinates): void => {
      const axis = outer[level];
      if (axis) {
        emitter.loop(axis.name, 0, emitter.size(axis.size), 1, axis.size, (c) =>
          nest(level + 1, new Map([...coordinates, [axis.name, c]])),
        );
        return;
      }
      if (!shared) return this.innerLoop(emitter, inner, coordinates, total, step);
      const { name, size } = inner.axis;
      emitter.threadLoop(name, emitter.size(size), size, (c) => step(new Map([...coordinates, [name, c]]), total));
    };
    nest(0, own);
    return shared ? emitter.fold("whole", shared, total.get) : total.get;
  }

  private innerLoop(
    emitter: Emitter,
    inner: { readonly axis: TensorAxis; readonly vector: boolean },
    coordinates: Coordinates,
    total: { readonly get: Expression; set(value: Expression): void },
    step: (coordinates: Coordinates, into: typeof total) => void,
  ): void {
    const { axis } = inner;
    const count = emitter.size(axis.size);
    const withAxis = (c: Coordinate): Coordinates => new Map([...coordinates, [axis.name, c]]);
    const { lanes } = emitter;
    const known = axis.size.constant;
    if (!inner.vector || lanes === 1 || (known !== undefined && known < lanes)) {
      emitter.loop(axis.name, 0, count, 1, axis.size, (c) => step(withAxis(c), total));
      return;
    }
    const { builder } = emitter;
    const type = registerType(total.get.type.element, lanes);
    const many = builder.variable("lanes", constant(start(this.fold, this.dtype === "i32"), type));
    const whole =
      known !== undefined
        ? constant(known - (known % lanes))
        : builder.let("whole", sub(count, rem(count, constant(lanes))));
    emitter.loop(axis.name, 0, whole, lanes, axis.size, (c, register) =>
      emitter.withVector({ name: (register as Expression & { kind: "get" }).name, lanes }, () =>
        step(withAxis(c), many),
      ),
    );
    const op = this.fold === "max" || this.fold === "min" ? this.fold : "add";
    total.set(binary(op, total.get, reduce(op, many.get)));
    if (known !== undefined && known % lanes === 0) return;
    emitter.loop(axis.name, whole, count, 1, axis.size, (c) => step(withAxis(c), total));
  }

  override get hoists(): readonly Hoist[] {
    const kept = (hoist: Hoist): boolean => hoist.axes.every((axis) => this.has(axis));
    return this.sources.flatMap((source) => source.hoists).filter(kept);
  }
  override get cost(): number {
    const count = this.over.reduce((product, axis) => product * (axis.size.constant ?? 64), 1);
    return count * this.sources.reduce((sum, source) => sum + source.cost, 1);
  }
  override lanesAlong(axis: string): boolean {
    return this.sources.every((source) => !source.has(axis) || source.lanesAlong(axis));
  }
}

/** A reduction that others may read in the middle of their loops. */
export class HoistedReduction extends Deferred {
  override get hoists(): readonly Hoist[] {
    if (this.stored) return [];
    return [...super.hoists, { axes: this.axes.map((axis) => axis.name), value: this }];
  }
}

export type StoreTensor = (source: Tensor) => Stored;

export function reduced(fold: Fold, sources: readonly Tensor[], over: readonly string[], store: StoreTensor): Tensor {
  const all = alignedAxes(sources);
  const reducedAxes = all.filter((axis) => over.includes(axis.name));
  const axes = all.filter((axis) => !over.includes(axis.name));
  if (reducedAxes.length === 0)
    throw new RangeError(`reduction over no axis of [${all.map((a) => a.name).join(", ")}]`);
  // A reduction inside that does not belong to a whole line would be computed again for each element of the line, and by
  // each reader: chains of them (Sinkhorn's rows and columns) would grow without end. It goes into memory.
  for (const hoist of sources.flatMap((source) => source.hoists)) {
    if (!hoist.axes.every((name) => axes.some((axis) => axis.name === name))) hoist.value.force();
  }
  return new HoistedReduction(new Reduced(fold, sources, reducedAxes, axes), store);
}

const exp = (x: Expression): Expression => unary("exp", x);
const zero = constant(0, f32);
const isMinusInfinity = (x: Expression): Expression => compare("eq", x, constant(-Infinity, f32));

function map(inputs: readonly Tensor[], operations: number, compute: (...values: Expression[]) => Expression): Tensor {
  return new Mapped("f32", alignedAxes(inputs), inputs, operations, (_, values) => compute(...values));
}

export function mean(source: Tensor, over: readonly string[], store: StoreTensor): Tensor {
  const count = over.reduce((size, name) => size.times(source.axis(name).size), Size.one);
  const sum = reduced("sum", [source], over, store);
  return new Mapped("f32", sum.axes, [sum], 2, (emitter, [total]) =>
    div(total!, convert(max(emitter.size(count), 1), "f32")),
  );
}

/** Greatest value and sum of exponentials relative to it; a row of -inf has the greatest value 0 and the sum 0. */
function exponentials(
  source: Tensor,
  over: readonly string[],
  store: StoreTensor,
): { top: Tensor; power: Tensor; sum: Tensor } {
  const greatest = reduced("max", [source], over, store);
  const top = map([greatest], 2, (m) => select(isMinusInfinity(m), zero, m));
  const power = map([source, top], 9, (x, m) => exp(sub(x, m)));
  return { top, power, sum: reduced("sum", [power], over, store) };
}

export function softmax(source: Tensor, over: readonly string[], store: StoreTensor): Tensor {
  const { power, sum } = exponentials(source, over, store);
  const scale = map([sum], 3, (total) => select(compare("eq", total, zero), zero, div(constant(1, f32), total)));
  return map([power, scale], 1, mul);
}

export function logSumExp(source: Tensor, over: readonly string[], store: StoreTensor): Tensor {
  const { top, sum } = exponentials(source, over, store);
  return map([top, sum], 9, (m, total) => add(m, unary("log", total)));
}

export function logSoftmax(source: Tensor, over: readonly string[], store: StoreTensor): Tensor {
  // A line of -Infinity has the sum -Infinity as well; its difference would be NaN.
  const logarithm = logSumExp(source, over, store);
  return map([source, logarithm], 2, (x, sum) => select(isMinusInfinity(x), x, sub(x, sum)));
}
