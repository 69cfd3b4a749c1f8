/**
 * A few rows of a large value: compute these rows only. `forward_last` of a language model asks for the last token, and
 * the slice at its end moves up through the head and the last norm to where all tokens are needed.
 */
import { Size } from "../../axes/size.js";
import type { Node, Program, ValueId } from "../../2-graph/ir.js";
import { renumber } from "../../2-graph/rewrite.js";
import { tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";
import { crossing, type Crossing, type Slice } from "../row-wise.js";

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

const sink = (node: Node, editor: RegionEditor, always: boolean): ReturnType<Rule> => {
  if (node.op !== "slice") return undefined;
  const { axis, from, to } = node.attrs;
  const [operand] = node.operands;
  if (typeof axis !== "string" || !(from instanceof Size) || !(to instanceof Size) || operand === undefined)
    return undefined;
  const whole = tensorOf(editor.type(operand))?.axes.find(({ name }) => name === axis);
  // Other users may need the whole value; a known number of rows beside an unknown one is cheap to compute again.
  if (!whole || to.minus(from).constant === undefined || (whole.size.constant !== undefined && !always))
    return undefined;
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
  run: (program) => rewriteProgram(program, (node, editor) => sink(node, editor, false)),
};

/** The same for slices out of axes whose sizes are known: for who asks for the parts one after the other. */
export function sinkAllSlices(program: Program): Program {
  return rewriteProgram(program, (node, editor) => sink(node, editor, true));
}
