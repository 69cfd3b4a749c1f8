/** A fold with a known, small number of turns becomes its turns. */
import { Size } from "../../axes/size.js";
import type { Region, ValueId } from "../../2-graph/ir.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type Rule } from "../rewrite.js";

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
  if (Math.max(0, end - first) * (1 + countNodes(body)) > LARGEST) return undefined;
  let values: readonly ValueId[] = node.operands.slice(0, carried);
  const captures = node.operands.slice(carried);
  for (let turn = first; turn < end; turn++) {
    const number = editor.add("constant", [], { value: turn, dtype: "i32" }, node);
    values = editor.inline(body, [number, ...values, ...captures]);
  }
  return values;
};

export const unrollFolds: Pass = {
  name: "unroll-folds",
  doc: `A \`fold\` whose number of turns is known becomes its turns one after the other, when that makes at most ${LARGEST} nodes.`,
  before: [{ pass: "fold-constants", reason: "the number of each turn is a constant" }],
  run: (program) => rewriteProgram(program, rule),
};
