/** Ops that treat the rows along one of their axes alone: what each operand gives for a part of the rows of the result. */
import { Size } from "../axes/size.js";
import type { Node, ValueId } from "../2-graph/ir.js";
import { getOp } from "../ops/index.js";
import { axisNames } from "./graph.js";
import type { RegionEditor } from "./rewrite.js";

export interface Slice {
  readonly axis: string;
  readonly from: Size;
  readonly to: Size;
}

/** How a node looks on a part of one of its axes: for each operand the axis to slice, or undefined to take it whole. */
export interface Crossing {
  readonly operands: readonly (string | undefined)[];
  readonly attrs?: Node["attrs"];
}

const has = (editor: RegionEditor, id: ValueId, axis: string): boolean => axisNames(editor.type(id)).includes(axis);

/** Every operand that has the axis is sliced along it. */
const rowwise = (node: Node, editor: RegionEditor, axis: string): Crossing => ({
  operands: node.operands.map((id) => (has(editor, id, axis) ? axis : undefined)),
});

/** Undefined where rows depend on each other or the op has an effect. */
export function crossing(node: Node, editor: RegionEditor, { axis, from, to }: Slice): Crossing | undefined {
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
