/** Reading and writing rows by number. */
import { Size } from "../axes/size.js";
import { bytesOf, elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType, withoutAxes } from "./op-use.js";
import { makeTensor, offsetsOf, readAs, stridesIn, tensorAt } from "./reference-tensor.js";
import type { OpCall, TensorType } from "./types.js";

function gatherType(call: OpCall): TensorType {
  const use = new OpUse("gather", call);
  use.arity(2);
  const table = use.tensor(0);
  const ids = use.tensor(1, ["i32"]);
  const axis = use.axis(0, use.name("axis"));
  const rest = withoutAxes(table.axes, [axis.name]);
  const own = ids.axes.filter((candidate) => {
    const shared = rest.find((other) => other.name === candidate.name);
    if (shared) use.sameSize(shared, candidate, 1, 0);
    return !shared;
  });
  const axes = replaceAxis(table.axes, axis.name, own);
  use.distinct(axes, 1);
  return tensorType(table.dtype, axes);
}

const gather = defineOp("gather", "axes", {
  doc: "`gather(table, ids)`: rows of `table` along `axis` by number; the axes of `ids` come in its place. An axis that table and ids share is a batch axis (each of its indices has ids of its own). An id outside of the axis gives zeros.",
  example: "fn f[T, V, D](table: [V, D], ids: int[T]) => table[V: ids]",
  attrs: ["axis"],
  gradient: "chain",
  type: (call) => [gatherType(call)],
  cost: (call) => {
    const result = gatherType(call);
    // Only the rows that are asked for are read.
    return { flops: Size.zero, bytes: bytesOf(result).times(Size.of(2)).plus(bytesOf(call.operands[1]!)) };
  },
  reference: (_context, operands, call) => {
    const table = tensorAt(operands, 0);
    const ids = tensorAt(operands, 1);
    const name = call.attrs.axis as string;
    const at = table.axes.findIndex((axis) => axis.name === name);
    const limit = table.axes[at]!.size;
    const rest = table.axes.filter((axis) => axis.name !== name);
    const own = ids.axes.filter((axis) => !rest.some((other) => other.name === axis.name));
    const axes = table.axes.toSpliced(at, 1, ...own);
    const result = makeTensor(table.dtype, axes);
    const stride = stridesIn(table, [table.axes[at]!])[0]!;
    // An axis of ids may have the name that the table's own one gives up.
    const fromTable = axes.map((axis) => (own.includes(axis) ? { name: "", size: axis.size } : axis));
    const base = offsetsOf(axes, stridesIn(table, fromTable));
    const idOffsets = offsetsOf(axes, stridesIn(ids, axes));
    for (let i = 0; i < base.length; i++) {
      const id = ids.data[idOffsets[i]!]!;
      result.data[i] = id >= 0 && id < limit ? table.data[base[i]! + id * stride]! : 0;
    }
    return [result];
  },
  lowering: { kind: "template", template: "gather" },
});

function scatterType(call: OpCall): TensorType {
  const use = new OpUse("scatter", call);
  use.arity(2);
  const ids = use.tensor(0, ["i32"]);
  const values = use.tensor(1, ["f32", "i32"]);
  use.oneOf("mode", ["add", "set"]);
  const last = ids.axes.at(-1) ?? use.fail("MOE2042", { axis: "of numbers", axes: "" }, 0);
  for (const axis of ids.axes) use.sameSize(axis, use.axis(1, axis.name), 1, 0);
  const axes = replaceAxis(values.axes, last.name, [{ name: use.name("axis"), size: use.size("size") }]);
  use.distinct(axes, 1);
  return tensorType(values.dtype, axes);
}

const scatter = defineOp("scatter", "axes", {
  doc: '`scatter(ids, values)`: puts `values[…, n, …]` at index `ids[…, n]` of the new axis `axis` of size `size`, which takes the place of the last axis of ids; the other axes of ids are batch axes. `mode: "add"` sums what meets at one index, `"set"` keeps the one with the highest n; indices that nothing meets are 0, ids outside of the axis are dropped.',
  example: "fn f[T, N, V](ids: int[N], values: [N]) => scatter(values, ids, N -> V)",
  attrs: ["axis", "size", "mode"],
  gradient: "chain",
  type: (call) => [scatterType(call)],
  cost: (call) => moving([...call.operands, scatterType(call)], elementsOf(call.operands[1]!)),
  reference: (context, operands, call) => {
    const ids = tensorAt(operands, 0);
    const values = tensorAt(operands, 1);
    const last = ids.axes.at(-1)!;
    const target = { name: call.attrs.axis as string, size: context.size(call.attrs.size as Size) };
    const rest = values.axes.filter((axis) => axis.name !== last.name);
    const place = values.axes.findIndex((axis) => axis.name === last.name);
    const axes = values.axes.with(place, target);
    const result = makeTensor(values.dtype, axes);
    // n outermost, so that the last one wins under "set".
    const walk = [last, ...rest];
    const data = readAs(values, walk);
    const idOffsets = offsetsOf(walk, stridesIn(ids, walk));
    const base = offsetsOf(walk, stridesIn({ axes }, [{ name: "", size: last.size }, ...rest]));
    const stride = stridesIn({ axes }, [target])[0]!;
    const add = call.attrs.mode === "add";
    for (let i = 0; i < data.length; i++) {
      const id = ids.data[idOffsets[i]!]!;
      if (id < 0 || id >= target.size) continue;
      const to = base[i]! + id * stride;
      const sum = add ? result.data[to]! + data[i]! : data[i]!;
      result.data[to] = values.dtype === "i32" ? sum | 0 : sum;
    }
    return [result];
  },
  lowering: { kind: "template", template: "scatter" },
});

export const gatherOps = { gather, scatter } as const;
