/** Ops that move numbers along an axis: slice, concat, shift; and those that make an axis's coordinates: index, size. */
import { Size } from "../axes/size.js";
import { elementsOf, moving, nothing } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType } from "./op-use.js";
import { alongAxis, makeTensor, readAs, scalarTensor, sliceAlong, tensorAt } from "./reference-tensor.js";
import type { OpCall, TensorType } from "./types.js";

function sliceType(call: OpCall): TensorType {
  const use = new OpUse("slice", call);
  use.arity(1);
  const x = use.tensor(0);
  const axis = use.axis(0, use.name("axis"));
  const from = use.size("from");
  const to = use.size("to");
  const beyond = to.minus(axis.size).constant;
  const length = to.minus(from);
  if ((beyond !== undefined && beyond > 0) || (length.constant ?? 0) < 0) {
    use.fail("MOE2049", { axis: axis.name, from: from.key, to: to.key, size: axis.size.key }, 0, axis.name);
  }
  return tensorType(x.dtype, replaceAxis(x.axes, axis.name, [{ name: axis.name, size: length }]));
}

const slice = defineOp("slice", "axes", {
  doc: "The indices `from` up to and without `to` of `axis`; the axis keeps its name and has the size `to - from`.",
  example: "fn f[T, W, D](x: [T, D]) => x[T: 0..W]",
  attrs: ["axis", "from", "to"],
  gradient: "chain",
  type: (call) => [sliceType(call)],
  cost: (call) => moving([sliceType(call), sliceType(call)]),
  reference: (context, operands, call) => {
    const from = context.size(call.attrs.from as Size);
    const to = context.size(call.attrs.to as Size);
    return [sliceAlong(tensorAt(operands, 0), call.attrs.axis as string, from, to)];
  },
  lowering: { kind: "view" },
});

function concatType(call: OpCall): TensorType {
  const use = new OpUse("concat", call);
  use.arity(1, Infinity);
  const first = use.tensor(0);
  const axis = use.axis(0, use.name("axis"));
  let size = axis.size;
  for (let i = 1; i < call.operands.length; i++) {
    const other = use.tensor(i);
    if (other.dtype !== first.dtype) use.fail("MOE2044", { left: first.dtype, right: other.dtype }, i);
    const part = use.axis(i, axis.name);
    use.within(i, replaceAxis(first.axes, axis.name, [part]), 0);
    for (const needed of first.axes) use.axis(i, needed.name);
    size = size.plus(part.size);
  }
  return tensorType(first.dtype, replaceAxis(first.axes, axis.name, [{ name: axis.name, size }]));
}

const concat = defineOp("concat", "axes", {
  doc: "Joins any number of operands along `axis`, in order; their other axes are the same. The memory order is that of the first.",
  example: "fn f[T, A, B](x: [T, D = A], y: [T, D = B]) => concat(x, y, over: D)",
  attrs: ["axis"],
  gradient: "chain",
  type: (call) => [concatType(call)],
  cost: (call) => moving([...call.operands, concatType(call)]),
  reference: (_context, operands, call) => {
    const parts = operands.map((_, index) => tensorAt(operands, index));
    const name = call.attrs.axis as string;
    const first = parts[0]!;
    const { at, outer, inner } = alongAxis(first, name);
    const sizes = parts.map((part) => alongAxis(part, name).size);
    const size = sizes.reduce((sum, part) => sum + part, 0);
    const result = makeTensor(first.dtype, first.axes.with(at, { name, size }));
    let start = 0;
    for (const [index, part] of parts.entries()) {
      const data = readAs(part, first.axes.with(at, { name, size: sizes[index]! }));
      const run = sizes[index]! * inner;
      for (let i = 0; i < outer; i++) result.data.set(data.subarray(i * run, (i + 1) * run), i * size * inner + start);
      start += run;
    }
    return [result];
  },
  lowering: { kind: "template", template: "concat" },
});

function shiftType(call: OpCall): TensorType {
  const use = new OpUse("shift", call);
  use.arity(1);
  const x = use.tensor(0);
  use.axis(0, use.name("axis"));
  use.whole("by");
  use.number("fill");
  return x;
}

const shift = defineOp("shift", "axes", {
  doc: "Moves values by `by` places along `axis`: `y[i] = x[i - by]`, and `fill` where there is no such index. `by` may be negative or larger than the axis.",
  example: "fn f[T, D](x: [T, D]) => shift(x, T, by: 1)",
  attrs: ["axis", "by", "fill"],
  gradient: "chain",
  type: (call) => [shiftType(call)],
  cost: (call) => moving([...call.operands, shiftType(call)]),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const { outer, size, inner } = alongAxis(x, call.attrs.axis as string);
    const by = call.attrs.by as number;
    const result = makeTensor(x.dtype, x.axes);
    result.data.fill(call.attrs.fill as number);
    for (let o = 0; o < outer; o++) {
      for (let i = Math.max(by, 0); i < Math.min(size, size + by); i++) {
        const from = (o * size + i - by) * inner;
        result.data.set(x.data.subarray(from, from + inner), (o * size + i) * inner);
      }
    }
    return [result];
  },
  lowering: { kind: "template", template: "shift" },
});

function indexType(call: OpCall): TensorType {
  const use = new OpUse("index", call);
  use.arity(0);
  if (!(call.attrs.offset instanceof Size)) use.badAttr("offset", "a size");
  return tensorType("i32", [{ name: use.name("axis"), size: use.size("size") }]);
}

const index = defineOp("index", "source", {
  doc: "The coordinate of an axis: `offset, offset + 1, …` along `axis` of size `size`, as i32.",
  example: "fn f[T, D](x: [T, D]) => where(index(T) < 4, x, 0.0)",
  attrs: ["axis", "size", "offset"],
  gradient: "none",
  type: (call) => [indexType(call)],
  cost: (call) => moving([indexType(call)], elementsOf(indexType(call))),
  reference: (context, _operands, call) => {
    const offset = context.size(call.attrs.offset as Size);
    const size = context.size(call.attrs.size as Size);
    const result = makeTensor("i32", [{ name: call.attrs.axis as string, size }]);
    for (let i = 0; i < size; i++) result.data[i] = offset + i;
    return [result];
  },
  lowering: { kind: "view" },
});

function sizeType(call: OpCall): TensorType {
  const use = new OpUse("size", call);
  use.arity(0);
  if (!(call.attrs.value instanceof Size)) use.badAttr("value", "a size");
  return tensorType("i32");
}

const size = defineOp("size", "source", {
  doc: "A size as an i32 scalar, run-time sizes included.",
  example: "fn f[T, D](x: [T, D]) => sum(x, over: T) / float(size(T))",
  attrs: ["value"],
  gradient: "none",
  type: (call) => [sizeType(call)],
  cost: () => nothing,
  reference: (context, _operands, call) => [scalarTensor("i32", context.size(call.attrs.value as Size))],
  lowering: { kind: "view" },
});

export const placeOps = { slice, concat, shift, index, size } as const;
