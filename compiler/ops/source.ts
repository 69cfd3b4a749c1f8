/** Where values come from without operands: parameters, knobs, constants. */
import { Size } from "../axes/size.js";
import { bytesOf, countOf, nothing } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType } from "./op-use.js";
import { makeTensor, scalarTensor } from "./reference-tensor.js";
import type { OpCall, OpDef, TensorType } from "./types.js";

function declaredType(op: "param" | "knob", call: OpCall): TensorType {
  const use = new OpUse(op, call);
  use.arity(0);
  const path = use.name("path");
  return call.declared?.[op](path) ?? use.fail("MOE2058", { what: op === "param" ? "parameter" : "knob", path });
}

function defineDeclared(op: "param" | "knob", what: Pick<OpDef, "doc" | "example" | "gradient">): OpDef {
  return defineOp(op, "source", {
    ...what,
    attrs: ["path"],
    type: (call) => [declaredType(op, call)],
    // Bytes are counted where the value is read.
    cost: () => nothing,
    reference: (context, _operands, call) => [context[op](call.attrs.path as string)],
    lowering: { kind: "view" },
  });
}

const dtypes = ["f32", "i32", "bool"] as const;

function constantType(call: OpCall): TensorType {
  const use = new OpUse("constant", call);
  use.arity(0);
  const dtype = use.oneOf("dtype", dtypes);
  if (call.attrs.values === undefined) {
    checkNumber(use, "value", dtype, use.number("value"));
    return tensorType(dtype);
  }
  const axes = use.newAxes("axes");
  use.distinct(axes);
  const { values } = call.attrs;
  if (!Array.isArray(values)) use.badAttr("values", "a list of numbers");
  const list = values as readonly unknown[];
  for (const value of list) checkNumber(use, "values", dtype, value);
  const count = countOf(axes);
  if (count.constant !== list.length) use.badAttr("values", `${count.key} numbers`);
  return tensorType(dtype, axes);
}

function checkNumber(use: OpUse, attr: string, dtype: (typeof dtypes)[number], value: unknown): void {
  if (typeof value !== "number") use.badAttr(attr, "numbers");
  else if (dtype === "i32" && (value | 0) !== value) use.badAttr(attr, "whole numbers of 32 bits");
  else if (dtype === "bool" && value !== 0 && value !== 1) use.badAttr(attr, "0 or 1");
}

const constant = defineOp("constant", "source", {
  doc: "A number (`value`), or a table of numbers (`values`, row-major over `axes`, whose sizes are numbers). bool is 0 or 1. f32 values are those of the text, rounded to f32 where they are used in f32.",
  example: "fn f[D](x: [D]) => x * 0.5",
  attrs: ["value", "values", "axes", "dtype"],
  gradient: "none",
  type: (call) => [constantType(call)],
  cost: (call) => ({
    flops: Size.zero,
    bytes: call.attrs.values === undefined ? Size.zero : bytesOf(constantType(call)),
  }),
  reference: (context, _operands, call) => {
    const { dtype, axes } = constantType(call);
    if (call.attrs.values === undefined) return [scalarTensor(dtype, call.attrs.value as number)];
    const data = Float64Array.from(call.attrs.values as readonly number[]);
    return [
      makeTensor(
        dtype,
        axes.map(({ name, size }) => ({ name, size: context.size(size) })),
        data,
      ),
    ];
  },
  lowering: { kind: "view" },
});

function layerIndexType(call: OpCall): TensorType {
  const use = new OpUse("layer_index", call);
  use.arity(0);
  use.name("stack");
  return tensorType("i32");
}

const layerIndex = defineOp("layer_index", "source", {
  doc: "The number of the current turn of the enclosing `stack` of that name, from 0 on, as an i32 scalar.",
  example:
    "block Scale[D](layer: int) {\n  (x: [T, D]) => x * layer\n}\nmodel M[L = 2, D = 4] {\n  stack layers = l in 0..L of Scale[D](l)\n  forward(x: [T, D]) => layers(x)\n}",
  attrs: ["stack"],
  gradient: "none",
  type: (call) => [layerIndexType(call)],
  cost: () => nothing,
  reference: (context, _operands, call) => [scalarTensor("i32", context.layerIndex(call.attrs.stack as string))],
  lowering: { kind: "view" },
});

export const sourceOps = {
  param: defineDeclared("param", {
    doc: "A parameter of the program by its path, with all its axes (layers first, then experts). Only at the top level of an entry; regions get parameters as operands.",
    example: "block Linear[D, F] {\n  param w: [D, F]\n  (x: [T, D]) => x @ w\n}",
    gradient: "chain",
  }),
  knob: defineDeclared("knob", {
    doc: "The present value of a knob by its path, with all its axes. Only at the top level of an entry; regions get knobs as operands.",
    example:
      "router R[D, E](k: int) {\n  param w: [D, E]\n  knob bias: [E] = 0\n  (x: [D]) => choose(softmax(x @ w + bias, over: E), top: k)\n}",
    gradient: "none",
  }),
  constant,
  layer_index: layerIndex,
} as const;
