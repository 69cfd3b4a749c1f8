/** Ops that take axes away: sums, extremes, means, products, and the two of logic. */
import { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType, withoutAxes } from "./op-use.js";
import { countElements, makeTensor, readAs, tensorAt } from "./reference-tensor.js";
import type { DType, OpCall, TensorType } from "./types.js";

const kinds = ["sum", "max", "min", "mean", "prod", "any", "all"] as const;
export type ReduceKind = (typeof kinds)[number];

const allowed: Readonly<Record<ReduceKind, readonly DType[]>> = {
  sum: ["f32", "i32"],
  max: ["f32", "i32"],
  min: ["f32", "i32"],
  mean: ["f32"],
  prod: ["f32", "i32"],
  any: ["bool"],
  all: ["bool"],
};

function reduceType(call: OpCall): TensorType {
  const use = new OpUse("reduce", call);
  use.arity(1);
  const kind = use.oneOf("kind", kinds);
  const x = use.tensor(0, allowed[kind]);
  const over = use.names("over");
  for (const name of over) use.axis(0, name);
  return tensorType(x.dtype, withoutAxes(x.axes, over));
}

/** What the empty axis gives: the neutral element, in the range of the dtype. */
function start(kind: ReduceKind, dtype: DType): number {
  switch (kind) {
    case "sum":
    case "mean":
    case "any":
      return 0;
    case "prod":
    case "all":
      return 1;
    case "max":
      return dtype === "i32" ? -(2 ** 31) : -Infinity;
    case "min":
      return dtype === "i32" ? 2 ** 31 - 1 : Infinity;
  }
}

function step(kind: ReduceKind, dtype: DType): (sum: number, x: number) => number {
  switch (kind) {
    case "sum":
    case "mean":
      return dtype === "i32" ? (sum, x) => (sum + x) | 0 : (sum, x) => sum + x;
    case "prod":
      return dtype === "i32" ? Math.imul : (sum, x) => sum * x;
    case "max":
    case "any":
      return (sum, x) => Math.max(sum, x);
    case "min":
    case "all":
      return (sum, x) => Math.min(sum, x);
  }
}

const reduce = defineOp("reduce", "reduce", {
  doc: "Takes the axes `over` away by `kind`: sum, max, min, mean, prod (numbers), any, all (bool). Of no elements the sum is 0, the product 1, the mean 0, max -Infinity and min Infinity (the ends of the range on i32), any false, all true. NaN wins in max and min. i32 wraps.",
  example: "fn f[T, D](x: [T, D]) => mean(x * x, over: D)",
  attrs: ["kind", "over"],
  gradient: "chain",
  type: (call) => [reduceType(call)],
  cost: (call) => moving([...call.operands, reduceType(call)], elementsOf(call.operands[0]!).times(Size.one)),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const kind = call.attrs.kind as ReduceKind;
    const over = call.attrs.over as readonly string[];
    const kept = x.axes.filter((axis) => !over.includes(axis.name));
    const gone = x.axes.filter((axis) => over.includes(axis.name));
    const data = readAs(x, [...kept, ...gone]);
    const count = countElements(gone);
    const result = makeTensor(x.dtype, kept);
    const combine = step(kind, x.dtype);
    for (let i = 0; i < result.data.length; i++) {
      let sum = start(kind, x.dtype);
      for (let j = i * count; j < (i + 1) * count; j++) sum = combine(sum, data[j]!);
      result.data[i] = kind === "mean" ? sum / Math.max(count, 1) : sum;
    }
    return [result];
  },
  lowering: { kind: "template", template: "reduce" },
});

export const reduceOps = { reduce } as const;
