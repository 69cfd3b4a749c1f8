/** `stack` (layers with their own parameters) and `fold` (turns of one body). */
import { Size } from "../axes/size.js";
import { moving } from "./cost.js";
import { defineOp } from "./define.js";
import { leadingSlice } from "./experts-call.js";
import { OpUse, tensorType } from "./op-use.js";
import { scalarTensor, tensorAt } from "./reference-tensor.js";
import { sameType, typeText } from "./type-text.js";
import type { OpCall, OpCost, ReferenceValue, ValueType } from "./types.js";

/** Values that go around: each leaves as it came; MOE2055. */
function checkCarried(use: OpUse, carried: readonly ValueType[], params: readonly ValueType[]): readonly ValueType[] {
  use.regionCount(1);
  const region = use.region(0, params, carried.length);
  for (const [index, type] of carried.entries()) {
    const found = region.results[index]!;
    if (sameType(type, found)) continue;
    use.fail(
      "MOE2055",
      { what: `carried value ${index + 1}`, expected: typeText(type), found: typeText(found) },
      index,
    );
  }
  return carried;
}

function times(call: OpCall, turns: Size): OpCost {
  const body = call.regions[0]?.cost ?? moving([]);
  return { flops: body.flops.times(turns), bytes: body.bytes.times(turns) };
}

function stackTypes(call: OpCall): readonly ValueType[] {
  const use = new OpUse("stack", call);
  use.name("name");
  const layers = use.size("layers");
  const carried = use.whole("carried", 0);
  const stacked = use.whole("stacked", 0);
  use.arity(carried + stacked, Infinity);
  const sliced = Array.from({ length: stacked }, (_, i) => {
    const param = use.tensor(carried + i);
    const axis = param.axes[0] ?? use.fail("MOE2042", { axis: "of layers", axes: "" }, carried + i);
    use.sameSize({ name: axis.name, size: layers }, axis, carried + i, carried + i);
    return tensorType(param.dtype, param.axes.slice(1));
  });
  const inputs = call.operands.slice(0, carried);
  return checkCarried(use, inputs, [...inputs, ...sliced, ...call.operands.slice(carried + stacked)]);
}

const stack = defineOp("stack", "region", {
  doc: "Repeats a body over `layers`: operands `[carried…, stacked…, captures…]`, region the same with the layer axis (the first one) taken off the stacked ones, region results the next carried values. Results are the carried values after the last layer; with 0 layers those that came in. States that the body uses belong to the layer.",
  example:
    "model M[V = 8, L = 2, D = 4] {\n  param tok: [V, D]\n  stack layers = L of RMSNorm[D]\n  forward(tokens: int[T]) => layers(tok[V: tokens])\n}",
  attrs: ["name", "layers", "carried", "stacked"],
  // A body may use states; passes look inside before they drop or merge one.
  gradient: "chain",
  type: stackTypes,
  cost: (call) => times(call, call.attrs.layers as Size),
  reference: (context, operands, call) => {
    const carried = call.attrs.carried as number;
    const stacked = call.attrs.stacked as number;
    const layers = context.size(call.attrs.layers as Size);
    const params = Array.from({ length: stacked }, (_, i) => tensorAt(operands, carried + i));
    const captures = operands.slice(carried + stacked);
    let values: readonly ReferenceValue[] = operands.slice(0, carried);
    for (let index = 0; index < layers; index++) {
      const own = params.map((param) => leadingSlice(param, index));
      values = context.run(0, [...values, ...own, ...captures], { stack: call.attrs.name as string, index });
    }
    return values;
  },
  lowering: { kind: "template", template: "stack" },
});

function foldTypes(call: OpCall): readonly ValueType[] {
  const use = new OpUse("fold", call);
  for (const attr of ["from", "to"]) if (!(call.attrs[attr] instanceof Size)) use.badAttr(attr, "a size");
  const carried = use.whole("carried", 0);
  use.arity(carried, Infinity);
  return checkCarried(use, call.operands.slice(0, carried), [tensorType("i32"), ...call.operands]);
}

const fold = defineOp("fold", "region", {
  doc: "Repeats a body for the turns `from` up to and without `to`: operands `[carried…, captures…]`, region `(turn i32, carried…, captures…)`, region results the next carried values. With no turn the carried values come out as they came in.",
  example: "fn f[T, E](s: [T, E]) => fold(i in 0..3, (x: [T, E] = s)) => x * 0.5",
  attrs: ["from", "to", "carried"],
  gradient: "chain",
  type: foldTypes,
  cost: (call) => times(call, (call.attrs.to as Size).minus(call.attrs.from as Size).max(Size.zero)),
  reference: (context, operands, call) => {
    const carried = call.attrs.carried as number;
    const captures = operands.slice(carried);
    const to = context.size(call.attrs.to as Size);
    let values: readonly ReferenceValue[] = operands.slice(0, carried);
    for (let turn = context.size(call.attrs.from as Size); turn < to; turn++) {
      values = context.run(0, [scalarTensor("i32", turn), ...values, ...captures]);
    }
    return values;
  },
  lowering: { kind: "template", template: "fold" },
});

export const repeatOps = { stack, fold } as const;
