/** Computes at compile time what depends on constants only. */
import type { Node } from "../../2-graph/ir.js";
import { Size } from "../../axes/size.js";
import { getOp } from "../../ops/index.js";
import type { OpCall, ReferenceContext, ReferenceTensor, TensorType } from "../../ops/types.js";
import { constantOf, tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/** Elements of a folded value: a constant must stay smaller than the code that would compute it. */
const LARGEST = 64;

const FAMILIES: ReadonlySet<string> = new Set(["elementwise", "reduce"]);

/** A folded op sees no program: what would need one is not folded. */
const refuse = (): never => {
  throw new Error("a constant cannot depend on the program");
};
const context: ReferenceContext = {
  run: refuse,
  runText: refuse,
  size: (size) => size.constant ?? refuse(),
  readState: refuse,
  writeState: refuse,
  appendState: refuse,
  param: refuse,
  knob: refuse,
  layerIndex: refuse,
  trace: refuse,
};

function reference(node: Node | undefined): ReferenceTensor | undefined {
  const type = tensorOf(node?.results[0]?.type);
  if (node?.op !== "constant" || !type) return undefined;
  const scalar = constantOf(node);
  const values = scalar === undefined ? node.attrs["values"] : [scalar];
  if (!Array.isArray(values)) return undefined;
  const axes = type.axes.map(({ name, size }) => ({ name, size: size.constant ?? -1 }));
  if (axes.some(({ size }) => size < 0)) return undefined;
  return { kind: "tensor", dtype: type.dtype, axes, data: Float64Array.from(values as readonly number[], Number) };
}

function asConstant(value: ReferenceTensor, type: TensorType, node: Node, editor: RegionEditor): number[] {
  const { dtype } = type;
  if (type.axes.length === 0) return [editor.add("constant", [], { value: value.data[0]!, dtype }, node)];
  const axes = type.axes.map(({ name, size }) => ({ name, size }));
  return [editor.add("constant", [], { values: [...value.data], axes, dtype }, node)];
}

const rule: Rule = (node, editor) => {
  const op = getOp(node.op);
  const type = tensorOf(node.results[0]?.type);
  if (!type || node.results.length !== 1) return undefined;
  if (node.op === "size") {
    const value = node.attrs["value"];
    if (!(value instanceof Size) || value.constant === undefined) return undefined;
    return [editor.add("constant", [], { value: value.constant, dtype: type.dtype }, node)];
  }
  if (!op || op.effect || !FAMILIES.has(op.family) || node.operands.length === 0) return undefined;
  let elements = 1;
  for (const { size } of type.axes) elements *= size.constant ?? Infinity;
  if (elements > LARGEST) return undefined;
  const operands = node.operands.map((id) => reference(editor.producer(id)));
  if (operands.some((operand) => operand === undefined)) return undefined;
  const call: OpCall = { operands: node.operands.map((id) => editor.type(id)), attrs: node.attrs, regions: [] };
  const [value] = op.reference(context, operands as readonly ReferenceTensor[], call);
  // What is not a number stays a computation, which a reader of the graph can follow.
  if (value?.kind !== "tensor" || value.data.some(Number.isNaN)) return undefined;
  return asConstant(value, type, node, editor);
};

export const foldConstants: Pass = {
  name: "fold-constants",
  doc:
    `Elementwise ops and reductions over constants are computed at compile time, by the reference semantics of the op ` +
    `(rounded to f32 once, at the end), up to ${LARGEST} elements; a \`size\` that is a number becomes a constant.`,
  before: [
    { pass: "canonicalize", reason: "a neutral element may have to be computed first" },
    { pass: "algebra", reason: "its laws look for numbers" },
    { pass: "share", reason: "equal constants are found after they exist" },
  ],
  run: (program) => rewriteProgram(program, rule),
};
