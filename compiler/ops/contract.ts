/** The sum of products over named axes: matrix products, batched or not. */
import { Size } from "../axes/size.js";
import { countOf, moving } from "./cost.js";
import { contractTensors } from "./contract-reference.js";
import { defineOp } from "./define.js";
import { OpUse, tensorType, withoutAxes } from "./op-use.js";
import { tensorAt } from "./reference-tensor.js";
import type { OpCall, TensorType } from "./types.js";

function contractType(call: OpCall): TensorType {
  const use = new OpUse("contract", call);
  use.arity(2);
  const a = use.tensor(0, ["f32"]);
  const b = use.tensor(1, ["f32"]);
  const over = use.names("over");
  for (const name of over) use.sameSize(use.axis(0, name), use.axis(1, name), 1, 0);
  return tensorType("f32", withoutAxes(use.broadcast([a.axes, b.axes]), over));
}

const contract = defineOp("contract", "contract", {
  doc: "Sum over the axes `over` of a * b. Axes that both have and that are not summed are batch axes. The result has the axes of `a` without `over`, then those of `b` that are neither summed nor shared. Over an axis of size 0 the sum is 0; over no axis it is the outer product.",
  example: "fn f[T, D, F](x: [T, D], w: [D, F]) => x @ w",
  attrs: ["over"],
  gradient: "chain",
  type: (call) => [contractType(call)],
  cost: (call) => {
    const result = contractType(call);
    const a = call.operands[0] as TensorType;
    const over = call.attrs.over as readonly string[];
    const summed = countOf(a.axes.filter((axis) => over.includes(axis.name)));
    return moving([...call.operands, result], countOf(result.axes).times(summed).times(Size.of(2)));
  },
  reference: (_context, operands, call) => [
    contractTensors(tensorAt(operands, 0), tensorAt(operands, 1), call.attrs.over as readonly string[]),
  ],
  lowering: { kind: "template", template: "contract" },
});

export const contractOps = { contract } as const;
