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

/** Both ends included; the ends may be infinite. */
export interface Range {
  readonly low: number;
  readonly high: number;
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

const floorDiv = (value: number, by: number): number => Math.floor(value / by);
const floorMod = (value: number, by: number): number => value - by * Math.floor(value / by);

/** Values of run-time sizes; a size with a name that is not here may be anything from 0 on. */
export type Sizes = Readonly<Record<string, number>>;

function sizeRange(value: Size, sizes: Sizes): Range {
  const known = value.names.every((name) => Object.hasOwn(sizes, name));
  if (known) {
    const exact = value.evaluate(sizes);
    return { low: exact, high: exact };
  }
  return { low: -Infinity, high: Infinity };
}

/**
 * The least and the largest value for q and k in ranges; exact for sums without functions, otherwise never too narrow.
 */
export function rangeOf(form: Form, q: Range, k: Range, sizes: Sizes = {}): Range {
  let { low, high } = sizeRange(form.constant, sizes);
  const add = (coefficient: number, range: Range): void => {
    if (coefficient === 0) return;
    low += coefficient * (coefficient > 0 ? range.low : range.high);
    high += coefficient * (coefficient > 0 ? range.high : range.low);
  };
  add(form.q, q);
  add(form.k, k);
  for (const { coefficient, of } of form.terms) add(coefficient, functionRange(of, q, k, sizes));
  return { low, high };
}

function functionRange(of: FormFunction, q: Range, k: Range, sizes: Sizes): Range {
  if (of.kind === "min" || of.kind === "max") {
    const a = rangeOf(of.left, q, k, sizes);
    const b = rangeOf(of.right, q, k, sizes);
    const pick = of.kind === "min" ? Math.min : Math.max;
    return { low: pick(a.low, b.low), high: pick(a.high, b.high) };
  }
  const inner = rangeOf(of.of, q, k, sizes);
  switch (of.kind) {
    case "abs": {
      const ends = [Math.abs(inner.low), Math.abs(inner.high)];
      return { low: inner.low <= 0 && inner.high >= 0 ? 0 : Math.min(...ends), high: Math.max(...ends) };
    }
    case "floor-div":
    case "trunc-div": {
      // Both roundings keep the order of numbers, so the ends stay the ends; a negative divisor turns it around.
      const round = of.kind === "floor-div" ? Math.floor : Math.trunc;
      const ends = [round(inner.low / of.by), round(inner.high / of.by)];
      return { low: Math.min(...ends), high: Math.max(...ends) };
    }
    case "mod": {
      const turn = Math.abs(of.by) - 1;
      const whole = of.by > 0 ? { low: 0, high: turn } : { low: -turn, high: 0 };
      if (!Number.isFinite(inner.low) || floorDiv(inner.low, of.by) !== floorDiv(inner.high, of.by)) return whole;
      const ends = [floorMod(inner.low, of.by), floorMod(inner.high, of.by)];
      return { low: Math.min(...ends), high: Math.max(...ends) };
    }
  }
}

/** The value at one place. Every size in the form must be known. */
export function valueOf(form: Form, q: number, k: number, sizes: Sizes = {}): number {
  return rangeOf(form, { low: q, high: q }, { low: k, high: k }, sizes).low;
}
