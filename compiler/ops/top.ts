/** Choice along an axis: the largest, the k best, a full sort. */
import type { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { bestOf } from "./choose-best.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType, withoutAxes } from "./op-use.js";
import { alongAxis, makeTensor, tensorAt } from "./reference-tensor.js";
import type { OpCall, OpDef, ReferenceContext, ReferenceTensor, ReferenceValue, TensorType } from "./types.js";

/** Visit the lines of x along an axis: `at(i)` is the place of element i, `line` the number of the line. */
function eachLine(
  x: ReferenceTensor,
  over: string,
  visit: (at: (i: number) => number, o: number, i: number) => void,
): void {
  const { outer, size, inner } = alongAxis(x, over);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit((n) => (o * size + n) * inner + i, o, i);
  }
}

function argType(name: string, call: OpCall): TensorType {
  const use = new OpUse(name, call);
  use.arity(1);
  const x = use.tensor(0, ["f32", "i32"]);
  const axis = use.axis(0, use.name("over"));
  return tensorType("i32", withoutAxes(x.axes, [axis.name]));
}

function defineArg(name: "argmax" | "argmin", sign: 1 | -1, word: string): OpDef {
  return defineOp(name, "reduce", {
    doc: `Index of the ${word} element along \`over\`; the lowest one of equals. NaN is never chosen; -1 when there is nothing to choose.`,
    example: `fn f[T, E](x: [T, E]) => ${name}(x, over: E)`,
    attrs: ["over"],
    gradient: "none",
    type: (call) => [argType(name, call)],
    cost: (call) => moving([...call.operands, argType(name, call)], elementsOf(call.operands[0]!)),
    reference: (_context, operands, call) => {
      const x = tensorAt(operands, 0);
      const over = call.attrs.over as string;
      const { size, inner } = alongAxis(x, over);
      const result = makeTensor(
        "i32",
        x.axes.filter((axis) => axis.name !== over),
      );
      eachLine(x, over, (at, o, i) => {
        result.data[o * inner + i] = bestOf(size, 1, (n) => sign * x.data[at(n)]!)[0] ?? -1;
      });
      return [result];
    },
    lowering: { kind: "template", template: name },
  });
}

function topTypes(call: OpCall): readonly TensorType[] {
  const use = new OpUse("top", call);
  use.arity(1);
  const x = use.tensor(0, ["f32", "i32"]);
  const axis = use.axis(0, use.name("over"));
  const k = use.size("k");
  use.fits(k, axis, 0);
  const axes = replaceAxis(x.axes, axis.name, [{ name: use.name("as"), size: k }]);
  use.distinct(axes, 0);
  return [tensorType(x.dtype, axes), tensorType("i32", axes)];
}

/** Fill values and indices along an axis of `length` with what `choose` picks for each line. */
function picked(
  x: ReferenceTensor,
  over: string,
  as: { readonly name: string; readonly size: number },
  choose: (size: number, value: (n: number) => number) => readonly number[],
): readonly ReferenceTensor[] {
  const { at: place, size, inner } = alongAxis(x, over);
  const axes = x.axes.with(place, as);
  const values = makeTensor(x.dtype, axes);
  const indices = makeTensor("i32", axes);
  const none = x.dtype === "i32" ? -(2 ** 31) : -Infinity;
  eachLine(x, over, (at, o, i) => {
    const chosen = choose(size, (n) => x.data[at(n)]!);
    for (let slot = 0; slot < as.size; slot++) {
      const to = (o * as.size + slot) * inner + i;
      const index = chosen[slot];
      values.data[to] = index === undefined ? none : x.data[at(index)]!;
      indices.data[to] = index ?? -1;
    }
  });
  return [values, indices];
}

const top = defineOp("top", "select", {
  doc: "The `k` largest along `over`, best first: values and indices, with `over` replaced by the axis `as` of size k. Equal ones come in the order of their indices. NaN is never chosen; where fewer than k may be chosen the rest has index -1 and value -Infinity (the least integer on i32).",
  example: "fn f[T, E](x: [T, E]) => top(x, 2, over: E)",
  attrs: ["over", "k", "as"],
  gradient: "chain",
  type: topTypes,
  // One comparison per element and kept place is the bound of the selection that the reference does.
  cost: (call) =>
    moving([...call.operands, ...topTypes(call)], elementsOf(call.operands[0]!).times(call.attrs.k as Size)),
  reference: (context, operands, call) => {
    const k = context.size(call.attrs.k as Size);
    const as = { name: call.attrs.as as string, size: k };
    return picked(tensorAt(operands, 0), call.attrs.over as string, as, (size, value) => bestOf(size, k, value));
  },
  lowering: { kind: "template", template: "top" },
});

function sortTypes(call: OpCall): readonly TensorType[] {
  const use = new OpUse("sort", call);
  use.arity(1);
  use.flag("descending");
  const x = use.tensor(0, ["f32", "i32"]);
  use.axis(0, use.name("over"));
  return [x, tensorType("i32", x.axes)];
}

function sortReference(_context: ReferenceContext, operands: readonly ReferenceValue[], call: OpCall) {
  const x = tensorAt(operands, 0);
  const over = call.attrs.over as string;
  const sign = call.attrs.descending === true ? -1 : 1;
  const as = { name: over, size: alongAxis(x, over).size };
  return picked(x, over, as, (size, value) =>
    Array.from({ length: size }, (_, index) => index).sort((a, b) => {
      const [x0, x1] = [value(a), value(b)];
      const last = Number(Number.isNaN(x0)) - Number(Number.isNaN(x1));
      return last || (x0 === x1 || Number.isNaN(x0) ? a - b : x0 < x1 ? -sign : sign);
    }),
  );
}

const sort = defineOp("sort", "select", {
  doc: "Values in order along `over`, and the index each had before. Equal ones keep their order; NaN comes last in both directions.",
  example: "fn f[T, E](x: [T, E]) => sort(x, over: E)",
  attrs: ["over", "descending"],
  gradient: "chain",
  type: sortTypes,
  // Comparisons of an insertion into a sorted line: n (n - 1) / 2 at most, counted as n^2.
  cost: (call) => {
    const axis = (call.operands[0] as TensorType).axes.find((candidate) => candidate.name === call.attrs.over)!;
    return moving([...call.operands, ...sortTypes(call)], elementsOf(call.operands[0]!).times(axis.size));
  },
  reference: sortReference,
  lowering: { kind: "template", template: "sort" },
});

function topMaskType(call: OpCall): TensorType {
  const use = new OpUse("top_mask", call);
  use.arity(1);
  const x = use.tensor(0, ["f32", "i32"]);
  use.fits(use.size("k"), use.axis(0, use.name("over")), 0);
  return tensorType("bool", x.axes);
}

const topMask = defineOp("top_mask", "select", {
  doc: "True for the `k` largest along `over` (equal ones: the lowest indices first), false elsewhere. NaN is never chosen.",
  example: "fn f[T, E](x: [T, E]) => top_mask(x, 2, over: E)",
  attrs: ["over", "k"],
  gradient: "none",
  type: (call) => [topMaskType(call)],
  cost: (call) =>
    moving([...call.operands, topMaskType(call)], elementsOf(call.operands[0]!).times(call.attrs.k as Size)),
  reference: (context, operands, call) => {
    const x = tensorAt(operands, 0);
    const k = context.size(call.attrs.k as Size);
    const over = call.attrs.over as string;
    const { size } = alongAxis(x, over);
    const result = makeTensor("bool", x.axes);
    eachLine(x, over, (at) => {
      for (const index of bestOf(size, k, (n) => x.data[at(n)]!)) result.data[at(index)] = 1;
    });
    return [result];
  },
  lowering: { kind: "template", template: "top_mask" },
});

export const topOps = {
  argmax: defineArg("argmax", 1, "largest"),
  argmin: defineArg("argmin", -1, "smallest"),
  top,
  sort,
  top_mask: topMask,
} as const;
