/**
 * Elementwise ops: one row each (doc, example, what it computes in doubles, the formula for kernels) in the tables of
 * one, two and three operands.
 */
import { elementwiseCost, defineElementwise, mapTensors, type TernaryRow } from "./elementwise-define.js";
import { binaryRows } from "./elementwise-binary.js";
import { unaryRows } from "./elementwise-unary.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { tensorAt } from "./reference-tensor.js";
import type { DType, OpCall, TensorType } from "./types.js";

const ternaryRows = {
  where: {
    doc: "`a` where the condition is true, `b` elsewhere; the other one is not looked at, so a NaN in it does no harm. The two have one dtype.",
    example: "fn f[T, D](x: [T, D]) => where(x > 0, x, 0.0)",
    operands: ["bool", "any", "any"],
    reference: (condition, a, b) => (condition !== 0 ? a : b),
    scalar: (m, condition, a, b) => m.select(condition, a, b),
  },
} satisfies Record<string, TernaryRow>;

/** f32 to i32 truncates and saturates, NaN to 0. */
function toInteger(x: number): number {
  return Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)));
}

const conversions: Readonly<Record<DType, (x: number) => number>> = {
  f32: (x) => Math.fround(x),
  i32: toInteger,
  bool: (x) => Number(x !== 0),
};

function castType(call: OpCall): TensorType {
  const use = new OpUse("cast", call);
  use.arity(1);
  return tensorType(use.oneOf("to", ["f32", "i32", "bool"]), use.tensor(0).axes);
}

const cast = defineOp("cast", "elementwise", {
  doc: "Another dtype, attribute `to`: f32 to i32 truncates and saturates, with NaN to 0; a number to bool is true when it is not 0; bool to a number is 0 or 1; i32 to f32 rounds.",
  example: "fn f[T, D](x: [T, D]) => float(x > 0)",
  attrs: ["to"],
  gradient: "none",
  type: (call) => [castType(call)],
  cost: (call) => elementwiseCost(call, castType(call), 1),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const to = castType(call).dtype;
    return [mapTensors(to, [x], x.dtype === to ? (value) => value : conversions[to])];
  },
  scalar: (_math, x) => x,
  lowering: { kind: "elementwise" },
});

/** The records of all elementwise ops. */
export const elementwiseOps = {
  ...defineElementwise(unaryRows),
  ...defineElementwise(binaryRows),
  ...defineElementwise(ternaryRows),
  cast,
} as const;
