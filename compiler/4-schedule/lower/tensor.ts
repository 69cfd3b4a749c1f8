/**
 * A value of the graph as a schedule sees it: something that can be read at coordinates while a kernel is written. Some
 * lie in memory (`Stored`); the others are computed where they are read, so an elementwise op, a change of axes or a
 * reduction costs no kernel of its own until something needs it in memory.
 */
import { Size } from "../../axes/size.js";
import type { Node } from "../../2-graph/ir.js";
import type { Axis, DType } from "../../ops/types.js";
import { compare } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { BufferPlace, StoredFormat } from "./storage.js";
import { numberInBlocks } from "./stored-blocks.js";

/** An axis; `live` is the number of places that are really filled, when only the device knows it. */
export interface TensorAxis extends Axis {
  readonly live?: Stored;
}

/** A reduction that is computed inside of its reader, with those of the reader's axes on which its result depends. */
export interface Hoist {
  readonly axes: readonly string[];
  readonly value: Deferred;
}

let nextId = 0;

export abstract class Tensor {
  /** For keys of values that were computed. */
  readonly id = nextId++;

  constructor(
    readonly dtype: DType,
    readonly axes: readonly TensorAxis[],
  ) {}

  /** One element, or in vector mode its lanes; a scalar where the lanes would be equal. */
  abstract read(emitter: Emitter, at: Coordinates): Expression;
  /** Reductions in it, so that loops can be ordered for them. */
  abstract get hoists(): readonly Hoist[];
  /** Operations to compute one element, roughly; exp counts 8. */
  abstract get cost(): number;
  /** Neighbours along this axis are read together, without a gather. */
  abstract lanesAlong(axis: string): boolean;

  get stored(): Stored | undefined {
    return undefined;
  }

  /** `stored`, where needed after putting into memory what can only be read there. */
  get settled(): Stored | undefined {
    return this.stored;
  }

  /** Products with weights of which this is made element by element, at the same coordinates. */
  get products(): readonly Tensor[] {
    return [];
  }

  has(axis: string): boolean {
    return this.axes.some((own) => own.name === axis);
  }

  axis(name: string): TensorAxis {
    const found = this.axes.find((own) => own.name === name);
    if (!found) throw new RangeError(`no axis ${name} in [${this.axes.map((own) => own.name).join(", ")}]`);
    return found;
  }

  /** The axis along which neighbours lie side by side, if any. */
  get inner(): string | undefined {
    return [...this.axes].reverse().find((own) => this.lanesAlong(own.name))?.name;
  }

  /** Of the coordinates around, those that matter here. */
  protected own(at: Coordinates): Coordinates {
    return new Map(
      this.axes.map(({ name }) => {
        const coordinate = at.get(name);
        if (!coordinate) throw new RangeError(`no coordinate for axis ${name}`);
        return [name, coordinate];
      }),
    );
  }

  protected key(at: Coordinates): string {
    return `#${this.id} ${[...at].map(([name, coordinate]) => `${name}:${coordinate.key}`).join(" ")}`;
  }
}

export function variablesOf(at: Coordinates): ReadonlySet<string> {
  return new Set([...at.values()].flatMap((coordinate) => [...coordinate.variables]));
}

/** How the elements of a tensor lie behind a place: number of elements from one to the next along each axis. */
export class Stored extends Tensor {
  constructor(
    dtype: DType,
    axes: readonly TensorAxis[],
    readonly place: BufferPlace,
    readonly format: StoredFormat,
    readonly strides: ReadonlyMap<string, Size>,
    /** In elements. */
    readonly offset: Size = Size.zero,
  ) {
    super(dtype, axes);
  }

  override get stored(): Stored {
    return this;
  }

  /** What an address counts, where that is an element of memory: not in blocks. */
  get element(): Exclude<StoredFormat, "q8_0"> {
    if (this.format === "q8_0") throw new RangeError("a number of a block is no element of memory");
    return this.format;
  }

  address(at: Coordinates): Coordinate {
    let sum = Coordinate.size(this.offset);
    for (const { name } of this.axes) sum = sum.plus(at.get(name)!.times(this.strides.get(name)!));
    return sum;
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const address = this.address(this.own(at));
    if (this.format === "q8_0") return numberInBlocks(emitter, this.place, address);
    const value = emitter.load(emitter.buffer(this.place, this.format, "read"), address);
    return this.dtype === "bool" ? compare("ne", value, 0) : value;
  }

  override get hoists(): readonly Hoist[] {
    return [];
  }
  override get cost(): number {
    return 1;
  }
  override lanesAlong(axis: string): boolean {
    const stride = this.strides.get(axis)?.constant;
    return stride === 1 || stride === 0 || !this.has(axis);
  }

  /** The same memory under other axes. */
  viewed(axes: readonly TensorAxis[], strides: ReadonlyMap<string, Size>, offset = this.offset): Stored {
    return new Stored(this.dtype, axes, this.place, this.format, strides, offset);
  }
}

/** Element by element from others, aligned by axis name. */
export class Mapped extends Tensor {
  constructor(
    dtype: DType,
    axes: readonly TensorAxis[],
    private readonly inputs: readonly Tensor[],
    private readonly operations: number,
    private readonly compute: (emitter: Emitter, values: readonly Expression[]) => Expression,
  ) {
    super(dtype, axes);
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    const variables = variablesOf(own);
    return emitter.once(variables, this.key(own), () =>
      this.compute(
        emitter,
        this.inputs.map((input) => input.read(emitter, own)),
      ),
    );
  }

  override get hoists(): readonly Hoist[] {
    return this.inputs.flatMap((input) => input.hoists);
  }
  override get products(): readonly Tensor[] {
    return this.inputs.flatMap((input) => input.products);
  }
  override get cost(): number {
    return this.inputs.reduce((sum, input) => sum + input.cost, this.operations);
  }
  override lanesAlong(axis: string): boolean {
    return this.inputs.every((input) => !input.has(axis) || input.lanesAlong(axis));
  }
}

/** Other axes over the same values: `map` turns coordinates of this one into coordinates of the source. */
export class View extends Tensor {
  constructor(
    axes: readonly TensorAxis[],
    readonly source: Tensor,
    private readonly map: (at: Coordinates) => Coordinates,
    /** The axes of this tensor that decide a coordinate of the source. */
    private readonly back: (axis: string) => readonly string[],
    private readonly view?: (stored: Stored) => Stored | undefined,
    /** Names here to names in the source, when names and order are all that differs. */
    readonly renames?: ReadonlyMap<string, string>,
  ) {
    super(source.dtype, axes);
  }

  override get products(): readonly Tensor[] {
    return this.renames ? this.source.products : [];
  }

  override get stored(): Stored | undefined {
    const below = this.source.stored;
    return below && this.view?.(below);
  }

  override get settled(): Stored | undefined {
    const below = this.source.settled;
    return below && this.view?.(below);
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    return (this.stored ?? this.source).read(emitter, this.stored ? at : this.map(this.own(at)));
  }

  override get hoists(): readonly Hoist[] {
    return this.source.hoists.map((hoist) => ({ ...hoist, axes: [...new Set(hoist.axes.flatMap(this.back))] }));
  }
  override get cost(): number {
    return this.source.cost;
  }
  override lanesAlong(axis: string): boolean {
    const stored = this.stored;
    if (stored) return stored.lanesAlong(axis);
    return this.source.axes.every((own) => {
      const deciding = this.back(own.name);
      return !deciding.includes(axis) || (deciding.at(-1) === axis && this.source.lanesAlong(own.name));
    });
  }
}

/** Whatever can be written down for coordinates. */
export class Computed extends Tensor {
  constructor(
    dtype: DType,
    axes: readonly TensorAxis[],
    private readonly options: {
      readonly cost: number;
      readonly hoists?: () => readonly Hoist[];
      readonly lanesAlong?: (axis: string) => boolean;
      /** Vector mode is not understood: compute lane by lane. */
      readonly scalar?: boolean;
    },
    private readonly compute: (emitter: Emitter, at: Coordinates) => Expression,
  ) {
    super(dtype, axes);
  }

  override read(emitter: Emitter, at: Coordinates): Expression {
    const own = this.own(at);
    return emitter.once(variablesOf(own), this.key(own), () =>
      this.options.scalar ? emitter.lanewise(own, (lane) => this.compute(emitter, lane)) : this.compute(emitter, own),
    );
  }

  override get hoists(): readonly Hoist[] {
    return this.options.hoists?.() ?? [];
  }
  override get cost(): number {
    return this.options.cost;
  }
  override lanesAlong(axis: string): boolean {
    return !this.has(axis) || (this.options.lanesAlong?.(axis) ?? !this.options.scalar);
  }
}

/** A value that stays where it is read until somebody wants it in memory. */
export class Deferred extends Tensor {
  private inMemory: Stored | undefined;

  constructor(
    private readonly source: Tensor,
    private readonly store: (source: Tensor) => Stored,
    /** What computes it, told to the kernels that do. */
    private readonly origin?: Node,
  ) {
    super(source.dtype, source.axes);
  }

  /** Put it into memory, once; earlier readers that are not written yet read it there as well. */
  force(): Stored {
    this.inMemory ??= this.source.settled ?? this.store(this.source);
    return this.inMemory;
  }

  get current(): Tensor {
    return this.inMemory ?? this.source;
  }

  override get stored(): Stored | undefined {
    return this.current.stored;
  }
  override get settled(): Stored | undefined {
    return this.current.settled;
  }
  override get products(): readonly Tensor[] {
    return this.current.products;
  }
  override read(emitter: Emitter, at: Coordinates): Expression {
    if (this.origin && !this.inMemory) emitter.origins.add(this.origin);
    return this.current.read(emitter, at);
  }
  override get hoists(): readonly Hoist[] {
    return this.current.hoists;
  }
  override get cost(): number {
    return this.current.cost;
  }
  override lanesAlong(axis: string): boolean {
    return this.current.lanesAlong(axis);
  }
}

/** Union by name: those of the first operand in order, then new ones of the next. */
export function alignedAxes(operands: readonly Tensor[]): readonly TensorAxis[] {
  const axes: TensorAxis[] = [];
  for (const operand of operands) {
    for (const axis of operand.axes) if (!axes.some((known) => known.name === axis.name)) axes.push(axis);
  }
  return axes;
}

/** Row-major strides in elements for axes in this order, last one fastest. */
export function rowMajor(axes: readonly Axis[]): ReadonlyMap<string, Size> {
  const strides = new Map<string, Size>();
  let step = Size.one;
  for (const axis of [...axes].reverse()) {
    strides.set(axis.name, step);
    step = step.times(axis.size);
  }
  return strides;
}

/** Whether a tensor is laid out along these axes from the start of its place on. */
export function liesAs({ offset, place, strides }: Stored, axes: readonly Axis[]): boolean {
  const wished = rowMajor(axes);
  const isLong = ({ size }: Axis): boolean => size.constant !== 1;
  return (
    offset.plus(place.offset).constant === 0 &&
    axes.filter(isLong).every(({ name }) => strides.get(name)?.equals(wished.get(name)!))
  );
}

export function elements(axes: readonly Axis[]): Size {
  return axes.reduce((product, axis) => product.times(axis.size), Size.one);
}
