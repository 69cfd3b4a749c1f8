/** The predicate of a static mask, read from the region of an `attend`, in a form without negations. */
import { Size } from "../../axes/size.js";
import type { Node, Region, ValueId } from "../../2-graph/ir.js";
import { constantOf } from "../graph.js";
import { apply, asNumber, keyPosition, minus, number, plus, queryPosition, size, times, type Form } from "./form.js";

export type Predicate =
  | { readonly kind: "constant"; readonly value: boolean }
  /** `form <= 0`. */
  | { readonly kind: "at-most-zero"; readonly form: Form }
  | { readonly kind: "and" | "or"; readonly parts: readonly Predicate[] };

export const always: Predicate = { kind: "constant", value: true };
const atMostZero = (form: Form): Predicate => ({ kind: "at-most-zero", form });
export const both = (...parts: readonly Predicate[]): Predicate => ({ kind: "and", parts });
export const either = (...parts: readonly Predicate[]): Predicate => ({ kind: "or", parts });

/** Integers: not (f <= 0) is 1 - f <= 0. */
export function negated(predicate: Predicate): Predicate {
  switch (predicate.kind) {
    case "constant":
      return { kind: "constant", value: !predicate.value };
    case "at-most-zero":
      return atMostZero(minus(number(1), predicate.form));
    case "and":
      return { kind: "or", parts: predicate.parts.map(negated) };
    case "or":
      return { kind: "and", parts: predicate.parts.map(negated) };
  }
}

function compared(relation: string, a: Form, b: Form): Predicate | undefined {
  const difference = minus(a, b);
  const less = atMostZero(plus(difference, number(1)));
  const greater = atMostZero(minus(number(1), difference));
  const atMost = atMostZero(difference);
  const atLeast = atMostZero(times(difference, -1));
  switch (relation) {
    case "lt":
      return less;
    case "le":
      return atMost;
    case "gt":
      return greater;
    case "ge":
      return atLeast;
    case "eq":
      return both(atMost, atLeast);
    case "ne":
      return either(less, greater);
    default:
      return undefined;
  }
}

/**
 * What a value of the region is. Whole numbers may be f32 as well: positions are below 2^24, so sums of them are exact
 * there, and so is the rounding down of a quotient.
 */
type Meaning =
  | { readonly kind: "number"; readonly form: Form }
  /** `form / by`, not rounded yet. */
  | { readonly kind: "quotient"; readonly form: Form; readonly by: number }
  | { readonly kind: "truth"; readonly predicate: Predicate };

const asForm = (form: Form | undefined): Meaning | undefined => form && { kind: "number", form };
const asTruth = (predicate: Predicate | undefined): Meaning | undefined => predicate && { kind: "truth", predicate };

/**
 * The predicate of a mask region with parameters (query position, key position), or undefined when it depends on
 * something else than positions, sizes and numbers, or in another way than this analysis follows.
 */
export function readPredicate(region: Region): Predicate | undefined {
  const [q, k] = region.params;
  if (!q || !k || region.params.length !== 2) return undefined;
  const meanings = new Map<ValueId, Meaning>([
    [q.id, { kind: "number", form: queryPosition }],
    [k.id, { kind: "number", form: keyPosition }],
  ]);
  for (const node of region.nodes) {
    const operands = node.operands.map((id) => meanings.get(id));
    const meaning = operands.every((each) => each !== undefined) ? meaningOf(node, operands) : undefined;
    const [result] = node.results;
    if (meaning && result) meanings.set(result.id, meaning);
  }
  const result = meanings.get(region.results[0]!);
  return result?.kind === "truth" ? result.predicate : undefined;
}

function meaningOf(node: Node, operands: readonly Meaning[]): Meaning | undefined {
  const type = node.results[0]?.type;
  if (type?.kind !== "tensor" || type.axes.length > 0) return undefined;
  const constant = constantOf(node);
  if (constant !== undefined) {
    if (type.dtype === "bool") return asTruth({ kind: "constant", value: constant !== 0 });
    if (Number.isSafeInteger(constant)) return asForm(number(constant));
    const inverse = 1 / constant;
    return Number.isSafeInteger(inverse) ? { kind: "quotient", form: number(1), by: inverse } : undefined;
  }
  if (node.op === "size") {
    const { value } = node.attrs;
    return value instanceof Size ? asForm(size(value)) : undefined;
  }
  const forms = operands.flatMap((each) => (each.kind === "number" ? [each.form] : []));
  const truths = operands.flatMap((each) => (each.kind === "truth" ? [each.predicate] : []));
  if (type.dtype === "f32") return realMeaning(node.op, operands);
  if (forms.length === operands.length) {
    return type.dtype === "bool"
      ? asTruth(compared(node.op, forms[0]!, forms[1]!))
      : asForm(arithmetic(node.op, forms));
  }
  if (truths.length === operands.length) return asTruth(logic(node.op, truths));
  return undefined;
}

/** f32: whole numbers keep their arithmetic, but a division rounds nothing. */
function realMeaning(op: string, [a, b]: readonly Meaning[]): Meaning | undefined {
  if (a?.kind === "quotient" && b === undefined && op === "floor") {
    return asForm(apply({ kind: "floor-div", of: a.form, by: a.by }));
  }
  if (op === "mul") {
    const [one, other] = a?.kind === "quotient" ? [a, b] : b?.kind === "quotient" ? [b, a] : [];
    const isInverse = one && asNumber(one.form) === 1;
    if (isInverse && other?.kind === "number") return { kind: "quotient", form: other.form, by: one.by };
  }
  if (a?.kind !== "number" || (b && b.kind !== "number")) return undefined;
  if (op === "floor" || op === "ceil" || op === "round") return a;
  if (op !== "div") return asForm(arithmetic(op, b ? [a.form, b.form] : [a.form]));
  const by = b && asNumber(b.form);
  return by === undefined || by <= 0 ? undefined : { kind: "quotient", form: a.form, by };
}

function arithmetic(op: string, [a, b]: readonly Form[]): Form | undefined {
  if (!a) return undefined;
  if (op === "neg") return times(a, -1);
  if (op === "abs") return apply({ kind: "abs", of: a });
  if (op === "cast") return a;
  if (!b) return undefined;
  const left = asNumber(a);
  const right = asNumber(b);
  switch (op) {
    case "add":
      return plus(a, b);
    case "sub":
      return minus(a, b);
    case "mul":
      return right !== undefined ? times(a, right) : left !== undefined ? times(b, left) : undefined;
    // By zero both are 0, whatever is divided.
    case "div":
      return right === undefined ? undefined : right === 0 ? number(0) : apply({ kind: "trunc-div", of: a, by: right });
    case "mod":
      return right === undefined ? undefined : right === 0 ? number(0) : apply({ kind: "mod", of: a, by: right });
    case "min":
    case "max":
      return apply({ kind: op, left: a, right: b });
    default:
      return undefined;
  }
}

function logic(op: string, [a, b, c]: readonly Predicate[]): Predicate | undefined {
  if (!a) return undefined;
  switch (op) {
    case "not":
      return negated(a);
    case "and":
      return b && both(a, b);
    case "or":
      return b && either(a, b);
    case "eq":
      return b && either(both(a, b), both(negated(a), negated(b)));
    case "ne":
      return b && either(both(a, negated(b)), both(negated(a), b));
    case "where":
      return b && c && either(both(a, b), both(negated(a), c));
    default:
      return undefined;
  }
}
