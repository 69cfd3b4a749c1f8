/** `gather`, `concat`, `shift` and `index`: values that are made of others at other places. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { add, and, compare, constant, max, min, select, sub } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import { bool, f32, i32 } from "../kernel-types.js";
import type { Coordinate } from "./coordinate.js";
import { type Coordinates } from "./coordinate.js";
import type { Emitter } from "./emitter.js";
import type { EntryLowering } from "./entry-lowering.js";
import { alignedAxes, Computed, Deferred, type Hoist, type Stored, Tensor, variablesOf, View } from "./tensor.js";

const plus = (at: Coordinates, axis: string, c: Coordinate): Coordinates => new Map([...at, [axis, c]]);

function zero(tensor: Tensor): Expression {
  return constant(0, tensor.dtype === "f32" ? f32 : tensor.dtype === "i32" ? i32 : bool);
}

/** In vector mode: lane by lane when `names` depend on the lane, else all lanes at once. */
function lanesOver(
  emitter: Emitter,
  at: Coordinates,
  names: ReadonlySet<string>,
  body: (at: Coordinates) => Expression,
): Expression {
  const { vector } = emitter;
  const depends = vector && [...at].some(([name, c]) => names.has(name) && c.mentions(vector.name));
  return depends ? emitter.lanewise(at, body) : body(at);
}

/** Rows of a table by number; an axis that both have is a batch axis; numbers outside give 0. */
export function gather(table: Tensor, ids: Tensor, axis: string): Tensor {
  const rest = table.axes.filter((own) => own.name !== axis);
  const own = ids.axes.filter((candidate) => !rest.some((other) => other.name === candidate.name));
  const axes = table.axes.flatMap((candidate) => (candidate.name === axis ? own : [candidate]));
  const size = table.axis(axis).size;
  const idNames = new Set(ids.axes.map((candidate) => candidate.name));
  const options = {
    cost: table.cost + ids.cost + 3,
    lanesAlong: (name: string) => !idNames.has(name) && table.lanesAlong(name),
  };
  return new Computed(table.dtype, axes, options, (emitter, coordinates) =>
    lanesOver(emitter, coordinates, idNames, (at) => {
      const names = variablesOf(new Map([...at].filter(([name]) => idNames.has(name))));
      const id = emitter.scalar(() => ids.read(emitter, at));
      const inside = and(compare("ge", id, 0), compare("lt", id, emitter.size(size)));
      const key = `row ${ids.id} ${[...at]
        .filter(([name]) => idNames.has(name))
        .map(([n, c]) => `${n}:${c.key}`)
        .join(" ")}`;
      const row = emitter.scalar(() => emitter.once(names, key, () => select(inside, id, constant(0))));
      const value = table.read(emitter, plus(at, axis, emitter.variable(row, names, size)));
      return select(inside, value, zero(table));
    }),
  );
}

/** y[i] = x[i - by], and `fill` where there is no such element. */
export function shift(source: Tensor, axis: string, by: number, fill: number): Tensor {
  const size = source.axis(axis).size;
  const moved = new Set([axis]);
  const options = { cost: source.cost + 3, lanesAlong: (name: string) => name !== axis && source.lanesAlong(name) };
  return new Computed(source.dtype, source.axes, options, (emitter, coordinates) =>
    lanesOver(emitter, coordinates, moved, (at) => {
      const names = at.get(axis)!.variables;
      const place = sub(emitter.index(at.get(axis)!), by);
      const inside = and(compare("ge", place, 0), compare("lt", place, emitter.size(size)));
      const safe = min(max(place, 0), sub(emitter.size(size), 1));
      const from = emitter.variable(
        emitter.once(names, `shift ${at.get(axis)!.key} ${by} ${size.key}`, () => safe),
        names,
        size,
      );
      const value = source.read(emitter, plus(at, axis, from));
      return select(inside, value, { ...zero(source), value: fill } as Expression);
    }),
  );
}

/** Parts one behind the other along an axis, each written straight into its place of whatever memory they come to lie in. */
export class Joined extends Tensor {
  private memory: Stored | undefined;

  constructor(
    private readonly entry: EntryLowering,
    private readonly parts: readonly Tensor[],
    private readonly along: string,
  ) {
    const total = parts.reduce((size, part) => size.plus(part.axis(along).size), Size.zero);
    super(
      parts[0]!.dtype,
      alignedAxes(parts).map((own) => (own.name === along ? { ...own, size: total } : own)),
    );
  }

  writeInto(target: Stored): void {
    let start = Size.zero;
    for (const part of this.parts) {
      const { size } = part.axis(this.along);
      const axes = target.axes.map((own) => (own.name === this.along ? { ...own, size } : own));
      const offset = target.offset.plus(start.times(target.strides.get(this.along)!));
      this.entry.store(part, target.viewed(axes, target.strides, offset));
      start = start.plus(size);
    }
  }

  private inMemory(): Stored {
    this.memory ??= this.entry.store(this);
    return this.memory;
  }

  override get stored(): Stored | undefined {
    return this.memory;
  }
  override get settled(): Stored {
    return this.inMemory();
  }
  override read(emitter: Emitter, at: Coordinates): Expression {
    return this.inMemory().read(emitter, at);
  }
  override get hoists(): readonly Hoist[] {
    return [];
  }
  /** More than a reader would do twice: several readers share the memory. */
  override get cost(): number {
    return this.memory ? 1 : 64;
  }
  override lanesAlong(axis: string): boolean {
    return this.inMemory().lanesAlong(axis);
  }
}

/** Write joined parts, also those seen under other names or in another order; false for every other tensor. */
export function writeJoined(source: Tensor, target: Stored): boolean {
  if (source.stored) return false;
  if (source instanceof Joined) {
    source.writeInto(target);
    return true;
  }
  if (source instanceof Deferred) return writeJoined(source.current, target);
  if (!(source instanceof View) || !source.renames) return false;
  const name = (own: string): string => source.renames!.get(own) ?? own;
  const axes = target.axes.map((axis) => ({ ...axis, name: name(axis.name) }));
  const strides = new Map(target.axes.map((axis) => [name(axis.name), target.strides.get(axis.name)!]));
  return writeJoined(source.source, target.viewed(axes, strides));
}

/** The coordinate of an axis. */
export function coordinateOf(axis: Axis, offset: Size): Tensor {
  return new Computed("i32", [axis], { cost: 1 }, (emitter, at) =>
    add(emitter.number(at.get(axis.name)!), emitter.size(offset)),
  );
}
