/** From one row of the elementwise table to an op record: type rule, cost, reference loop and lowering. */
import { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { alignAxes, makeTensor, readAs, tensorAt } from "./reference-tensor.js";
import type {
  Axis,
  DType,
  OpCall,
  OpCost,
  OpDef,
  ReferenceTensor,
  ReferenceValue,
  ScalarMath,
  TensorType,
} from "./types.js";

/** What an operand may hold. Operands that are not fixed to one dtype agree with each other. */
export type OperandRule = "f32" | "number" | "bool" | "any";

type Arity1 = (x: number) => number;
type Arity2 = (a: number, b: number) => number;
type Arity3 = (a: number, b: number, c: number) => number;
type Formula1 = <E>(math: ScalarMath<E>, x: E) => E;
type Formula2 = <E>(math: ScalarMath<E>, a: E, b: E) => E;
type Formula3 = <E>(math: ScalarMath<E>, a: E, b: E, c: E) => E;

interface RowBase {
  readonly doc: string;
  readonly example: string;
  /** `bool` for comparisons; the dtype of the last operand otherwise. */
  readonly result?: "bool";
  /** Operations per element; 1 when absent. */
  readonly flops?: number;
  readonly commutative?: boolean;
  /** `chain` when absent and the result is f32. */
  readonly gradient?: "none";
}
interface Row<Operands, Reference, Formula> extends RowBase {
  readonly operands: Operands;
  readonly reference: Reference;
  /** On i32 operands, where wrapping the result of `reference` to 32 bits is not enough. */
  readonly integer?: Reference;
  readonly scalar: Formula;
  readonly scalarInteger?: Formula;
}
export type UnaryRow = Row<readonly [OperandRule], Arity1, Formula1>;
export type BinaryRow = Row<readonly [OperandRule, OperandRule], Arity2, Formula2>;
export type TernaryRow = Row<readonly [OperandRule, OperandRule, OperandRule], Arity3, Formula3>;
export type ElementwiseRow = UnaryRow | BinaryRow | TernaryRow;

const allowed: Readonly<Record<OperandRule, readonly DType[]>> = {
  f32: ["f32"],
  number: ["f32", "i32"],
  bool: ["bool"],
  any: ["f32", "i32", "bool"],
};

function resultType(name: string, row: ElementwiseRow, call: OpCall): TensorType {
  const use = new OpUse(name, call);
  use.arity(row.operands.length);
  const operands: (readonly Axis[])[] = [];
  let dtype: DType = "f32";
  let free: DType | undefined;
  for (let index = 0; index < row.operands.length; index++) {
    const rule = row.operands[index]!;
    const operand = use.tensor(index, allowed[rule]);
    ({ dtype } = operand);
    operands.push(operand.axes);
    if (rule !== "number" && rule !== "any") continue;
    if (free !== undefined && free !== dtype) use.fail("MOE2044", { left: free, right: dtype }, index);
    free ??= dtype;
  }
  return tensorType(row.result ?? dtype, use.broadcast(operands));
}

/** Apply a function of numbers to tensors aligned by axis name. */
export function mapTensors(
  dtype: DType,
  operands: readonly ReferenceTensor[],
  apply: (a: number, b: number, c: number) => number,
): ReferenceTensor {
  const axes = alignAxes(operands);
  const result = makeTensor(dtype, axes);
  const [a, b, c] = operands.map((operand) => operandReader(operand, axes));
  const { data } = result;
  for (let i = 0; i < data.length; i++) {
    data[i] = apply(a!.data[i * a!.step]!, b ? b.data[i * b.step]! : 0, c ? c.data[i * c.step]! : 0);
  }
  return result;
}

/** A scalar is read with step 0; anything else in the order of `axes`. */
function operandReader(operand: ReferenceTensor, axes: ReferenceTensor["axes"]): { data: Float64Array; step: number } {
  return operand.axes.length === 0 ? { data: operand.data, step: 0 } : { data: readAs(operand, axes), step: 1 };
}

function referenceOf(row: ElementwiseRow): OpDef["reference"] {
  const plain = row.reference;
  const integer = row.integer as Arity3 | undefined;
  const wrapped: Arity3 = (a, b, c) => (integer ?? plain)(a, b, c) | 0;
  return (_context, operands: readonly ReferenceValue[]) => {
    const tensors = operands.map((_, index) => tensorAt(operands, index));
    const dtype = tensors.at(-1)!.dtype;
    return [mapTensors(row.result ?? dtype, tensors, dtype === "i32" && !row.result ? wrapped : plain)];
  };
}

export function elementwiseCost(call: OpCall, result: TensorType, flops: number): OpCost {
  return moving([...call.operands, result], elementsOf(result).times(Size.of(flops)));
}

function defineRow(name: string, row: ElementwiseRow): OpDef {
  const chain = row.gradient === undefined && row.result === undefined && row.operands.at(-1) !== "bool";
  return defineOp(name, "elementwise", {
    doc: row.doc,
    example: row.example,
    commutative: row.commutative ?? false,
    gradient: chain ? "chain" : "none",
    type: (call) => [resultType(name, row, call)],
    cost: (call) => elementwiseCost(call, resultType(name, row, call), row.flops ?? 1),
    reference: referenceOf(row),
    scalar: row.scalar,
    ...(row.scalarInteger ? { scalarInteger: row.scalarInteger } : {}),
    lowering: { kind: "elementwise" },
  });
}

export function defineElementwise<Name extends string>(
  rows: Readonly<Record<Name, ElementwiseRow>>,
): Readonly<Record<Name, OpDef>> {
  const entries = Object.entries<ElementwiseRow>(rows).map(([name, row]) => [name, defineRow(name, row)]);
  return Object.fromEntries(entries) as Record<Name, OpDef>;
}
