/** `stack` (layers with their own parameters) and `fold` (turns of one body, with or without a row of each). */
import { Size } from "../axes/size.js";
import { moving } from "./cost.js";
import { defineOp } from "./define.js";
import { leadingSlice } from "./experts-call.js";
import { OpUse, tensorType } from "./op-use.js";
import { makeTensor, readAs, scalarTensor, tensorAt } from "./reference-tensor.js";
import { sameType, typeText } from "./type-text.js";
import type { Axis, OpCall, OpCost, ReferenceValue, TensorType, ValueType } from "./types.js";

/**
 * Values that go around: each leaves as it came; MOE2055.
 *
 * @param beside How many values a turn gives behind these; gives their types.
 */
function checkCarried(
  use: OpUse,
  carried: readonly ValueType[],
  params: readonly ValueType[],
  beside = 0,
): readonly ValueType[] {
  use.regionCount(1);
  const region = use.region(0, params, carried.length + beside);
  for (const [index, type] of carried.entries()) {
    const found = region.results[index]!;
    if (sameType(type, found)) continue;
    use.fail(
      "MOE2055",
      { what: `carried value ${index + 1}`, expected: typeText(type), found: typeText(found) },
      index,
    );
  }
  return region.results.slice(carried.length);
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
  checkCarried(use, inputs, [...inputs, ...sliced, ...call.operands.slice(carried + stacked)]);
  return inputs;
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

/** All rows of a fold: its axis of turns, then those of the row; MOE2048, MOE2045. */
function rowsType(use: OpUse, row: ValueType, axis: Axis): TensorType {
  if (row.kind !== "tensor") use.fail("MOE2048", { expected: "a tensor", found: typeText(row) });
  const axes = [axis, ...row.axes];
  use.distinct(axes);
  return tensorType(row.dtype, axes);
}

const sizeAttr = (use: OpUse, attr: string): Size => {
  const value = use.call.attrs[attr];
  return value instanceof Size ? value : use.badAttr(attr, "a size");
};

function foldTypes(call: OpCall): readonly ValueType[] {
  const use = new OpUse("fold", call);
  const turns = sizeAttr(use, "to").minus(sizeAttr(use, "from"));
  const carried = use.whole("carried", 0);
  use.arity(carried, Infinity);
  const inputs = call.operands.slice(0, carried);
  const hasRows = call.attrs.rows !== undefined;
  const beside = hasRows ? Math.max(1, (call.regions[0]?.results.length ?? 0) - carried) : 0;
  const rows = checkCarried(use, inputs, [tensorType("i32"), ...call.operands], beside);
  if (!hasRows) return inputs;
  const axis = { name: use.name("rows"), size: (turns.constant ?? 0) < 0 ? Size.zero : turns };
  return [...inputs, ...rows.map((row) => rowsType(use, row, axis))];
}

const fold = defineOp("fold", "region", {
  doc: "Repeats a body for the turns `from` up to and without `to`: operands `[carried…, captures…]`, region `(turn i32, carried…, captures…)`, region results the next carried values. With no turn the carried values come out as they came in. With the attribute `rows`, the name of an axis, the region gives tensors behind the next carried values: a row of each turn. Results are then the last carried values and, for each of these, `[rows, …]`, a row for each turn in order.",
  example:
    "fn f[T, E](x: [T, E], s: [E]) => scan(t in 0..T, h: [E] = s) => {\n  let next = h * 0.5 + x[T: t]\n  (next, sum(next, over: E))\n}",
  attrs: ["from", "to", "carried", "rows"],
  gradient: "chain",
  type: foldTypes,
  cost: (call) => times(call, (call.attrs.to as Size).minus(call.attrs.from as Size).max(Size.zero)),
  reference: (context, operands, call) => {
    const carried = call.attrs.carried as number;
    const captures = operands.slice(carried);
    const from = context.size(call.attrs.from as Size);
    const to = context.size(call.attrs.to as Size);
    const types = foldTypes(call).slice(carried) as readonly TensorType[];
    const rows = types.map(({ dtype, axes }) =>
      makeTensor(
        dtype,
        axes.map(({ name, size }) => ({ name, size: context.size(size) })),
      ),
    );
    let values: readonly ReferenceValue[] = operands.slice(0, carried);
    for (let turn = from; turn < to; turn++) {
      const results = context.run(0, [scalarTensor("i32", turn), ...values, ...captures]);
      values = results.slice(0, carried);
      for (const [index, { axes, data }] of rows.entries()) {
        const row = readAs(tensorAt(results, carried + index), axes.slice(1));
        data.set(row, (turn - from) * row.length);
      }
    }
    return [...values, ...rows];
  },
  lowering: { kind: "template", template: "fold" },
});

export const repeatOps = { stack, fold } as const;
