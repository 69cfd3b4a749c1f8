/** Turning values into tensors and emitting ops with errors that point at the operand. */
import type { DiagnosticParts, Slot } from "../../errors/construct.js";
import type { SourceSpan } from "../../errors/diagnostic.js";
import { OpTypeError, type Attrs, type Axis, type DType, type TensorType } from "../../ops/types.js";
import type { Walk } from "../context.js";
import type { Emitted, EmittedRegion } from "../emitter.js";
import { integer, sizeOf, valueOf, type StaticNumber } from "../numbers.js";
import { describe } from "../describe.js";
import { spoken } from "./op-words.js";
import { unknown, type TensorValue, type UnknownValue, type Value } from "../values.js";

export function report(
  walk: Walk,
  code: string,
  slots: Readonly<Record<string, Slot>>,
  span: SourceSpan,
  parts?: DiagnosticParts,
): UnknownValue {
  walk.reporter.report(code, slots, span, parts);
  return unknown;
}

export function tensor(value: Emitted): TensorValue {
  return { kind: "tensor", value };
}

/** Where a complaint of an op belongs when that is not the operand: the axis that was named, the size that is too large. */
export type ErrorPlaces = Readonly<Record<string, SourceSpan>>;

/** Emits an op. `spans` says where each operand stands, so that the type rule's complaint finds its place. */
export function emit(
  walk: Walk,
  name: string,
  operands: readonly Emitted[],
  attrs: Attrs,
  span: SourceSpan,
  spans?: readonly SourceSpan[],
  regions?: readonly EmittedRegion[],
  places?: ErrorPlaces,
): readonly Emitted[] | undefined {
  try {
    return walk.emitter.op(name, operands, attrs, span, regions);
  } catch (error) {
    if (!(error instanceof OpTypeError)) throw error;
    const where = places?.[error.code] ?? (error.operand === undefined ? span : (spans?.[error.operand] ?? span));
    const labels = operands
      .map((operand, index) => ({ operand, index }))
      .filter(
        ({ operand, index }) => index !== error.operand && operand.source !== undefined && hasAxis(operand, error.axis),
      )
      .filter(({ operand }) => !sameSpan(operand.source!, where))
      .map(({ operand }) => ({ span: operand.source!, text: describe(walk, tensor(operand)) }));
    const own = error.operand === undefined ? undefined : operands[error.operand];
    walk.reporter.report(error.code, spoken(error.slots, attrs), where, {
      labels,
      ...(own ? { note: describe(walk, tensor(own)) } : {}),
    });
    return undefined;
  }
}

function sameSpan(a: SourceSpan, b: SourceSpan): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end;
}

function hasAxis(operand: Emitted, axis: string | undefined): boolean {
  if (axis === undefined) return true;
  const axes = operand.type.kind === "tensor" ? operand.type.axes : [...operand.type.tokens, operand.type.experts];
  return axes.some((candidate) => candidate.name === axis);
}

/** Emits an op with one result. */
export function emitOne(
  walk: Walk,
  name: string,
  operands: readonly Emitted[],
  attrs: Attrs,
  span: SourceSpan,
  spans?: readonly SourceSpan[],
  places?: ErrorPlaces,
): Emitted | undefined {
  return emit(walk, name, operands, attrs, span, spans, undefined, places)?.[0];
}

/** As `emitOne`, as a value of the language. */
export function emitValue(
  walk: Walk,
  name: string,
  operands: readonly Emitted[],
  attrs: Attrs,
  span: SourceSpan,
  spans?: readonly SourceSpan[],
): Value {
  const result = emitOne(walk, name, operands, attrs, span, spans);
  return result ? tensor(result) : unknown;
}

/** A number as a scalar of the graph: a constant, or a computation on the run-time sizes in it. */
export function constant(walk: Walk, number: StaticNumber, dtype: DType, span: SourceSpan): Emitted {
  const value = valueOf(number);
  const make = (name: string, operands: readonly Emitted[], attrs: Attrs): Emitted =>
    walk.emitter.op(name, operands, attrs, span)[0]!;
  if (value !== undefined) return make("constant", [], { value: dtype === "i32" ? Math.trunc(value) : value, dtype });
  if (number.kind === "real") {
    // Only a symbol makes a real number unknown, and then nothing but types is made of it.
    if (!walk.options.generic) throw new Error("an unknown number in a program with known sizes");
    return make("constant", [], { value: 1, dtype });
  }
  const top = make("size", [], { value: number.top });
  const whole = sizeOf(number) !== undefined;
  if (dtype === "i32" && whole) return top;
  const topReal = make("cast", [top], { to: "f32" });
  if (whole) return topReal;
  const bottom = make("cast", [make("size", [], { value: number.bottom })], { to: "f32" });
  return make("div", [topReal, bottom], {});
}

/** Whether the number can be an i32 without losing anything. */
export function isWhole(number: StaticNumber): boolean {
  return number.kind === "exact" && number.integer && sizeOf(number) !== undefined;
}

/** The value as a tensor, or undefined when it is none; an unknown value is undefined without a word. */
export function asTensor(walk: Walk, value: Value, span: SourceSpan, dtype?: DType): Emitted | undefined {
  switch (value.kind) {
    case "tensor":
      return value.value;
    case "number":
      return constant(walk, value.number, dtype ?? (isWhole(value.number) ? "i32" : "f32"), span);
    case "axis":
      return constant(walk, integer(value.size), dtype ?? "i32", span);
    case "boolean":
      return walk.emitter.op("constant", [], { value: value.value === false ? 0 : 1, dtype: "bool" }, span)[0];
    case "state":
      return readState(walk, value, span);
    default:
      return undefined;
  }
}

function readState(walk: Walk, value: Extract<Value, { kind: "state" }>, span: SourceSpan): Emitted | undefined {
  walk.emitter.state(value.state);
  return emitOne(walk, "state_read", [], { state: value.state.path }, span);
}

/** The value as a tensor; says what it is instead when it is none. */
export function needTensor(
  walk: Walk,
  value: Value,
  span: SourceSpan,
  dtype?: DType,
  op = "this",
): Emitted | undefined {
  const result = asTensor(walk, value, span, dtype);
  if (!result) {
    if (value.kind !== "unknown") report(walk, "MOE2080", { found: describe(walk, value) }, span);
    return undefined;
  }
  if (result.type.kind === "routes") {
    report(walk, "MOE2048", { op, expected: "a tensor", found: describe(walk, value) }, span, {
      help: "`weights(r)` gives the routes as a dense tensor",
    });
    return undefined;
  }
  return result;
}

export function tensorType(value: Emitted): TensorType {
  if (value.type.kind !== "tensor") throw new Error("routes where a tensor was checked for");
  return value.type;
}

export function axesOf(value: Emitted): readonly Axis[] {
  return value.type.kind === "tensor" ? value.type.axes : value.type.tokens;
}

/** Brings a number to another type; the same value when it has it. */
export function cast(walk: Walk, value: Emitted, to: DType, span: SourceSpan): Emitted {
  if (value.type.kind !== "tensor" || value.type.dtype === to) return value;
  const result = walk.emitter.op("cast", [value], { to }, span)[0]!;
  if (value.source) result.source = value.source;
  return result;
}

export function rename(walk: Walk, value: Emitted, from: string, to: string, span: SourceSpan): Emitted {
  if (from === to) return value;
  const result = walk.emitter.op("rename", [value], { from, to }, span)[0]!;
  if (value.source) result.source = value.source;
  return result;
}

/** Renames several axes at once; a name may be given up by one axis and taken by another. */
export function renameAll(walk: Walk, value: Emitted, names: ReadonlyMap<string, string>, span: SourceSpan): Emitted {
  const todo: [string, string][] = [];
  for (const [from, to] of names) if (from !== to && hasName(value, from)) todo.push([from, to]);
  if (todo.length === 0) return value;
  let result = value;
  const waiting: [string, string][] = [];
  for (const [from, to] of todo) {
    if (hasName(result, to)) {
      const between = fresh(`${from}'`, [...allNames(result), to]);
      result = rename(walk, result, from, between, span);
      waiting.push([between, to]);
    } else {
      result = rename(walk, result, from, to, span);
    }
  }
  for (const [from, to] of waiting) {
    const free = hasName(result, to) ? fresh(`${to}'`, allNames(result)) : to;
    result = rename(walk, result, from, free, span);
  }
  return result;
}

export function allNames(value: Emitted): readonly string[] {
  return value.type.kind === "tensor"
    ? value.type.axes.map((axis) => axis.name)
    : [...value.type.tokens.map((axis) => axis.name), value.type.experts.name];
}

function hasName({ type }: Emitted, name: string): boolean {
  if (type.kind !== "tensor" && type.experts.name === name) return true;
  for (const axis of type.kind === "tensor" ? type.axes : type.tokens) if (axis.name === name) return true;
  return false;
}

/** `name`, with primes behind it until nobody has it. */
export function fresh(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let free = name;
  while (names.has(free)) free += "'";
  return free;
}

/** Puts the axes in this order in memory, when they are not already. */
export function ordered(walk: Walk, value: Emitted, names: readonly string[], span: SourceSpan): Emitted {
  if (value.type.kind !== "tensor") return value;
  const now = value.type.axes.map((axis) => axis.name);
  if (now.length === names.length && now.every((name, index) => name === names[index])) return value;
  const result = walk.emitter.op("order", [value], { axes: names }, span)[0]!;
  if (value.source) result.source = value.source;
  return result;
}

/** Adds the axes that are missing by repeating, and puts all in this order. */
export function expanded(walk: Walk, value: Emitted, axes: readonly Axis[], span: SourceSpan): Emitted {
  if (value.type.kind !== "tensor") return value;
  let result = value;
  for (const axis of axes) {
    if (!hasName(result, axis.name)) {
      result = walk.emitter.op("expand", [result], { axis: axis.name, size: axis.size }, span)[0]!;
    }
  }
  return ordered(
    walk,
    result,
    axes.map((axis) => axis.name),
    span,
  );
}

export function findAxis(value: Emitted, name: string): Axis | undefined {
  return axesOf(value).find((axis) => axis.name === name);
}
