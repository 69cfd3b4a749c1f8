/**
 * Integer expressions of a query position q and a key position k, as masks are made of: sums of q, k, sizes and a few
 * functions of such sums. Sums are kept in one normal form, so that `q - k` is one number with exact bounds and not two
 * numbers that have lost each other.
 */
import { Size } from "../../axes/size.js";

export type FormFunction =
  | { readonly kind: "floor-div"; readonly of: Form; readonly by: number }
  | { readonly kind: "trunc-div"; readonly of: Form; readonly by: number }
  | { readonly kind: "mod"; readonly of: Form; readonly by: number }
  | { readonly kind: "abs"; readonly of: Form }
  | { readonly kind: "min"; readonly left: Form; readonly right: Form }
  | { readonly kind: "max"; readonly left: Form; readonly right: Form };

/** q * `q` + k * `k` + constant + sum of coefficient * function. */
export interface Form {
  readonly q: number;
  readonly k: number;
  /** May name run-time sizes. */
  readonly constant: Size;
  readonly terms: readonly { readonly coefficient: number; readonly of: FormFunction }[];
}

/** Both ends included; as numbers the ends may be infinite. */
export interface Range<V = number> {
  readonly low: V;
  readonly high: V;
}

export const number = (value: number): Form => ({ q: 0, k: 0, constant: Size.of(value), terms: [] });
export const size = (value: Size): Form => ({ q: 0, k: 0, constant: value, terms: [] });
export const queryPosition: Form = { q: 1, k: 0, constant: Size.zero, terms: [] };
export const keyPosition: Form = { q: 0, k: 1, constant: Size.zero, terms: [] };

function functionKey(of: FormFunction): string {
  if (of.kind === "min" || of.kind === "max") return `${of.kind}(${formText(of.left)}, ${formText(of.right)})`;
  return of.kind === "abs" ? `abs(${formText(of.of)})` : `${of.kind}(${formText(of.of)}, ${of.by})`;
}

/** For people and for comparisons. */
export function formText(form: Form): string {
  const parts: string[] = [];
  const add = (coefficient: number, text: string): void => {
    if (coefficient !== 0)
      parts.push(coefficient === 1 ? text : coefficient === -1 ? `-${text}` : `${coefficient}*${text}`);
  };
  add(form.q, "q");
  add(form.k, "k");
  for (const { coefficient, of } of form.terms) add(coefficient, functionKey(of));
  if (form.constant.key !== "0" || parts.length === 0) parts.push(form.constant.key);
  return parts.join(" + ").replaceAll("+ -", "- ");
}

export function plus(a: Form, b: Form): Form {
  const terms = new Map<string, Form["terms"][number]>();
  for (const term of [...a.terms, ...b.terms]) {
    const key = functionKey(term.of);
    const coefficient = (terms.get(key)?.coefficient ?? 0) + term.coefficient;
    terms.set(key, { coefficient, of: term.of });
  }
  return {
    q: a.q + b.q,
    k: a.k + b.k,
    constant: a.constant.plus(b.constant),
    terms: [...terms.values()].filter(({ coefficient }) => coefficient !== 0),
  };
}

export function times(form: Form, factor: number): Form {
  return {
    q: form.q * factor,
    k: form.k * factor,
    constant: form.constant.times(Size.of(factor)),
    terms: factor === 0 ? [] : form.terms.map((term) => ({ ...term, coefficient: term.coefficient * factor })),
  };
}

export const minus = (a: Form, b: Form): Form => plus(a, times(b, -1));
export const apply = (of: FormFunction): Form => ({ ...number(0), terms: [{ coefficient: 1, of }] });

/** The whole number that a form is, when it depends on nothing. */
export function asNumber(form: Form): number | undefined {
  return form.q === 0 && form.k === 0 && form.terms.length === 0 ? form.constant.constant : undefined;
}

/** True when the form depends on the key. */
export function usesKey(form: Form): boolean {
  return form.k !== 0 || form.terms.some(({ of }) => functionForms(of).some(usesKey));
}

function functionForms(of: FormFunction): readonly Form[] {
  return of.kind === "min" || of.kind === "max" ? [of.left, of.right] : [of.of];
}

/**
 * What ranges are computed with: numbers while the mask is studied, expressions of a kernel where the block of queries is
 * known only when it runs.
 */
export interface RangeArithmetic<V> {
  readonly size: (value: Size) => Range<V>;
  readonly number: (value: number) => V;
  readonly add: (a: V, b: V) => V;
  readonly times: (a: V, factor: number) => V;
  readonly min: (a: V, b: V) => V;
  readonly max: (a: V, b: V) => V;
  readonly floorDivide: (a: V, by: number) => V;
  readonly truncDivide: (a: V, by: number) => V;
  /** `yes` when a and b are equal, else `no`. */
  readonly whenEqual: (a: V, b: V, yes: V, no: V) => V;
}

/** Values of run-time sizes; a size with a name that is not here may be anything. */
export type Sizes = Readonly<Record<string, number>>;

/** Ranges as numbers. */
export function numbersWith(sizes: Sizes): RangeArithmetic<number> {
  return {
    size: (value) => {
      const known = value.names.every((name) => Object.hasOwn(sizes, name));
      const exact = known ? value.evaluate(sizes) : undefined;
      return { low: exact ?? -Infinity, high: exact ?? Infinity };
    },
    number: (value) => value,
    add: (a, b) => a + b,
    times: (a, factor) => a * factor,
    min: (a, b) => Math.min(a, b),
    max: (a, b) => Math.max(a, b),
    floorDivide: (a, by) => Math.floor(a / by),
    truncDivide: (a, by) => Math.trunc(a / by),
    whenEqual: (a, b, yes, no) => (a === b ? yes : no),
  };
}

/**
 * The least and the largest value for q and k in ranges; exact for sums without functions, otherwise never too narrow.
 */
export function rangeOf<V>(form: Form, q: Range<V>, k: Range<V>, arithmetic: RangeArithmetic<V>): Range<V> {
  const { add, times } = arithmetic;
  let sum = arithmetic.size(form.constant);
  const join = (coefficient: number, { low, high }: Range<V>): void => {
    if (coefficient === 0) return;
    const [least, largest] = coefficient > 0 ? [low, high] : [high, low];
    sum = { low: add(sum.low, times(least, coefficient)), high: add(sum.high, times(largest, coefficient)) };
  };
  join(form.q, q);
  join(form.k, k);
  for (const { coefficient, of } of form.terms) join(coefficient, functionRange(of, q, k, arithmetic));
  return sum;
}

function functionRange<V>(of: FormFunction, q: Range<V>, k: Range<V>, arithmetic: RangeArithmetic<V>): Range<V> {
  const { min, max, number, times } = arithmetic;
  if (of.kind === "min" || of.kind === "max") {
    const a = rangeOf(of.left, q, k, arithmetic);
    const b = rangeOf(of.right, q, k, arithmetic);
    const pick = of.kind === "min" ? min : max;
    return { low: pick(a.low, b.low), high: pick(a.high, b.high) };
  }
  const { low, high } = rangeOf(of.of, q, k, arithmetic);
  switch (of.kind) {
    case "abs":
      // The least distance from 0 is that of the nearer end, or 0 when the range holds 0.
      return { low: max(number(0), max(low, times(high, -1))), high: max(times(low, -1), high) };
    case "floor-div":
    case "trunc-div": {
      // Both roundings keep the order of numbers, so the ends stay the ends; a negative divisor turns it around.
      const round = of.kind === "floor-div" ? arithmetic.floorDivide : arithmetic.truncDivide;
      const [a, b] = of.by > 0 ? [low, high] : [high, low];
      return { low: round(a, of.by), high: round(b, of.by) };
    }
    case "mod": {
      // Within one turn the order of numbers is kept, otherwise every remainder may occur.
      const turn = Math.abs(of.by) - 1;
      const whole = of.by > 0 ? { low: 0, high: turn } : { low: -turn, high: 0 };
      const [first, last] = [arithmetic.floorDivide(low, of.by), arithmetic.floorDivide(high, of.by)];
      const rest = (value: V, turns: V): V => arithmetic.add(value, times(turns, -of.by));
      return {
        low: arithmetic.whenEqual(first, last, rest(low, first), number(whole.low)),
        high: arithmetic.whenEqual(first, last, rest(high, last), number(whole.high)),
      };
    }
  }
}

/** The value at one place. Every size in the form must be known. */
export function valueOf(form: Form, q: number, k: number, sizes: Sizes = {}): number {
  return rangeOf(form, { low: q, high: q }, { low: k, high: k }, numbersWith(sizes)).low;
}
