/** Running single ops of the table: the type rule and the reference, which must agree. */
import { expect } from "vitest";
import fc from "fast-check";
import { Size } from "../../compiler/axes/size.js";
import { getOp, type OpName } from "../../compiler/ops/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type {
  Attrs,
  DType,
  OpCall,
  ReferenceContext,
  ReferenceRoutes,
  ReferenceTensor,
  ReferenceValue,
  TensorType,
  ValueType,
} from "../../compiler/ops/types.js";

export const size = (value: number | string): Size => Size.of(value);

/** `tensor("T=2, D=3", [..])`: row-major numbers; zeros when absent. */
export function tensor(axes: string, data?: readonly number[], dtype: DType = "f32"): ReferenceTensor {
  const list = axes
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [name, count] = part.split("=").map((text) => text.trim());
      return { name: name!, size: Number(count) };
    });
  return makeTensor(dtype, list, data && Float64Array.from(data));
}

export function typeOf(value: ReferenceValue): ValueType {
  const axis = (run: { name: string; size: number }) => ({ name: run.name, size: Size.of(run.size) });
  return value.kind === "tensor"
    ? { kind: "tensor", dtype: value.dtype, axes: value.axes.map(axis) }
    : { kind: "routes", tokens: value.tokens.map(axis), experts: axis(value.experts), slots: Size.of(value.slots) };
}

const refuse = (): never => {
  throw new Error("this op asked for something that a single op has not");
};

export function plainContext(): ReferenceContext {
  return {
    run: refuse,
    runText: refuse,
    layerIndex: refuse,
    size: (value) => value.evaluate({}),
    readState: refuse,
    writeState: refuse,
    appendState: refuse,
    param: refuse,
    knob: refuse,
    trace: () => undefined,
  };
}

export function callFor(operands: readonly ReferenceValue[], attrs: Attrs = {}): OpCall {
  return { operands: operands.map(typeOf), attrs, regions: [] };
}

/** Run one op without regions; the result has the type that the type rule gives. */
export function runAll(
  name: OpName,
  operands: readonly ReferenceValue[],
  attrs: Attrs = {},
): readonly ReferenceValue[] {
  const op = getOp(name)!;
  const call = callFor(operands, attrs);
  const types = op.type(call);
  const results = op.reference(plainContext(), operands, call);
  expect(results.map(typeOf)).toEqual(types);
  return results;
}

export function run(name: OpName, operands: readonly ReferenceValue[], attrs: Attrs = {}): ReferenceTensor {
  const [result] = runAll(name, operands, attrs);
  if (result?.kind !== "tensor") throw new Error(`${name} gave no tensor`);
  return result;
}

export function runRoutes(name: OpName, operands: readonly ReferenceValue[], attrs: Attrs = {}): ReferenceRoutes {
  const [result] = runAll(name, operands, attrs);
  if (result?.kind !== "routes") throw new Error(`${name} gave no routes`);
  return result;
}

export const numbers = (value: ReferenceTensor): number[] => [...value.data];

/** A tensor type with symbolic sizes: `tensorOf("f32", "T", "D=4")`. */
export function tensorOf(dtype: DType, ...axes: string[]): TensorType {
  return {
    kind: "tensor",
    dtype,
    axes: axes.map((text) => {
      const [name, count] = text.split("=");
      return { name: name!, size: count === undefined ? Size.of(name!) : Size.parse(count) };
    }),
  };
}

/** Tensors with given axes and small numbers; `special` adds infinities and NaN. */
export function anyTensor(axes: string, special = false): fc.Arbitrary<ReferenceTensor> {
  const empty = tensor(axes);
  const plain = fc.integer({ min: -40, max: 40 }).map((n) => n / 8);
  const element = special ? fc.oneof({ weight: 8, arbitrary: plain }, fc.constantFrom(-Infinity, NaN, 0)) : plain;
  return fc
    .array(element, { minLength: empty.data.length, maxLength: empty.data.length })
    .map((data) => tensor(axes, data));
}

/** Values along one axis for all indices of the others: calls `visit` with each line. */
export function lines(value: ReferenceTensor, axis: string, visit: (line: number[], number: number) => void): void {
  const at = value.axes.findIndex((candidate) => candidate.name === axis);
  const count = value.axes[at]!.size;
  const inner = value.axes.slice(at + 1).reduce((product, other) => product * other.size, 1);
  const outer = value.axes.slice(0, at).reduce((product, other) => product * other.size, 1);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      visit(
        Array.from({ length: count }, (_, n) => value.data[(o * count + n) * inner + i]!),
        o * inner + i,
      );
    }
  }
}
