/**
 * From a mask predicate over (query position, key position) to the keys it may allow for one query: a short list of
 * intervals. Comparisons that are linear in both positions give half lines; `and` intersects, `or` joins, `not` of a
 * half line is the other half. Where the list says exactly what the predicate says, the predicate is not asked at all.
 */
import { Size } from "../../axes/size.js";
import type { Region } from "../../2-graph/ir.js";
import { add, constant, max, min, mul } from "../kernel-expressions.js";
import type { Expression } from "../kernel-ir.js";
import type { Emitter } from "./emitter.js";

/** Keys from `from` up to and without `to`; `exact` when all of them are allowed. */
export interface KeyInterval {
  readonly from: Expression;
  readonly to: Expression;
  readonly exact: boolean;
}

/** query * a + key * b + c, with whole numbers and a size. */
interface Linear {
  readonly query: number;
  readonly key: number;
  readonly rest: Size;
}

/** A bound on keys: a line of the query position. */
interface Bound {
  readonly query: number;
  readonly rest: Size;
}

/** An intersection of bounds; `exact` when nothing else restricts it. */
interface Span {
  /** key >= each. */
  readonly least: readonly Bound[];
  /** key < each. */
  readonly below: readonly Bound[];
  readonly exact: boolean;
}

const everything: readonly Span[] = [{ least: [], below: [], exact: true }];
const unknown: readonly Span[] = [{ least: [], below: [], exact: false }];

/** More intervals than this are not worth their checks against each other. */
const mostSpans = 4;

type Fact =
  | { readonly kind: "linear"; readonly value: Linear }
  | { readonly kind: "spans"; readonly yes: readonly Span[]; readonly no: readonly Span[] };

function halfLine(relation: string, left: Linear, right: Linear): { yes: readonly Span[]; no: readonly Span[] } {
  // key * b + (query * a + c) relation 0
  const key = left.key - right.key;
  const line: Bound = { query: left.query - right.query, rest: left.rest.minus(right.rest) };
  if (key !== 1 && key !== -1) return { yes: unknown, no: unknown };
  // For b = 1: key relation -line; for b = -1: line relation key.
  const at: Bound = key === 1 ? { query: -line.query, rest: line.rest.times(Size.of(-1)) } : line;
  const after: Bound = { ...at, rest: at.rest.plus(Size.one) };
  const below = (bound: Bound): readonly Span[] => [{ least: [], below: [bound], exact: true }];
  const from = (bound: Bound): readonly Span[] => [{ least: [bound], below: [], exact: true }];
  const mirrored = key === 1 ? relation : ({ lt: "gt", le: "ge", gt: "lt", ge: "le" }[relation] ?? relation);
  switch (mirrored) {
    case "lt":
      return { yes: below(at), no: from(at) };
    case "le":
      return { yes: below(after), no: from(after) };
    case "gt":
      return { yes: from(after), no: below(after) };
    case "ge":
      return { yes: from(at), no: below(at) };
    case "eq":
      return { yes: [{ least: [at], below: [after], exact: true }], no: [...below(at), ...from(after)] };
    case "ne":
      return { yes: [...below(at), ...from(after)], no: [{ least: [at], below: [after], exact: true }] };
    default:
      return { yes: unknown, no: unknown };
  }
}

function both(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const spans = a.flatMap((x) =>
    b.map((y) => ({
      least: [...x.least, ...y.least],
      below: [...x.below, ...y.below],
      exact: x.exact && y.exact,
    })),
  );
  return spans.length <= mostSpans ? spans : unknown;
}

function either(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  return a.length + b.length <= mostSpans ? [...a, ...b] : unknown;
}

/** The spans that a mask region allows. */
export function analyseMask(region: Region): readonly Span[] {
  const facts = new Map<number, Fact>();
  const [query, key] = region.params;
  facts.set(query!.id, { kind: "linear", value: { query: 1, key: 0, rest: Size.zero } });
  facts.set(key!.id, { kind: "linear", value: { query: 0, key: 1, rest: Size.zero } });
  for (const node of region.nodes) {
    const operands = node.operands.map((id) => facts.get(id));
    const fact = factOf(node.op, node.attrs, operands);
    if (fact) facts.set(node.results[0]!.id, fact);
  }
  const result = facts.get(region.results[0]!);
  return result?.kind === "spans" ? result.yes : unknown;
}

function factOf(
  op: string,
  attrs: Readonly<Record<string, unknown>>,
  operands: readonly (Fact | undefined)[],
): Fact | undefined {
  const [a, b] = operands;
  if (op === "constant" && attrs.values === undefined && typeof attrs.value === "number") {
    if (attrs.dtype === "bool") {
      return { kind: "spans", yes: attrs.value ? everything : [], no: attrs.value ? [] : everything };
    }
    return Number.isSafeInteger(attrs.value) && attrs.dtype === "i32"
      ? { kind: "linear", value: { query: 0, key: 0, rest: Size.of(attrs.value) } }
      : undefined;
  }
  if (op === "size" && attrs.value instanceof Size) {
    return { kind: "linear", value: { query: 0, key: 0, rest: attrs.value } };
  }
  if (a?.kind === "linear" && b?.kind === "linear") {
    const sign = op === "add" ? 1 : op === "sub" ? -1 : 0;
    if (sign !== 0) {
      const [x, y] = [a.value, b.value];
      const rest = x.rest.plus(y.rest.times(Size.of(sign)));
      return { kind: "linear", value: { query: x.query + sign * y.query, key: x.key + sign * y.key, rest } };
    }
    return { kind: "spans", ...halfLine(op, a.value, b.value) };
  }
  if (op === "not" && a?.kind === "spans") return { kind: "spans", yes: a.no, no: a.yes };
  if (op !== "and" && op !== "or") return undefined;
  const spans = (fact: Fact | undefined): { yes: readonly Span[]; no: readonly Span[] } =>
    fact?.kind === "spans" ? fact : { yes: unknown, no: unknown };
  const [x, y] = [spans(a), spans(b)];
  return op === "and"
    ? { kind: "spans", yes: both(x.yes, y.yes), no: either(x.no, y.no) }
    : { kind: "spans", yes: either(x.yes, y.yes), no: both(x.no, y.no) };
}

/** The spans of one query, between 0 and the number of keys. */
export function intervalsFor(
  spans: readonly Span[],
  emitter: Emitter,
  query: Expression,
  keys: Size,
): readonly KeyInterval[] {
  const bound = (line: Bound): Expression => add(mul(query, constant(line.query)), emitter.size(line.rest));
  return spans.map((span) => ({
    from: emitter.builder.let("least", span.least.map(bound).reduce(max, constant(0))),
    to: emitter.builder.let("below", span.below.map(bound).reduce(min, emitter.size(keys))),
    exact: span.exact,
  }));
}
