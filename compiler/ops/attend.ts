/** `attend`: softmax attention with a mask predicate, batched by axis name. */
import { Size } from "../axes/size.js";
import { attendReference } from "./attend-reference.js";
import { bytesOf, countOf, moving } from "./cost.js";
import { defineOp } from "./define.js";
import { OpUse, replaceAxis, tensorType, withoutAxes } from "./op-use.js";
import { typeText } from "./type-text.js";
import type { OpCall, TensorType } from "./types.js";

function attendType(call: OpCall): TensorType {
  const use = new OpUse("attend", call);
  const hasSinks = use.flag("hasSinks");
  const hasKeep = use.flag("hasKeep");
  use.arity(3 + Number(hasSinks) + Number(hasKeep));
  use.number("scale");
  if (!(call.attrs.queryOffset instanceof Size)) use.badAttr("queryOffset", "a size");
  const q = use.tensor(0, ["f32"]);
  const k = use.tensor(1, ["f32"]);
  const v = use.tensor(2, ["f32"]);
  const query = use.axis(0, use.name("queryAxis"));
  const contracted = use.axis(0, use.name("contracted"));
  use.sameSize(contracted, use.axis(1, contracted.name), 1, 0);
  const key = use.axis(1, use.name("keyAxis"));
  use.sameSize(key, use.axis(2, key.name), 2, 1);
  const value = use.axis(2, use.name("valueAxis"));
  for (const index of [0, 1, 2]) use.distinct(use.tensor(index).axes, index);
  const rows = withoutAxes(q.axes, [contracted.name]);
  const batch = withoutAxes(rows, [query.name]);
  if (rows.some((axis) => axis.name === key.name))
    use.fail("MOE2045", { axis: key.name, axes: typeText(q) }, 0, key.name);
  checkBatch(use, 1, withoutAxes(k.axes, [key.name, contracted.name]), batch);
  checkBatch(use, 2, withoutAxes(v.axes, [key.name, value.name]), batch);
  if (hasSinks) {
    use.tensor(3, ["f32"]);
    use.within(3, rows, 0);
  }
  if (hasKeep) {
    const index = 3 + Number(hasSinks);
    use.tensor(index, ["bool"]);
    use.within(index, [...rows, key], 0);
  }
  checkMask(use);
  const axes = replaceAxis(q.axes, contracted.name, [value]);
  use.distinct(axes, 2);
  return tensorType("f32", axes);
}

function checkBatch(use: OpUse, index: number, axes: TensorType["axes"], batch: TensorType["axes"]): void {
  for (const axis of axes) {
    const known = batch.find((candidate) => candidate.name === axis.name);
    const allowed = batch.map((candidate) => candidate.name).join(", ");
    if (known) use.sameSize(known, axis, index, 0);
    else use.fail("MOE2050", { axis: axis.name, allowed }, index, axis.name);
  }
}

function checkMask(use: OpUse): void {
  const hasMask = use.flag("hasMask");
  use.regionCount(Number(hasMask));
  if (!hasMask) return;
  const position = tensorType("i32");
  const result = use.region(0, [position, position], 1).results[0]!;
  if (typeText(result) !== "bool") use.fail("MOE2055", { what: "the mask", expected: "bool", found: typeText(result) });
}

/** Pairs of a query row and a key: the scores that a dense attention has. */
function pairs(call: OpCall): Size {
  const q = call.operands[0] as TensorType;
  const k = call.operands[1] as TensorType;
  const rows = countOf(withoutAxes(q.axes, [call.attrs.contracted as string]));
  return rows.times(k.axes.find((axis) => axis.name === call.attrs.keyAxis)!.size);
}

const attend = defineOp("attend", "region", {
  doc: [
    "Attention: `softmax(scale * q @ k, over the allowed keys) @ v`. q `[…, Q, …, C]`, k `[…, S, …, C]`, v `[…, S, …, V]`;",
    "the other axes of k and v are axes of q by name (grouped queries: q `[T, G, R, C]`, k `[S, G, C]`). The result has",
    "the axes of q with C replaced by V. A pair is allowed when the mask, a region `(query position, key position) ->",
    "bool`, holds and operand `keep` (bool, any of the axes of q and S) is true; query positions start at `queryOffset`,",
    "key positions at 0. `sinks` (any axes of q but C) are logits, not scaled, that join the denominator only. A row",
    "without an allowed key is zero, and so is a row whose allowed scores are all -Infinity. Keys that are not allowed",
    "are not read: a NaN in them does no harm.",
  ].join(" "),
  example:
    "block Attention[D, H, C](mask: mask = Causal) {\n  param q: [D, H, C]\n  param k: [D, H, C]\n  param v: [D, H, C]\n  (x: [T, D]) => attend(x @ q, (x @ k)[T -> S], (x @ v)[T -> S], mask: mask)\n}",
  attrs: ["queryAxis", "keyAxis", "contracted", "valueAxis", "scale", "queryOffset", "hasMask", "hasSinks", "hasKeep"],
  gradient: "chain",
  type: (call) => [attendType(call)],
  // Per pair: 2C for the score, 2V for the sum, and scale, max, subtract, exp, add; every pair counts (dense bound).
  cost: (call) => {
    const result = attendType(call);
    const width = (index: number, name: string): Size =>
      (call.operands[index] as TensorType).axes.find((axis) => axis.name === name)!.size;
    const c = width(0, call.attrs.contracted as string);
    const v = width(2, call.attrs.valueAxis as string);
    const mask = call.regions[0]?.cost?.flops ?? Size.zero;
    const each = c.plus(v).times(Size.of(2)).plus(Size.of(5)).plus(mask);
    return { flops: pairs(call).times(each), bytes: moving(call.operands).bytes.plus(bytesOf(result)) };
  },
  reference: (context, operands, call) => [attendReference(context, operands, call)],
  lowering: { kind: "template", template: "attend" },
});

export const attendOps = { attend } as const;
