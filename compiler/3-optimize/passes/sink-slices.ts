/**
 * A few rows of a large value: compute these rows only. `forward_last` of a language model asks for the last token, and
 * the slice at its end moves up through the head and the last norm to where all tokens are needed.
 */
import { Size } from "../../axes/size.js";
import type { Node, ValueId } from "../../2-graph/ir.js";
import { renumber } from "../../2-graph/rewrite.js";
import { getOp } from "../../ops/index.js";
import { axisNames, tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

interface Slice {
  readonly axis: string;
  readonly from: Size;
  readonly to: Size;
}

/** How a node looks on a part of one of its axes: for each operand the axis to slice, or undefined to take it whole. */
interface Crossing {
  readonly operands: readonly (string | undefined)[];
  readonly attrs?: Node["attrs"];
}

const has = (editor: RegionEditor, id: ValueId, axis: string): boolean => axisNames(editor.type(id)).includes(axis);

/** Every operand that has the axis is sliced along it. */
const rowwise = (node: Node, editor: RegionEditor, axis: string): Crossing => ({
  operands: node.operands.map((id) => (has(editor, id, axis) ? axis : undefined)),
});

/** Undefined where rows depend on each other or the op has an effect. */
function crossing(node: Node, editor: RegionEditor, { axis, from, to }: Slice): Crossing | undefined {
  const { attrs } = node;
  if (getOp(node.op)?.family === "elementwise") return rowwise(node, editor, axis);
  switch (node.op) {
    case "rename":
      return { operands: [attrs["to"] === axis && typeof attrs["from"] === "string" ? attrs["from"] : axis] };
    case "split": {
      const into = Array.isArray(attrs["into"]) ? (attrs["into"] as readonly { readonly name: string }[]) : [];
      return into.some(({ name }) => name === axis) ? undefined : { operands: [axis] };
    }
    case "merge":
      return attrs["into"] === axis ? undefined : { operands: [axis] };
    case "order":
      return { operands: [axis] };
    case "expand":
      return attrs["axis"] === axis
        ? { operands: [undefined], attrs: { ...attrs, size: to.minus(from) } }
        : { operands: [axis] };
    case "index": {
      const { offset } = attrs;
      return offset instanceof Size
        ? { operands: [], attrs: { ...attrs, size: to.minus(from), offset: offset.plus(from) } }
        : undefined;
    }
    case "concat":
    case "shift":
      return attrs["axis"] === axis ? undefined : rowwise(node, editor, axis);
    // The axis is in the result, so it is neither reduced nor contracted.
    case "reduce":
    case "contract":
      return rowwise(node, editor, axis);
    case "softmax":
    case "log_softmax":
    case "logsumexp":
    case "cumsum":
    case "argmax":
    case "argmin":
    case "sort":
    case "top":
    case "top_mask":
      return attrs["over"] === axis || attrs["as"] === axis ? undefined : { operands: [axis] };
    case "gather": {
      // The gathered axis of the table is gone; an axis of the same name comes from the ids.
      const { operands } = rowwise(node, editor, axis);
      return attrs["axis"] === axis ? { operands: [undefined, operands[1]] } : { operands };
    }
    case "route":
      return attrs["choice"] === "experts" || attrs["experts"] === axis ? undefined : rowwise(node, editor, axis);
    case "routes_scale":
    case "routes_make":
    case "combine":
      return rowwise(node, editor, axis);
    case "routes_dense":
    case "routes_index":
    case "routes_weight":
      return has(editor, node.operands[0]!, axis) ? { operands: [axis] } : undefined;
    case "mixture":
    case "dispatch": {
      const perToken = typeof attrs["perToken"] === "number" ? attrs["perToken"] : 0;
      const { operands } = rowwise(node, editor, axis);
      // Parameters and captures go in whole, whatever they call their axes.
      return operands[1] === undefined
        ? undefined
        : { operands: operands.map((each, index) => (index < 2 + perToken ? each : undefined)) };
    }
    default:
      return undefined;
  }
}

/** A part of a value: a slice node for tensors; routes have no slice, so what made them is sliced instead. */
function canSlice(id: ValueId, slice: Slice, editor: RegionEditor): boolean {
  if (tensorOf(editor.type(id))) return true;
  const node = editor.producer(id);
  const over = node && crossing(node, editor, slice);
  return (
    over?.operands.every((axis, i) => axis === undefined || canSlice(node!.operands[i]!, { ...slice, axis }, editor)) ??
    false
  );
}

function sliced(id: ValueId, slice: Slice, editor: RegionEditor): ValueId {
  if (tensorOf(editor.type(id))) return editor.add("slice", [id], { ...slice });
  const node = editor.producer(id)!;
  return cross(node, crossing(node, editor, slice)!, slice, editor)[node.results.findIndex((each) => each.id === id)]!;
}

function cross(node: Node, { operands, attrs }: Crossing, slice: Slice, editor: RegionEditor): readonly ValueId[] {
  const parts = node.operands.map((id, i) => {
    const axis = operands[i];
    return axis === undefined ? id : sliced(id, { ...slice, axis }, editor);
  });
  // The whole value may stay in use, so the regions of the part have numbers of their own.
  const regions = node.regions.map((region) => renumber(region, () => editor.ids.fresh()));
  return editor.addAll(node.op, parts, attrs ?? node.attrs, regions, node);
}

const rule: Rule = (node, editor) => {
  if (node.op !== "slice") return undefined;
  const { axis, from, to } = node.attrs;
  const [operand] = node.operands;
  if (typeof axis !== "string" || !(from instanceof Size) || !(to instanceof Size) || operand === undefined)
    return undefined;
  const whole = tensorOf(editor.type(operand))?.axes.find(({ name }) => name === axis);
  // Other users may need the whole value; a known number of rows beside an unknown one is cheap to compute again.
  if (!whole || whole.size.constant !== undefined || to.minus(from).constant === undefined) return undefined;
  const maker = editor.producer(operand);
  const slice: Slice = { axis, from, to };
  const over = maker && crossing(maker, editor, slice);
  if (!maker || !over) return undefined;
  if (
    !maker.operands.every(
      (id, i) => over.operands[i] === undefined || canSlice(id, { ...slice, axis: over.operands[i] }, editor),
    )
  ) {
    return undefined;
  }
  const values = cross(maker, over, slice, editor);
  return [values[maker.results.findIndex(({ id }) => id === operand)]!];
};

export const sinkSlices: Pass = {
  name: "sink-slices",
  doc:
    "A slice of a known number of rows out of an axis whose size is known at run time only (the last token) moves up " +
    "through ops that treat each row alone: elementwise ops, contractions and reductions over other axes, gathers, " +
    "routing and mixtures. It stops at a `stack`, `attend`, `append`, `cumsum` along the axis, expert choice, and " +
    "whatever else lets rows see each other.",
  before: [
    { pass: "share-again", reason: "several users of a row ask for the same slice" },
    { pass: "drop-unused", reason: "the rows that nobody asks for are gone" },
  ],
  run: (program) => rewriteProgram(program, rule),
};
