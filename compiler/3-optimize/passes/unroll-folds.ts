/** A fold with a known, small number of turns becomes its turns. */
import { Size } from "../../axes/size.js";
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import type { Axis, TensorType, ValueType } from "../../ops/types.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/** Nodes that an unrolled fold may have: beyond that a loop is smaller and as fast. */
const LARGEST = 256;

function countNodes(region: Region): number {
  return region.nodes.reduce((sum, node) => sum + 1 + node.regions.reduce((s, r) => s + countNodes(r), 0), 0);
}

const rule: Rule = (node, editor) => {
  const body = node.regions[0];
  const { from, to, carried } = node.attrs;
  if (node.op !== "fold" || !body || typeof carried !== "number") return undefined;
  if (!(from instanceof Size) || !(to instanceof Size)) return undefined;
  const first = from.constant;
  const end = to.constant;
  if (first === undefined || end === undefined) return undefined;
  const turns = Math.max(0, end - first);
  // A constant for the number of the turn, and for each row its axis; then the rows in one.
  const rows = body.results.length - carried;
  if (turns * (1 + countNodes(body) + rows) + rows > LARGEST) return undefined;
  let values: readonly ValueId[] = node.operands.slice(0, carried);
  const captures = node.operands.slice(carried);
  const given: ValueId[][] = Array.from({ length: rows }, () => []);
  for (let turn = first; turn < end; turn++) {
    const number = editor.add("constant", [], { value: turn, dtype: "i32" }, node);
    const results = editor.inline(body, [number, ...values, ...captures]);
    values = results.slice(0, carried);
    given.forEach((list, index) => list.push(results[carried + index]!));
  }
  return [...values, ...given.map((list, index) => joined(list, node.results[carried + index]!.type, editor, node))];
};

/** Rows behind each other along the first axis of `type`. */
function joined(rows: readonly ValueId[], type: ValueType, editor: RegionEditor, like: Node): ValueId {
  const { axes, dtype } = type as TensorType;
  const [along, ...rest] = axes as readonly [Axis, ...Axis[]];
  if (rows.length === 0) {
    const zero = editor.constant(0, dtype);
    const empty = [...rest].reverse().concat(along);
    return empty.reduce((id, { name, size }) => editor.add("expand", [id], { axis: name, size }, like), zero);
  }
  const parts = rows.map((id) => editor.add("expand", [id], { axis: along.name, size: Size.one }, like));
  return parts.length === 1 ? parts[0]! : editor.add("concat", parts, { axis: along.name }, like);
}

export const unrollFolds: Pass = {
  name: "unroll-folds",
  doc: `A \`fold\` whose number of turns is known becomes its turns one after the other, when that makes at most ${LARGEST} nodes; its rows are joined.`,
  before: [{ pass: "fold-constants", reason: "the number of each turn is a constant" }],
  run: (program) => rewriteProgram(program, rule),
};
