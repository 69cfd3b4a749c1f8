/** Normalizers along one axis, and the running sum. */
import { Size } from "../axes/size.js";
import { elementsOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType, withoutAxes } from "./op-use.js";
import { alongAxis, makeTensor, tensorAt } from "./reference-tensor.js";
import type { DType, OpCall, ReferenceTensor, TensorType } from "./types.js";

function sameShape(name: string, call: OpCall, dtypes: readonly DType[] = ["f32"]): TensorType {
  const use = new OpUse(name, call);
  use.arity(1);
  const x = use.tensor(0, dtypes);
  use.axis(0, use.name("over"));
  return x;
}

/** Run `fill` for each line of `x` along an axis: it reads and writes `data[start + i * step]` for i below `size`. */
function eachLine(
  x: ReferenceTensor,
  over: string,
  fill: (start: number, step: number, size: number, line: number) => void,
): void {
  const { outer, size, inner } = alongAxis(x, over);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) fill(o * size * inner + i, inner, size, o * inner + i);
  }
}

/** Largest element and the sum of e^(x - largest); NaN when there is one. */
function peak(data: Float64Array, start: number, step: number, size: number): { top: number; sum: number } {
  let top = -Infinity;
  for (let i = 0; i < size; i++) top = Math.max(top, data[start + i * step]!);
  let sum = 0;
  if (top === -Infinity) return { top, sum };
  for (let i = 0; i < size; i++) sum += Math.exp(data[start + i * step]! - top);
  return { top, sum };
}

const softmax = defineOp("softmax", "reduce", {
  doc: "e^x divided by its sum along `over`. A line of -Infinity only, or of nothing, gives zeros; a NaN or +Infinity in a line makes it NaN.",
  example: "fn f[T, E](x: [T, E]) => softmax(x, over: E)",
  attrs: ["over"],
  gradient: "chain",
  type: (call) => [sameShape("softmax", call)],
  // max, subtract, exp, add, divide
  cost: (call) => moving([...call.operands, ...call.operands], elementsOf(call.operands[0]!).times(Size.of(5))),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const result = makeTensor("f32", x.axes);
    eachLine(x, call.attrs.over as string, (start, step, size) => {
      const { top, sum } = peak(x.data, start, step, size);
      if (top === -Infinity) return;
      for (let i = 0; i < size; i++) {
        const at = start + i * step;
        result.data[at] = Math.exp(x.data[at]! - top) / sum;
      }
    });
    return [result];
  },
  lowering: { kind: "template", template: "softmax" },
});

const logSoftmax = defineOp("log_softmax", "reduce", {
  doc: "x minus `logsumexp` of its line along `over`. A line of -Infinity only stays -Infinity.",
  example: "fn f[T, V](x: [T, V]) => log_softmax(x, over: V)",
  attrs: ["over"],
  gradient: "chain",
  type: (call) => [sameShape("log_softmax", call)],
  // max, subtract, exp, add, subtract
  cost: (call) => moving([...call.operands, ...call.operands], elementsOf(call.operands[0]!).times(Size.of(5))),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const result = makeTensor("f32", x.axes);
    eachLine(x, call.attrs.over as string, (start, step, size) => {
      const { top, sum } = peak(x.data, start, step, size);
      const whole = top === -Infinity ? 0 : top + Math.log(sum);
      for (let i = 0; i < size; i++) result.data[start + i * step] = x.data[start + i * step]! - whole;
    });
    return [result];
  },
  lowering: { kind: "template", template: "log_softmax" },
});

function logsumexpType(call: OpCall): TensorType {
  const x = sameShape("logsumexp", call);
  return tensorType("f32", withoutAxes(x.axes, [call.attrs.over as string]));
}

const logsumexp = defineOp("logsumexp", "reduce", {
  doc: "log of the sum of e^x along `over`, without overflow; -Infinity for a line of -Infinity or of nothing.",
  example: "fn f[T, E](x: [T, E]) => logsumexp(x, over: E)",
  attrs: ["over"],
  gradient: "chain",
  type: (call) => [logsumexpType(call)],
  // max, subtract, exp, add
  cost: (call) => moving([...call.operands, logsumexpType(call)], elementsOf(call.operands[0]!).times(Size.of(4))),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const over = call.attrs.over as string;
    const result = makeTensor(
      "f32",
      x.axes.filter((axis) => axis.name !== over),
    );
    eachLine(x, over, (start, step, size, line) => {
      const { top, sum } = peak(x.data, start, step, size);
      result.data[line] = top === -Infinity ? top : top + Math.log(sum);
    });
    return [result];
  },
  lowering: { kind: "template", template: "logsumexp" },
});

function cumsumType(call: OpCall): TensorType {
  const use = new OpUse("cumsum", call);
  use.flag("exclusive");
  use.flag("reverse");
  return sameShape("cumsum", call, ["f32", "i32"]);
}

const cumsum = defineOp("cumsum", "reduce", {
  doc: "Running sum along `over`: up to and with each element, without it when `exclusive`, from the end when `reverse`. i32 wraps.",
  example: "fn f[T, E](x: [T, E]) => cumsum(x, over: T)",
  attrs: ["over", "exclusive", "reverse"],
  gradient: "chain",
  type: (call) => [cumsumType(call)],
  cost: (call) => moving([...call.operands, ...call.operands], elementsOf(call.operands[0]!)),
  reference: (_context, operands, call) => {
    const x = tensorAt(operands, 0);
    const { over, exclusive, reverse } = call.attrs;
    const result = makeTensor(x.dtype, x.axes);
    eachLine(x, over as string, (start, step, size) => {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        const at = start + (reverse === true ? size - 1 - i : i) * step;
        const next = x.dtype === "i32" ? (sum + x.data[at]!) | 0 : sum + x.data[at]!;
        result.data[at] = exclusive === true ? sum : next;
        sum = next;
      }
    });
    return [result];
  },
  lowering: { kind: "template", template: "cumsum" },
});

export const softmaxOps = { softmax, log_softmax: logSoftmax, logsumexp, cumsum } as const;
