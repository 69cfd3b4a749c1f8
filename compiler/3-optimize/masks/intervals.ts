/**
 * Which keys a query may see, as a short list of intervals whose ends are expressions of the query position; and what a
 * block of queries and keys looks like: empty, full or partial. Attention visits no empty block and asks the predicate
 * in partial ones only.
 */
import type { Region } from "../../2-graph/ir.js";
import {
  apply,
  formText,
  number,
  numbersWith,
  plus,
  rangeOf,
  times,
  usesKey,
  valueOf,
  type Form,
  type Range,
  type RangeArithmetic,
  type Sizes,
} from "./form.js";
import { readPredicate, type Predicate } from "./predicate.js";

/**
 * Keys from the largest of `from` (and 0) up to, but without, the smallest of `to` (and the number of keys), for queries
 * for which every form of `when` is at most 0. No form depends on the key.
 */
export interface KeyInterval {
  readonly from: readonly Form[];
  readonly to: readonly Form[];
  readonly when: readonly Form[];
}

export interface MaskAnalysis {
  readonly predicate: Predicate;
  /** The union of these holds every allowed key; intervals may overlap. */
  readonly intervals: readonly KeyInterval[];
  /** True when the union holds no other key, so that the predicate need not be asked inside. */
  readonly exact: boolean;
  /** True when no end moves back as the query moves on: then the keys of a run of queries end where the last one's end. */
  readonly monotone: boolean;
}

export type BlockKind = "empty" | "full" | "partial";

/** Half-open ranges of positions. */
export interface Block {
  readonly q: readonly [from: number, to: number];
  readonly k: readonly [from: number, to: number];
}

/** Beyond this a list of intervals is no shorter than the mask. */
const MOST_INTERVALS = 16;

const everything: KeyInterval = { from: [], to: [], when: [] };

interface Solution {
  readonly intervals: readonly KeyInterval[];
  readonly exact: boolean;
}

/** The keys for which `form <= 0`. */
function solve(form: Form): Solution {
  if (!usesKey(form)) return { intervals: [{ ...everything, when: [form] }], exact: true };
  const withKey = form.terms.filter(({ of }) => usesKey(apply(of)));
  const rest: Form = { ...form, k: 0, terms: form.terms.filter((term) => !withKey.includes(term)) };
  const floor = (of: Form, by: number): Form => (by === 1 ? of : apply({ kind: "floor-div", of, by }));
  // c * k <= -rest
  if (withKey.length === 0) {
    const c = form.k;
    const bound = floor(times(rest, c > 0 ? -1 : 1), Math.abs(c));
    if (c > 0) return { intervals: [{ ...everything, to: [plus(bound, number(1))] }], exact: true };
    // k >= ceil(rest / |c|) = floor((rest + |c| - 1) / |c|)
    return { intervals: [{ ...everything, from: [floor(plus(rest, number(-c - 1)), -c)] }], exact: true };
  }
  // c * (k div n) <= -rest; keys are not negative, so rounding down and toward zero are the same.
  const [term] = withKey;
  const of = term!.of;
  if (withKey.length === 1 && form.k === 0 && (of.kind === "floor-div" || of.kind === "trunc-div") && of.by > 0) {
    const isKey = of.of.k === 1 && of.of.q === 0 && of.of.terms.length === 0 && of.of.constant.constant === 0;
    if (isKey) {
      const c = term!.coefficient;
      const bound = floor(times(rest, c > 0 ? -1 : 1), Math.abs(c));
      if (c > 0) return { intervals: [{ ...everything, to: [times(plus(bound, number(1)), of.by)] }], exact: true };
      const first = floor(plus(rest, number(-c - 1)), -c);
      return { intervals: [{ ...everything, from: [times(first, of.by)] }], exact: true };
    }
  }
  return { intervals: [everything], exact: false };
}

const merged = (a: readonly Form[], b: readonly Form[]): readonly Form[] => [
  ...new Map([...a, ...b].map((form) => [formText(form), form])).values(),
];

function intersect(a: KeyInterval, b: KeyInterval): KeyInterval {
  return { from: merged(a.from, b.from), to: merged(a.to, b.to), when: merged(a.when, b.when) };
}

function solveAll(predicate: Predicate): Solution {
  switch (predicate.kind) {
    case "constant":
      return { intervals: predicate.value ? [everything] : [], exact: true };
    case "at-most-zero":
      return solve(predicate.form);
    case "or": {
      const parts = predicate.parts.map(solveAll);
      return { intervals: parts.flatMap(({ intervals }) => intervals), exact: parts.every(({ exact }) => exact) };
    }
    case "and":
      return predicate.parts.map(solveAll).reduce<Solution>(
        (a, b) => {
          const intervals = a.intervals.flatMap((x) => b.intervals.map((y) => intersect(x, y)));
          // Too many: what one side allows holds what both allow.
          if (intervals.length > MOST_INTERVALS) return { intervals: a.intervals, exact: false };
          return { intervals, exact: a.exact && b.exact };
        },
        { intervals: [everything], exact: true },
      );
  }
}

/** True when the form never falls while q rises. */
function isRising(form: Form): boolean {
  return (
    form.q >= 0 &&
    form.terms.every(({ coefficient, of }) => {
      if (of.kind === "min" || of.kind === "max") return coefficient > 0 && isRising(of.left) && isRising(of.right);
      if (of.kind === "mod" || of.kind === "abs") return false;
      return coefficient * of.by > 0 ? isRising(of.of) : isRising(times(of.of, -1));
    })
  );
}

/**
 * What can be said about the mask region of an `attend` before it runs; undefined for a predicate that this analysis
 * does not read (then every block is partial).
 *
 * @example maskIntervals(causal)!.intervals // keys 0..q + 1
 */
export function maskIntervals(region: Region): MaskAnalysis | undefined {
  const predicate = readPredicate(region);
  if (!predicate) return undefined;
  const { intervals, exact } = solveAll(predicate);
  if (intervals.length > MOST_INTERVALS) return { predicate, intervals: [everything], exact: false, monotone: true };
  const monotone = intervals.every(
    ({ from, to, when }) => from.every(isRising) && to.every(isRising) && when.length === 0,
  );
  return { predicate, intervals, exact, monotone };
}

/** What ranges say about truth: of numbers it is known, in a kernel it is an expression. */
export interface TruthArithmetic<V, B> extends RangeArithmetic<V> {
  readonly truth: (value: boolean) => B;
  readonly atMostZero: (value: V) => B;
  readonly above: (value: V) => B;
  readonly and: (a: B, b: B) => B;
  readonly or: (a: B, b: B) => B;
}

/** Of a block of pairs: surely none is allowed, surely all are; neither is said wrongly. */
export interface BlockTruth<B> {
  readonly empty: B;
  readonly full: B;
}

/** What the ranges of the positions of a block (both ends included) tell about its pairs. */
export function blockTruth<V, B>(
  predicate: Predicate,
  q: Range<V>,
  k: Range<V>,
  arithmetic: TruthArithmetic<V, B>,
): BlockTruth<B> {
  const { truth, and, or } = arithmetic;
  switch (predicate.kind) {
    case "constant":
      return { empty: truth(!predicate.value), full: truth(predicate.value) };
    case "at-most-zero": {
      const { low, high } = rangeOf(predicate.form, q, k, arithmetic);
      return { empty: arithmetic.above(low), full: arithmetic.atMostZero(high) };
    }
    case "and":
    case "or": {
      const parts = predicate.parts.map((part) => blockTruth(part, q, k, arithmetic));
      const [someEmpty, someFull] = predicate.kind === "and" ? [or, and] : [and, or];
      return parts.reduce((a, b) => ({ empty: someEmpty(a.empty, b.empty), full: someFull(a.full, b.full) }));
    }
  }
}

/**
 * Empty when no pair of the block is allowed, full when all are, partial when the ranges alone do not tell. Never wrong
 * in the first two; positions are absolute (behind a cache the first query is at `past`).
 */
export function classifyBlock({ predicate }: MaskAnalysis, block: Block, sizes: Sizes = {}): BlockKind {
  const q: Range = { low: block.q[0], high: block.q[1] - 1 };
  const k: Range = { low: block.k[0], high: block.k[1] - 1 };
  if (q.low > q.high || k.low > k.high) return "empty";
  const { empty, full } = blockTruth<number, boolean>(predicate, q, k, {
    ...numbersWith(sizes),
    truth: (value) => value,
    atMostZero: (value) => value <= 0,
    above: (value) => value > 0,
    and: (a, b) => a && b,
    or: (a, b) => a || b,
  });
  return empty ? "empty" : full ? "full" : "partial";
}

/**
 * A range of keys that holds all keys which the interval allows for any of the queries in `q`: from `from` up to, but
 * without, `to`; from is at least `to` when there is none.
 */
export function keysOfQueries<V, B>(
  { from, to, when }: KeyInterval,
  q: Range<V>,
  keys: V,
  arithmetic: TruthArithmetic<V, B>,
  choose: (condition: B, yes: V, no: V) => V,
): { readonly from: V; readonly to: V } {
  const range = (form: Form): Range<V> => rangeOf(form, q, q, arithmetic);
  const first = from.map((form) => range(form).low).reduce(arithmetic.max, arithmetic.number(0));
  const end = to.map((form) => range(form).high).reduce(arithmetic.min, keys);
  // A condition that holds for no query of the block leaves no keys.
  return {
    from: first,
    to: when.reduce((last, form) => choose(arithmetic.above(range(form).low), arithmetic.number(0), last), end),
  };
}

/**
 * The keys below `keys` that the intervals give for one query: sorted, disjoint, not touching, half-open. For tests,
 * plans and lists of indices on the host.
 */
export function keyRanges(
  { intervals }: Pick<MaskAnalysis, "intervals">,
  query: number,
  keys: number,
  sizes: Sizes = {},
): readonly (readonly [from: number, to: number])[] {
  const value = (form: Form): number => valueOf(form, query, 0, sizes);
  const ranges = intervals
    .filter(({ when }) => when.every((form) => value(form) <= 0))
    .map(({ from, to }) => [Math.max(0, ...from.map(value)), Math.min(keys, ...to.map(value))] as const)
    .filter(([from, to]) => from < to)
    .sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = joined.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** `[0, min(q + 1, …))` and the like, for dumps. */
export function intervalText({ from, to, when }: KeyInterval): string {
  const join = (name: string, forms: readonly Form[], none: string): string =>
    forms.length === 0 ? none : forms.length === 1 ? formText(forms[0]!) : `${name}(${forms.map(formText).join(", ")})`;
  const condition = when.length === 0 ? "" : ` if ${when.map((form) => `${formText(form)} <= 0`).join(" and ")}`;
  return `[${join("max", from, "0")}, ${join("min", to, "keys")})${condition}`;
}
