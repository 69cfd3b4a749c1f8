/** `each_text`: what belongs to one text of many that a call goes on with at the same time. */
import { Size } from "../axes/size.js";
import { moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType } from "./op-use.js";
import { alongAxis, makeTensor, sliceAlong, tensorAt } from "./reference-tensor.js";
import { typeText } from "./type-text.js";
import type { OpCall, ReferenceTensor, TensorType, ValueType } from "./types.js";

/** The type with another number of rows. */
function withRows(use: OpUse, type: ValueType, axis: string, from: Size, to: Size, operand: number): TensorType {
  if (type.kind !== "tensor") use.fail("MOE2048", { expected: "a tensor", found: typeText(type) }, operand);
  const found = type.axes.find(({ name }) => name === axis);
  if (!found) {
    use.fail("MOE2042", { axis, axes: type.axes.map(({ name }) => name).join(", ") }, operand, axis);
  }
  use.sameSize({ name: axis, size: from }, found, operand, operand);
  return tensorType(type.dtype, replaceAxis(type.axes, axis, [{ name: axis, size: to }]));
}

function eachTextTypes(call: OpCall): readonly ValueType[] {
  const use = new OpUse("each_text", call);
  const texts = use.size("texts");
  use.whole("most", 1);
  const rows = use.nameList("rows");
  const results = use.nameList("results");
  use.arity(rows.length, Infinity);
  use.regionCount(1);
  const params = call.operands.map((type, index) =>
    index < rows.length ? withRows(use, type, rows[index]!, texts, Size.one, index) : type,
  );
  const region = use.region(0, params, results.length);
  return region.results.map((type, index) => withRows(use, type, results[index]!, Size.one, texts, index));
}

/** Rows of one each, joined along their axis. */
function joinRows(rows: readonly ReferenceTensor[], axis: string, like: TensorType, sizes: number[]): ReferenceTensor {
  const axes = like.axes.map(({ name }, index) => ({ name, size: sizes[index]! }));
  const result = makeTensor(like.dtype, axes);
  const { outer, size, inner } = alongAxis(result, axis);
  for (const [row, value] of rows.entries()) {
    for (let i = 0; i < outer; i++) {
      result.data.set(value.data.subarray(i * inner, (i + 1) * inner), (i * size + row) * inner);
    }
  }
  return result;
}

const eachText = defineOp("each_text", "region", {
  doc: "Runs a region once for each of `texts` texts that a call goes on with by one token each. Operands are `[rows…, captures…]`; the attribute `rows` names the axis along which each of the first ones has a row for each text, and the region sees them with that axis of size 1. In the region states are those of the text, and `past` is the number of its positions. Results are the region's, joined along the axes that `results` names. Never written in a spec: the entry that reads the weights once for many texts is derived with it. `most` is the greatest number of texts of a call.",
  example:
    "model M[V = 8, D = 4] {\n  param tok: [V, D]\n  forward(tokens: int[T]) => tok[V: tokens] // forward.batch is derived\n}",
  attrs: ["texts", "most", "rows", "results"],
  // The body may use states; passes look inside before they drop or merge one.
  gradient: "none",
  type: eachTextTypes,
  cost: (call) => {
    const body = call.regions[0]?.cost ?? moving([]);
    const texts = call.attrs.texts as Size;
    return { flops: body.flops.times(texts), bytes: body.bytes.times(texts) };
  },
  reference: (context, operands, call) => {
    const axes = call.attrs.rows as readonly string[];
    const joined = call.attrs.results as readonly string[];
    const texts = context.size(call.attrs.texts as Size);
    const captures = operands.slice(axes.length);
    const turns = Array.from({ length: texts }, (_, text) => {
      const rows = axes.map((axis, index) => sliceAlong(tensorAt(operands, index), axis, text, text + 1));
      return context.runText(text, [...rows, ...captures]);
    });
    const types = eachTextTypes(call) as readonly TensorType[];
    return types.map((type, index) => {
      const sizes = type.axes.map(({ size }) => context.size(size));
      return joinRows(
        turns.map((results) => tensorAt(results, index)),
        joined[index]!,
        type,
        sizes,
      );
    });
  },
  lowering: { kind: "template", template: "each_text" },
});

export const eachTextOps = { each_text: eachText } as const;
