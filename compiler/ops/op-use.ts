/**
 * One use of an op while its type rule looks at it: readers of operands and attributes that refuse with a coded error,
 * so that a rule says only what it wants.
 *
 * @example const use = new OpUse("softmax", call); const x = use.tensor(0, ["f32"]); use.axis(0, use.name("over"));
 */
import { Size } from "../axes/size.js";
import { axesText, sameType, typeText } from "./type-text.js";
import {
  OpTypeError,
  type Axis,
  type DType,
  type OpCall,
  type RegionType,
  type RoutesType,
  type TensorType,
  type ValueType,
} from "./types.js";

export class OpUse {
  constructor(
    readonly op: string,
    readonly call: OpCall,
  ) {}

  /** Refuse. The slot `op` is added to the slots of the message. */
  fail(code: string, slots: Readonly<Record<string, string>>, operand?: number, axis?: string): never {
    throw new OpTypeError(code, { op: this.op, ...slots }, operand, axis);
  }

  /** The number of operands is between `least` and `most`; MOE2040. */
  arity(least: number, most = least): void {
    const found = this.call.operands.length;
    if (found >= least && found <= most) return;
    const expected = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    this.fail("MOE2040", { expected, found: `${found}` });
  }

  operand(index: number): ValueType {
    return this.call.operands[index] ?? this.fail("MOE2040", { expected: `at least ${index + 1}`, found: `${index}` });
  }

  /** Operand `index` as a tensor of one of `dtypes` (any when absent); MOE2048, MOE2043. */
  tensor(index: number, dtypes?: readonly DType[]): TensorType {
    const type = this.operand(index);
    if (type.kind !== "tensor") this.fail("MOE2048", { expected: "a tensor", found: typeText(type) }, index);
    if (dtypes && !dtypes.includes(type.dtype)) {
      this.fail("MOE2043", { expected: dtypes.join(" or "), found: type.dtype }, index);
    }
    return type;
  }

  routes(index: number): RoutesType {
    const type = this.operand(index);
    if (type.kind !== "routes") this.fail("MOE2048", { expected: "routes", found: typeText(type) }, index);
    return type;
  }

  /** A scalar; MOE2061. */
  scalar(index: number, dtypes?: readonly DType[]): TensorType {
    const type = this.tensor(index, dtypes);
    if (type.axes.length > 0) this.fail("MOE2061", { found: typeText(type) }, index, type.axes[0]!.name);
    return type;
  }

  /** The axis `name` of operand `index`; MOE2042. */
  axis(index: number, name: string): Axis {
    const type = this.tensor(index);
    return axisOf(type.axes, name) ?? this.fail("MOE2042", { axis: name, axes: axesText(type.axes) }, index, name);
  }

  /** Every axis name occurs once; MOE2045. */
  distinct(axes: readonly Axis[], operand?: number): void {
    const seen = new Set<string>();
    for (const { name } of axes) {
      if (seen.has(name)) this.fail("MOE2045", { axis: name, axes: axesText(axes) }, operand, name);
      seen.add(name);
    }
  }

  /** The sizes that two operands give to an axis they share agree; MOE2041. */
  sameSize(expected: Axis, found: Axis, operand: number, other: number): void {
    if (expected.size.equals(found.size)) return;
    this.fail(
      "MOE2041",
      { axis: found.name, expected: expected.size.key, found: found.size.key, other: `operand ${other}` },
      operand,
      found.name,
    );
  }

  /** Axes of all operands aligned by name: those of the first in order, then the new ones of the next; MOE2041. */
  broadcast(operands: readonly (readonly Axis[])[]): readonly Axis[] {
    const [first = []] = operands;
    let result = first;
    for (let index = 1; index < operands.length; index++) {
      for (const axis of operands[index]!) {
        const known = axisOf(result, axis.name);
        if (!known) result = [...result, axis];
        else if (!known.size.equals(axis.size)) {
          this.sameSize(
            known,
            axis,
            index,
            operands.findIndex((axes) => axes.includes(known)),
          );
        }
      }
    }
    return result;
  }

  /** Each axis of operand `index` is one of `allowed`, with its size; MOE2050, MOE2041. */
  within(index: number, allowed: readonly Axis[], other: number): void {
    for (const axis of this.tensor(index).axes) {
      const known = allowed.find((candidate) => candidate.name === axis.name);
      if (!known) this.fail("MOE2050", { axis: axis.name, allowed: axesText(allowed) }, index, axis.name);
      this.sameSize(known, axis, index, other);
    }
  }

  /** Region `index` takes `params` and gives `results` values; MOE2054. */
  region(index: number, params: readonly ValueType[], results: number): RegionType {
    const region = this.call.regions[index];
    if (!region) this.fail("MOE2054", { part: "regions", expected: `at least ${index + 1}`, found: `${index}` });
    const list = (types: readonly ValueType[]): string => `(${types.map(typeText).join(", ")})`;
    const fits = region.params.length === params.length && params.every((type, i) => sameType(type, region.params[i]!));
    if (!fits) this.fail("MOE2054", { part: "parameters", expected: list(params), found: list(region.params) });
    if (region.results.length !== results) {
      this.fail("MOE2054", { part: "results", expected: `${results}`, found: `${region.results.length}` });
    }
    return region;
  }

  regionCount(expected: number): void {
    const found = this.call.regions.length;
    if (found !== expected) this.fail("MOE2054", { part: "regions", expected: `${expected}`, found: `${found}` });
  }

  /** An attribute of another form than the op wants; MOE2052. */
  badAttr(attr: string, expected: string): never {
    const value = this.call.attrs[attr];
    const found = value === undefined ? "nothing" : value instanceof Size ? `size ${value.key}` : JSON.stringify(value);
    this.fail("MOE2052", { attr, expected, found });
  }

  name(attr: string): string {
    const value = this.call.attrs[attr];
    return typeof value === "string" && value !== "" ? value : this.badAttr(attr, "a name");
  }

  /** Names of which one may stand several times. */
  nameList(attr: string): readonly string[] {
    const value = this.call.attrs[attr];
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    return isList ? value : this.badAttr(attr, "a list of names");
  }

  /** Names that differ. */
  names(attr: string): readonly string[] {
    const names = this.nameList(attr);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) this.fail("MOE2045", { axis: twice, axes: names.join(", ") }, undefined, twice);
    return names;
  }

  oneOf<T extends string>(attr: string, choices: readonly T[]): T {
    const value = this.call.attrs[attr];
    return choices.find((choice) => choice === value) ?? this.badAttr(attr, choices.join(" or "));
  }

  number(attr: string): number {
    const value = this.call.attrs[attr];
    return typeof value === "number" ? value : this.badAttr(attr, "a number");
  }

  /** A whole number of at least `least`. */
  whole(attr: string, least = -Infinity): number {
    const value = this.call.attrs[attr];
    return typeof value === "number" && Number.isSafeInteger(value) && value >= least
      ? value
      : this.badAttr(attr, Number.isFinite(least) ? `a whole number from ${least} on` : "a whole number");
  }

  flag(attr: string): boolean {
    const value = this.call.attrs[attr];
    return typeof value === "boolean" ? value : this.badAttr(attr, "true or false");
  }

  /** A size that is not provably negative; MOE2052, MOE2051. */
  size(attr: string): Size {
    const value = this.call.attrs[attr];
    if (!(value instanceof Size)) this.badAttr(attr, "a size");
    if ((value.constant ?? 0) < 0) this.fail("MOE2051", { attr, size: value.key });
    return value;
  }

  /** A list of new axes `{name, size}`. */
  newAxes(attr: string): readonly Axis[] {
    const value = this.call.attrs[attr];
    if (!Array.isArray(value)) this.badAttr(attr, "a list of axes");
    return (value as readonly unknown[]).map((item) => this.asAxis(attr, item));
  }

  newAxis(attr: string): Axis {
    return this.asAxis(attr, this.call.attrs[attr]);
  }

  private asAxis(attr: string, item: unknown): Axis {
    if (typeof item !== "object" || item === null || !("name" in item) || !("size" in item)) {
      this.badAttr(attr, "an axis {name, size}");
    }
    const { name, size } = item;
    if (typeof name !== "string" || name === "" || !(size instanceof Size)) this.badAttr(attr, "an axis {name, size}");
    if ((size.constant ?? 0) < 0) this.fail("MOE2051", { attr, size: size.key }, undefined, name);
    return { name, size };
  }

  /** `k` elements can be chosen from `axis`, or it cannot be told before the run; MOE2046. */
  fits(k: Size, axis: Axis, operand: number): void {
    const excess = k.minus(axis.size).constant;
    if (excess !== undefined && excess > 0) {
      this.fail("MOE2046", { k: k.key, axis: axis.name, size: axis.size.key }, operand, axis.name);
    }
  }
}

function axisOf(axes: readonly Axis[], name: string): Axis | undefined {
  for (const axis of axes) if (axis.name === name) return axis;
  return undefined;
}

export function tensorType(dtype: DType, axes: readonly Axis[] = []): TensorType {
  return { kind: "tensor", dtype, axes };
}

/** `axes` with the one called `name` replaced by others, in place. */
export function replaceAxis(axes: readonly Axis[], name: string, by: readonly Axis[]): readonly Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.name === name) result.push(...by);
    else result.push(axis);
  }
  return result;
}

export function withoutAxes(axes: readonly Axis[], names: readonly string[]): readonly Axis[] {
  return axes.filter((axis) => !names.includes(axis.name));
}
