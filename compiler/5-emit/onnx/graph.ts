/**
 * Builds an ONNX graph out of tensors with named axes: alignment, reshaping and sizes that are known only at run time
 * are done here once, so that the lowering of an op says what it computes.
 */
import type { Size } from "../../axes/size.js";
import { Size as SizeClass } from "../../axes/size.js";
import type { Axis } from "../../ops/types.js";
import { ELEMENT_TYPES, type Attributes, type ElementType, type Initializer, type OnnxNode } from "./model-bytes.js";
import type { Tensor } from "./values.js";

const WIDTH = { f32: 4, i32: 4, i64: 8, bool: 1, u8: 1 } as const;

function encode(type: ElementType, values: readonly number[]): Uint8Array {
  const data = new Uint8Array(values.length * WIDTH[type]);
  const view = new DataView(data.buffer);
  values.forEach((value, index) => {
    if (type === "f32") view.setFloat32(index * 4, value, true);
    else if (type === "i32") view.setInt32(index * 4, value, true);
    else if (type === "i64") view.setBigInt64(index * 8, BigInt(value), true);
    else view.setUint8(index, value);
  });
  return data;
}

/** Axes of all, each once, in the order in which they appear. */
export function unionAxes(tensors: readonly Tensor[]): readonly Axis[] {
  const axes: Axis[] = [];
  for (const { axes: own } of tensors) {
    for (const axis of own) if (!axes.some(({ name }) => name === axis.name)) axes.push(axis);
  }
  return axes;
}

export const axisAt = (tensor: Tensor, name: string): number => {
  const at = tensor.axes.findIndex((axis) => axis.name === name);
  if (at < 0) throw new RangeError(`no axis ${name}`);
  return at;
};

export class Graph {
  nodes: OnnxNode[] = [];
  initializers: Initializer[] = [];
  private readonly constants = new Map<string, string>();
  private readonly sizes = new Map<string, string>();
  private readonly sizeNames = new Map<string, string>();
  private next = 0;

  fresh(prefix: string): string {
    return `${prefix}_${this.next++}`;
  }

  /** Nodes with any number of results. */
  nodeMany(op: string, inputs: readonly string[], count: number, attributes: Attributes = {}, domain?: string) {
    const outputs = Array.from({ length: count }, () => this.fresh("v"));
    this.nodes.push({ op, inputs, outputs, attributes, ...(domain === undefined ? {} : { domain }) });
    return outputs;
  }

  node(op: string, inputs: readonly string[], attributes: Attributes = {}, domain?: string): string {
    return this.nodeMany(op, inputs, 1, attributes, domain)[0]!;
  }

  /** A constant; equal ones are written once. */
  constant(type: ElementType, dims: readonly number[], values: readonly number[]): string {
    const key = `${type}[${dims.join(",")}]${values.map((value) => (Object.is(value, -0) ? "-0" : value)).join(",")}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh("c");
    const bytes = encode(type, values);
    this.initializer(name, type, dims, () => bytes);
    this.constants.set(key, name);
    return name;
  }

  /** A tensor in the file whose bytes are made when it is written. */
  initializer(name: string, type: ElementType, dims: readonly number[], bytes: () => Uint8Array): string {
    const byteLength = dims.reduce((product, dim) => product * dim, WIDTH[type]);
    this.initializers.push({ name, type, dims, byteLength, bytes });
    return name;
  }

  /** A named initializer of one value. */
  filledInitializer(name: string, type: ElementType, dims: readonly number[], value: number): void {
    const count = dims.reduce((product, dim) => product * dim, 1);
    this.initializer(name, type, dims, () => encode(type, new Array<number>(count).fill(value)));
  }

  integers(values: readonly number[]): string {
    return this.constant("i64", [values.length], values);
  }

  number(type: ElementType, value: number): Tensor {
    return { kind: "tensor", name: this.constant(type, [], [value]), type, axes: [] };
  }

  /** Leaves out nodes whose results nobody reads. */
  dropUnread(outputs: readonly string[]): void {
    const read = new Set(outputs);
    const kept = this.nodes.toReversed().filter(({ inputs, outputs: own }) => {
      if (!own.some((name) => read.has(name))) return false;
      inputs.forEach((name) => read.add(name));
      return true;
    });
    this.nodes = kept.reverse();
    this.initializers = this.initializers.filter(({ name }) => read.has(name));
  }

  /** Says which i64 `[1]` holds a size that is known only at run time. */
  nameSize(name: string, value: string): void {
    this.sizeNames.set(name, value);
  }

  hasSize(name: string): boolean {
    return this.sizeNames.has(name);
  }

  /** A size as i64 `[1]`. */
  size(size: Size): string {
    const known = this.sizes.get(size.key);
    if (known !== undefined) return known;
    const two = (op: string) => (left: string, right: string) => this.node(op, [left, right]);
    // Sizes are not negative, so the division of integers, which truncates, rounds down.
    const name = size.interpret<string>({
      constant: (value) => this.integers([value]),
      name: (text) => {
        const found = this.sizeNames.get(text);
        if (found === undefined) throw new RangeError(`no run-time size ${text}`);
        return found;
      },
      add: two("Add"),
      multiply: two("Mul"),
      floor: two("Div"),
      ceil: (left, right) => {
        const less = this.node("Sub", [right, this.integers([1])]);
        return this.node("Div", [this.node("Add", [left, less]), right]);
      },
      min: two("Min"),
      max: two("Max"),
    });
    this.sizes.set(size.key, name);
    return name;
  }

  /** The sizes of axes as one i64 vector. */
  shape(axes: readonly Axis[]): string {
    const fixed = axes.map(({ size }) => size.constant);
    if (fixed.every((size) => size !== undefined)) return this.integers(fixed);
    return this.node("Concat", axes.map(({ size }) => this.size(size)), { axis: { int: 0 } }); // prettier-ignore
  }

  /** A size as a scalar tensor. */
  sizeScalar(size: Size, type: "i32" | "i64" | "f32"): Tensor {
    if (size.constant !== undefined) return this.number(type, size.constant);
    const name = this.node("Squeeze", [this.size(size), this.integers([0])]);
    return this.cast({ kind: "tensor", name, type: "i64", axes: [] }, type);
  }

  apply(op: string, inputs: readonly Tensor[], type: ElementType, attributes: Attributes = {}): Tensor {
    const axes = unionAxes(inputs);
    const names = inputs.map((input) => this.align(input, axes).name);
    return { kind: "tensor", name: this.node(op, names, attributes), type, axes };
  }

  cast(x: Tensor, type: ElementType): Tensor {
    if (x.type === type) return x;
    return { ...x, name: this.node("Cast", [x.name], { to: { int: ELEMENT_TYPES[type] } }), type };
  }

  where(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
    return this.apply("Where", [condition, yes, no], yes.type);
  }

  /** The same values with all axes of x in this order. */
  order(x: Tensor, names: readonly string[]): Tensor {
    const places = names.map((name) => axisAt(x, name));
    if (places.every((place, index) => place === index)) return x;
    const name = this.node("Transpose", [x.name], { perm: { ints: places } });
    return { ...x, name, axes: places.map((place) => x.axes[place]!) };
  }

  /** x in the order of `axes`, ready to broadcast: axes that it lacks have size 1 or are left away in front. */
  align(x: Tensor, axes: readonly Axis[]): Tensor {
    const own = axes.filter(({ name }) => x.axes.some((axis) => axis.name === name));
    const ordered = this.order(x, own.map(({ name }) => name)); // prettier-ignore
    const first = axes.findIndex((axis) => own.includes(axis));
    const behind = first < 0 ? [] : axes.slice(first);
    const missing = behind.flatMap((axis, index) => (own.includes(axis) ? [] : [index]));
    if (missing.length === 0) return { ...ordered, axes };
    return { ...ordered, name: this.node("Unsqueeze", [ordered.name, this.integers(missing)]), axes };
  }

  /** x repeated along the axes of `axes` that it lacks. */
  full(x: Tensor, axes: readonly Axis[]): Tensor {
    const lacks = axes.some(({ name }) => !x.axes.some((axis) => axis.name === name));
    const aligned = this.align(x, axes);
    return lacks ? { ...aligned, name: this.node("Expand", [aligned.name, this.shape(axes)]) } : aligned;
  }

  /** The same numbers in the same order under other axes. */
  reshape(x: Tensor, axes: readonly Axis[]): Tensor {
    const name = this.node("Reshape", [x.name, this.shape(axes)], { allowzero: { int: 1 } });
    return { ...x, name, axes };
  }

  renamed(x: Tensor, from: string, to: string): Tensor {
    return { ...x, axes: x.axes.map((axis) => (axis.name === from ? { ...axis, name: to } : axis)) };
  }

  filled(type: ElementType, value: number, axes: readonly Axis[]): Tensor {
    return this.full(this.number(type, value), axes);
  }

  /** `0, 1, …` along an axis. */
  range(axis: Axis, from: Size = SizeClass.zero): Tensor {
    const start = this.sizeScalar(from, "i64").name;
    const end = this.sizeScalar(from.plus(axis.size), "i64").name;
    const name = this.node("Range", [start, end, this.number("i64", 1).name]);
    return this.cast({ kind: "tensor", name, type: "i64", axes: [axis] }, "i32");
  }

  /** The indices from one size to another along an axis. */
  slice(x: Tensor, axis: string, from: Size, to: Size): Tensor {
    const at = axisAt(x, axis);
    const inputs = [x.name, this.size(from), this.size(to), this.integers([at])];
    const axes = x.axes.with(at, { name: axis, size: to.minus(from) });
    return { ...x, name: this.node("Slice", inputs), axes };
  }

  /** One more index along each of these axes, in front or behind, that holds `value`. */
  padded(x: Tensor, names: readonly string[], side: "front" | "back", value: number): Tensor {
    if (names.length === 0) return x;
    const places = names.map((name) => axisAt(x, name));
    const ones = names.map(() => 1);
    const none = names.map(() => 0);
    const pads = this.integers(side === "front" ? [...ones, ...none] : [...none, ...ones]);
    const inputs = [x.name, pads, this.number(x.type, value).name, this.integers(places)];
    const axes = x.axes.map((axis) =>
      names.includes(axis.name) ? { ...axis, size: axis.size.plus(SizeClass.one) } : axis,
    );
    return { ...x, name: this.node("Pad", inputs), axes };
  }

  /** Sums and extremes; `keep` leaves the axes with size 1 out of sight, ready to broadcast against x. */
  reduce(op: string, x: Tensor, over: readonly string[]): Tensor {
    if (over.length === 0) return x;
    const places = over.map((name) => axisAt(x, name));
    const name = this.node(op, [x.name, this.integers(places)], { keepdims: { int: 0 } });
    return { ...x, name, axes: x.axes.filter((axis) => !over.includes(axis.name)) };
  }
}
