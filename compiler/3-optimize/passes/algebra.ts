/** Laws of arithmetic that give the same number, bit by bit, on every target. */
import type { Node, ValueId } from "../../2-graph/ir.js";
import { sameType } from "../../ops/type-text.js";
import { constantOf, tensorOf } from "../graph.js";
import type { Pass } from "../pass.js";
import { rewriteProgram, type RegionEditor, type Rule } from "../rewrite.js";

/** a relation b, negated, for integers; with floating point NaN would be on both sides. */
const NEGATED: Readonly<Record<string, string>> = { eq: "ne", ne: "eq", lt: "ge", ge: "lt", le: "gt", gt: "le" };

/** 2^n with a reciprocal that is a normal f32: division by it only moves the exponent. */
function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
}

function simplified(node: Node, editor: RegionEditor): ValueId | undefined {
  const [a, b, c] = node.operands;
  if (a === undefined) return undefined;
  const makerA = editor.producer(a);
  const isFloat = tensorOf(node.results[0]!.type)?.dtype === "f32";
  const number = b === undefined ? undefined : constantOf(editor.producer(b));
  switch (node.op) {
    case "neg":
      return makerA?.op === "neg" ? makerA.operands[0] : undefined;
    case "abs":
      return makerA?.op === "abs"
        ? a
        : makerA?.op === "neg"
          ? editor.add("abs", [makerA.operands[0]!], {}, node)
          : undefined;
    case "not": {
      if (makerA?.op === "not") return makerA.operands[0];
      const negated = makerA && NEGATED[makerA.op];
      if (!negated || tensorOf(editor.type(makerA.operands[0]!))?.dtype !== "i32") return undefined;
      return editor.add(negated, makerA.operands, {}, node);
    }
    case "where":
      return makerA?.op === "not" ? editor.add("where", [makerA.operands[0]!, c!, b!], {}, node) : undefined;
    case "add": {
      const makerB = b === undefined ? undefined : editor.producer(b);
      return makerB?.op === "neg" ? editor.add("sub", [a, makerB.operands[0]!], {}, node) : undefined;
    }
    case "sub": {
      const makerB = b === undefined ? undefined : editor.producer(b);
      if (makerB?.op === "neg") return editor.add("add", [a, makerB.operands[0]!], {}, node);
      return undefined;
    }
    case "div":
      if (!isFloat || b === undefined) return undefined;
      if (constantOf(makerA) === 1) return editor.add("reciprocal", [b], {}, node);
      return number !== undefined && isPowerOfTwo(number)
        ? editor.add("mul", [a, editor.constant(1 / number)], {}, node)
        : undefined;
    case "reciprocal":
      return makerA?.op === "sqrt" ? editor.add("rsqrt", [makerA.operands[0]!], {}, node) : undefined;
    case "pow":
      return number === 2 && isFloat ? editor.add("mul", [a, a], {}, node) : undefined;
    default:
      return undefined;
  }
}

/** A new value that has not the type of the old one (its axes came in another order) is no replacement. */
const checked = (id: ValueId | undefined, node: Node, editor: RegionEditor): readonly ValueId[] | undefined =>
  id !== undefined && sameType(editor.type(id), node.results[0]!.type) ? [id] : undefined;

const rule: Rule = (node, editor) => checked(simplified(node, editor), node, editor);

export const algebra: Pass = {
  name: "algebra",
  doc:
    "Laws that keep every bit: `--x`, `!!b`, `a + -b`, `1 / x` and `1 / sqrt(x)` by their own ops, division by a power of " +
    "two as a multiplication, `x ^ 2` as `x * x`, a negated integer comparison as the opposite one, `where(!c, a, b)`.",
  after: [{ pass: "canonicalize", reason: "constants are expected on the right" }],
  before: [{ pass: "share", reason: "what becomes equal is shared" }],
  run: (program) => rewriteProgram(program, rule),
};

function rounded(node: Node, editor: RegionEditor): ValueId | undefined {
  const [a, b] = node.operands;
  if (a === undefined || b === undefined || tensorOf(node.results[0]!.type)?.dtype !== "f32") return undefined;
  const makerA = editor.producer(a);
  const makerB = editor.producer(b);
  const number = constantOf(makerB);
  switch (node.op) {
    case "div":
      if (makerB?.op === "sqrt") {
        const root = editor.add("rsqrt", [makerB.operands[0]!], {}, node);
        return editor.add("mul", [a, root], {}, node);
      }
      return number !== undefined && number !== 0
        ? editor.add("mul", [a, editor.constant(Math.fround(1 / number))], {}, node)
        : undefined;
    case "mul": {
      const inner = makerA?.op === "mul" ? constantOf(editor.producer(makerA.operands[1]!)) : undefined;
      if (number !== undefined && inner !== undefined) {
        return editor.add("mul", [makerA!.operands[0]!, editor.constant(Math.fround(number * inner))], {}, node);
      }
      if (makerB?.op === "sigmoid" && makerB.operands[0] === a) return editor.add("silu", [a], {}, node);
      if (makerA?.op === "sigmoid" && makerA.operands[0] === b) return editor.add("silu", [b], {}, node);
      return undefined;
    }
    default:
      return undefined;
  }
}

export const roundedAlgebra: Pass = {
  name: "rounded-algebra",
  doc:
    "Laws that hold for real numbers and change the last bits of floating-point ones: division by a constant or a root as a " +
    "multiplication, `(x * 2) * 3` as `x * 6`, `x * sigmoid(x)` as `silu(x)`.",
  off: "it changes the rounding, and at the ends of the range (0 * Infinity) the result",
  after: [{ pass: "algebra", reason: "the laws that keep every bit are tried first" }],
  before: [{ pass: "share", reason: "what becomes equal is shared" }],
  run: (program) => rewriteProgram(program, (node, editor) => checked(rounded(node, editor), node, editor)),
};
