/**
 * One spelling for what can be spelled in several ways: so that equal things look equal to the passes behind it.
 */
import { Size } from "../../axes/size.js";
import type { Node, ValueId } from "../../2-graph/ir.js";
import { getOp } from "../../ops/index.js";
import { sameType } from "../../ops/type-text.js";
import type { Axis } from "../../ops/types.js";
import { constantOf, tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/** The operand itself, when it has the type that the node had. */
function keep(id: ValueId | undefined, node: Node, editor: RegionEditor): readonly ValueId[] | undefined {
  return id !== undefined && sameType(editor.type(id), node.results[0]!.type) ? [id] : undefined;
}

/** Constants last; otherwise the operand that was made first goes first. */
function operandOrder(node: Node, editor: RegionEditor): readonly ValueId[] | undefined {
  const [a, b] = node.operands;
  if (a === undefined || b === undefined || node.operands.length !== 2 || !getOp(node.op)?.commutative)
    return undefined;
  const rank = (id: ValueId): number => (constantOf(editor.producer(id)) === undefined ? 0 : 1);
  if (rank(a) < rank(b) || (rank(a) === rank(b) && editor.position(a) <= editor.position(b))) return undefined;
  // The first operand decides the order of the axes in memory; where that would change there is nothing to gain.
  const [type] = editor.typesOf(node.op, [b, a], node.attrs);
  if (!type || !sameType(type, node.results[0]!.type)) return undefined;
  return editor.addAll(node.op, [b, a], node.attrs, [], node);
}

/** The operand to keep when the other one changes nothing. The sign of a zero is not kept: -0 + 0 is 0. */
function neutral(node: Node, editor: RegionEditor): ValueId | undefined {
  const [a, b, c] = node.operands;
  const number = (id: ValueId | undefined): number | undefined =>
    id === undefined ? undefined : constantOf(editor.producer(id));
  switch (node.op) {
    case "add":
      return number(b) === 0 ? a : number(a) === 0 ? b : undefined;
    case "sub":
      return number(b) === 0 ? a : undefined;
    case "mul":
      return number(b) === 1 ? a : number(a) === 1 ? b : undefined;
    case "div":
    case "pow":
      return number(b) === 1 ? a : undefined;
    case "and":
      return a === b || number(b) === 1 ? a : number(a) === 1 ? b : undefined;
    case "or":
      return a === b || number(b) === 0 ? a : number(a) === 0 ? b : undefined;
    case "min":
    case "max":
      return a === b ? a : undefined;
    case "where": {
      const condition = number(a);
      if (condition !== undefined) return condition === 0 ? c : b;
      return b === c ? b : undefined;
    }
    default:
      return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const sameAxes = (a: readonly Axis[], b: readonly Axis[]): boolean =>
  a.length === b.length && a.every(({ name, size }, i) => name === b[i]!.name && size.equals(b[i]!.size));

/** Chains of operations on axes. */
function axes(node: Node, editor: RegionEditor): ValueId | undefined {
  const [operand] = node.operands;
  if (operand === undefined) return undefined;
  const type = tensorOf(editor.type(operand));
  const before = editor.producer(operand);
  const source = before?.operands[0];
  switch (node.op) {
    case "rename":
      if (node.attrs["from"] === node.attrs["to"]) return operand;
      if (before?.op === "rename" && before.attrs["to"] === node.attrs["from"] && source !== undefined) {
        if (before.attrs["from"] === node.attrs["to"]) return source;
        // Renaming in one step must not meet the name on the way.
        return editor.add("rename", [source], { from: before.attrs["from"], to: node.attrs["to"] }, node);
      }
      return undefined;
    case "slice": {
      const { axis, from, to } = node.attrs;
      if (!(from instanceof Size) || !(to instanceof Size)) return undefined;
      const whole = type?.axes.find(({ name }) => name === axis);
      if (from.constant === 0 && whole && to.equals(whole.size)) return operand;
      if (before?.op !== "slice" || before.attrs["axis"] !== axis || source === undefined) return undefined;
      const first = before.attrs["from"];
      if (!(first instanceof Size)) return undefined;
      return editor.add("slice", [source], { axis, from: first.plus(from), to: first.plus(to) }, node);
    }
    case "order":
      if (type && JSON.stringify(node.attrs["axes"]) === JSON.stringify(type.axes.map(({ name }) => name)))
        return operand;
      return before?.op === "order" && source !== undefined
        ? editor.add("order", [source], node.attrs, node)
        : undefined;
    case "merge": {
      if (before?.op !== "split" || before.attrs["axis"] !== node.attrs["into"] || source === undefined)
        return undefined;
      const into = before.attrs["into"];
      const names = Array.isArray(into) ? into.map((axis) => (isRecord(axis) ? axis["name"] : undefined)) : [];
      return JSON.stringify(names) === JSON.stringify(node.attrs["axes"]) ? source : undefined;
    }
    case "split": {
      if (before?.op !== "merge" || before.attrs["into"] !== node.attrs["axis"] || source === undefined)
        return undefined;
      const merged = tensorOf(editor.type(source));
      const result = tensorOf(node.results[0]!.type);
      return merged && result && sameAxes(merged.axes, result.axes) ? source : undefined;
    }
    case "shift":
      return node.attrs["by"] === 0 ? operand : undefined;
    case "concat":
      return node.operands.length === 1 ? operand : undefined;
    case "cast":
      return type && type.dtype === tensorOf(node.results[0]!.type)?.dtype ? operand : undefined;
    default:
      return undefined;
  }
}

const rule: Rule = (node, editor) =>
  keep(neutral(node, editor), node, editor) ?? keep(axes(node, editor), node, editor) ?? operandOrder(node, editor);

export const canonicalize: Pass = {
  name: "canonicalize",
  doc:
    "One spelling for equal things: constants last and older values first among the operands of commutative ops, neutral " +
    "elements gone (`x * 1`, `x + 0`, `where(true, a, b)`), chains of renames, slices and orders joined, a merge of a " +
    "split (and the other way round) undone. Nothing changes but the sign of a zero.",
  before: [{ pass: "share", reason: "equal nodes must look equal to be found" }],
  run: (program) => rewriteProgram(program, rule),
};
