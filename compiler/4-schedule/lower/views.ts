/** Ops that only rename, split, join, cut or reorder axes: no kernel, only other coordinates. */
import { Size } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { Coordinate, type Coordinates } from "./coordinate.js";
import { View, type Stored, type Tensor, type TensorAxis } from "./tensor.js";

function strides(stored: Stored, changes: readonly (readonly [string, Size])[]): ReadonlyMap<string, Size> {
  return new Map([...stored.strides, ...changes]);
}

export function renameAxis(source: Tensor, from: string, to: string): Tensor {
  return renameAxes(source, new Map([[from, to]]));
}

export function renameAxes(source: Tensor, names: ReadonlyMap<string, string>): Tensor {
  const rename = (name: string): string => names.get(name) ?? name;
  const axes = source.axes.map((axis) => ({ ...axis, name: rename(axis.name) }));
  return new View(
    axes,
    source,
    (at) => new Map(source.axes.map(({ name }) => [name, at.get(rename(name))!])),
    (axis) => [rename(axis)],
    (stored) => stored.viewed(axes, new Map(stored.axes.map(({ name }) => [rename(name), stored.strides.get(name)!]))),
    new Map(source.axes.map(({ name }) => [rename(name), name])),
  );
}

export function orderAxes(source: Tensor, names: readonly string[]): Tensor {
  const listed = names.map((name) => source.axis(name));
  const axes = [...source.axes.filter((axis) => !names.includes(axis.name)), ...listed];
  return new View(
    axes,
    source,
    (at) => at,
    (axis) => [axis],
    (stored) => stored.viewed(axes, stored.strides),
    new Map(axes.map(({ name }) => [name, name])),
  );
}

export function splitAxis(source: Tensor, axis: string, into: readonly Axis[]): Tensor {
  const axes = source.axes.flatMap((own): readonly TensorAxis[] => (own.name === axis ? into : [own]));
  const joined = (at: Coordinates): Coordinate =>
    into.reduce((sum, part) => sum.times(part.size).plus(at.get(part.name)!), Coordinate.zero);
  return new View(
    axes,
    source,
    (at) => new Map(source.axes.map(({ name }) => [name, name === axis ? joined(at) : at.get(name)!])),
    (name) => (name === axis ? into.map((part) => part.name) : [name]),
    (stored) => {
      let step = stored.strides.get(axis)!;
      const parts: (readonly [string, Size])[] = [];
      for (const part of [...into].reverse()) {
        parts.push([part.name, step]);
        step = step.times(part.size);
      }
      return stored.viewed(axes, strides(stored, parts));
    },
  );
}

/** `merge`: the merged axis stands where the first of the old ones stood. */
export function mergeAxes(source: Tensor, names: readonly string[], into: string): Tensor {
  const parts = names.map((name) => source.axis(name));
  const merged: TensorAxis = { name: into, size: parts.reduce((size, part) => size.times(part.size), Size.one) };
  const axes = source.axes.flatMap((own) => (own.name === names[0] ? [merged] : names.includes(own.name) ? [] : [own]));
  const partAt = (at: Coordinates, name: string): Coordinate => {
    const index = names.indexOf(name);
    const below = parts.slice(index + 1).reduce((size, part) => size.times(part.size), Size.one);
    const quotient = at.get(into)!.dividedBy(below);
    return index === 0 ? quotient : quotient.modulo(parts[index]!.size);
  };
  return new View(
    axes,
    source,
    (at) => new Map(source.axes.map(({ name }) => [name, names.includes(name) ? partAt(at, name) : at.get(name)!])),
    (name) => [names.includes(name) ? into : name],
    (stored) => {
      const dense = names.every((name, index) => {
        const next = names[index + 1];
        if (next === undefined) return true;
        return stored.strides.get(name)!.equals(stored.strides.get(next)!.times(source.axis(next).size));
      });
      return dense ? stored.viewed(axes, strides(stored, [[into, stored.strides.get(names.at(-1)!)!]])) : undefined;
    },
  );
}

export function sliceAxis(source: Tensor, axis: string, from: Size, to: Size): Tensor {
  const axes = source.axes.map((own) => (own.name === axis ? { name: axis, size: to.minus(from) } : own));
  return new View(
    axes,
    source,
    (at) => new Map([...at].map(([name, c]) => [name, name === axis ? c.plus(Coordinate.size(from)) : c])),
    (name) => [name],
    (stored) => stored.viewed(axes, stored.strides, stored.offset.plus(from.times(stored.strides.get(axis)!))),
  );
}

/** A new axis along which nothing changes, put first. */
export function expandAxis(source: Tensor, axis: Axis): Tensor {
  const axes = [axis, ...source.axes];
  return new View(
    axes,
    source,
    (at) => at,
    (name) => [name],
    (stored) => stored.viewed(axes, strides(stored, [[axis.name, Size.zero]])),
  );
}

/** One element along an axis, which disappears. */
export function pickAxis(source: Tensor, axis: string, at: Size): Tensor {
  const axes = source.axes.filter((own) => own.name !== axis);
  return new View(
    axes,
    source,
    (coordinates) => new Map([...coordinates, [axis, Coordinate.size(at)]]),
    (name) => (name === axis ? [] : [name]),
    (stored) => stored.viewed(axes, stored.strides, stored.offset.plus(at.times(stored.strides.get(axis)!))),
  );
}
