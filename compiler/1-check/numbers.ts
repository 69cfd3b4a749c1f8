/**
 * Numbers known before anything runs. Where axes are still symbols (a declaration checked for all its sizes), so are
 * they: an exact number is a quotient of two sizes, a real number may be unknown. `ceil(T * 1.25 / E)` stays exact.
 */
import { Size } from "../axes/size.js";

export interface ExactNumber {
  readonly kind: "exact";
  readonly top: Size;
  readonly bottom: Size;
  /** Written without a point: an axis, a count or an integer parameter. */
  readonly integer: boolean;
}
export interface RealNumber {
  readonly kind: "real";
  /** Undefined while it depends on a symbol. */
  readonly value: number | undefined;
}
export type StaticNumber = ExactNumber | RealNumber;

export function integer(value: number | Size): ExactNumber {
  return { kind: "exact", top: typeof value === "number" ? Size.of(value) : value, bottom: Size.one, integer: true };
}

/** A number with a point: exact while it is a whole number, since sizes such as `T * 2.0` ask for it. */
export function real(value: number | undefined): StaticNumber {
  if (value !== undefined && Number.isSafeInteger(value) && !Object.is(value, -0)) {
    return { kind: "exact", top: Size.of(value), bottom: Size.one, integer: false };
  }
  return { kind: "real", value };
}

/** A number that is given from outside, on a command line or in a project file: written without a point where it is whole. */
export function plainNumber(value: number): StaticNumber {
  return Number.isInteger(value) ? integer(value) : real(value);
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.abs(a) : gcd(b, a % b);
}

function quotient(top: Size, bottom: Size, isInteger: boolean): ExactNumber {
  const a = top.constant;
  const b = bottom.constant;
  if (a !== undefined && b !== undefined) {
    const common = (gcd(a, b) || 1) * (b < 0 ? -1 : 1);
    return { kind: "exact", top: Size.of(a / common), bottom: Size.of(b / common), integer: isInteger };
  }
  const whole = top.dividedBy(bottom);
  return whole
    ? { kind: "exact", top: whole, bottom: Size.one, integer: isInteger }
    : { kind: "exact", top, bottom, integer: isInteger };
}

/** The number itself, when no symbol is in it. */
export function valueOf(number: StaticNumber): number | undefined {
  if (number.kind === "real") return number.value;
  const top = number.top.constant;
  const bottom = number.bottom.constant;
  return top === undefined || bottom === undefined ? undefined : top / bottom;
}

/** The size it stands for, when it is a whole polynomial. */
export function sizeOf(number: StaticNumber): Size | undefined {
  if (number.kind === "exact") return number.bottom.constant === 1 ? number.top : undefined;
  return number.value !== undefined && Number.isSafeInteger(number.value) ? Size.of(number.value) : undefined;
}

/** A decimal such as 1.25 as a quotient of whole numbers, so that it can meet a symbol exactly. */
function exactly(number: StaticNumber): ExactNumber | undefined {
  if (number.kind === "exact") return number;
  if (number.value === undefined) return undefined;
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number.value));
  if (!match) return undefined;
  const digits = `${match[2]!}${match[3] ?? ""}`;
  const exponent = Number(match[4] ?? 0) - (match[3]?.length ?? 0);
  if (digits.length > 15 || Math.abs(exponent) > 15) return undefined;
  const sign = match[1] === "-" ? -1 : 1;
  const top = sign * Number(digits) * (exponent > 0 ? 10 ** exponent : 1);
  const bottom = exponent < 0 ? 10 ** -exponent : 1;
  if (!Number.isSafeInteger(top)) return undefined;
  return quotient(Size.of(top), Size.of(bottom), false);
}

type Rule = (a: ExactNumber, b: ExactNumber, isInteger: boolean) => ExactNumber | undefined;

function combine(
  a: StaticNumber,
  b: StaticNumber,
  exact: Rule,
  numeric: (a: number, b: number) => number,
): StaticNumber {
  const symbolic = valueOf(a) === undefined || valueOf(b) === undefined;
  if ((a.kind === "exact" && b.kind === "exact") || symbolic) {
    const x = exactly(a);
    const y = exactly(b);
    if (x && y) {
      try {
        const result = exact(x, y, x.integer && y.integer);
        if (result) return result;
      } catch (error) {
        // Beyond 2^53 the exact form ends; the nearest double stands in, and no size can be made of it.
        if (!(error instanceof RangeError)) throw error;
      }
    }
  }
  const x = valueOf(a);
  const y = valueOf(b);
  return x === undefined || y === undefined ? { kind: "real", value: undefined } : real(numeric(x, y));
}

export function add(a: StaticNumber, b: StaticNumber): StaticNumber {
  return combine(
    a,
    b,
    (x, y, whole) => quotient(x.top.times(y.bottom).plus(y.top.times(x.bottom)), x.bottom.times(y.bottom), whole),
    (x, y) => x + y,
  );
}

export function negate(a: StaticNumber): StaticNumber {
  if (a.kind === "exact" && a.top.constant !== 0) return { ...a, top: a.top.times(Size.of(-1)) };
  const value = valueOf(a);
  return a.kind === "exact" ? a : { kind: "real", value: value === undefined ? undefined : -value };
}

export function subtract(a: StaticNumber, b: StaticNumber): StaticNumber {
  return add(a, negate(b));
}

export function multiply(a: StaticNumber, b: StaticNumber): StaticNumber {
  return combine(
    a,
    b,
    (x, y, whole) => quotient(x.top.times(y.top), x.bottom.times(y.bottom), whole),
    (x, y) => x * y,
  );
}

/** The exact quotient: 1 / 2 is a half. Rounding is written `floor(a / b)`. */
export function divide(a: StaticNumber, b: StaticNumber): StaticNumber {
  return combine(
    a,
    b,
    (x, y, whole) => (y.top.constant === 0 ? undefined : quotient(x.top.times(y.bottom), x.bottom.times(y.top), whole)),
    (x, y) => x / y,
  );
}

export function power(a: StaticNumber, b: StaticNumber): StaticNumber {
  const exponent = valueOf(b);
  if (a.kind === "exact" && exponent !== undefined && Number.isInteger(exponent) && exponent >= 0 && exponent <= 64) {
    try {
      return quotient(a.top.power(exponent), a.bottom.power(exponent), a.integer);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  const base = valueOf(a);
  return real(base === undefined || exponent === undefined ? undefined : base ** exponent);
}

export function modulo(a: StaticNumber, b: StaticNumber): StaticNumber {
  const x = valueOf(a);
  const y = valueOf(b);
  if (x !== undefined && y !== undefined) {
    const rest = y === 0 ? NaN : x - y * Math.floor(x / y);
    return a.kind === "exact" && b.kind === "exact" && Number.isInteger(rest)
      ? { ...integer(rest), integer: a.integer && b.integer }
      : real(rest);
  }
  const top = sizeOf(a);
  const bottom = sizeOf(b);
  if (!top || !bottom || bottom.constant === 0) return { kind: "real", value: undefined };
  return integer(top.minus(bottom.times(top.floorDividedBy(bottom))));
}

export function round(a: StaticNumber, direction: "ceil" | "floor"): StaticNumber {
  const value = valueOf(a);
  if (value !== undefined) {
    const rounded = direction === "ceil" ? Math.ceil(value) : Math.floor(value);
    return Number.isSafeInteger(rounded) ? integer(rounded === 0 ? 0 : rounded) : real(rounded);
  }
  if (a.kind === "real") return a;
  return integer(direction === "ceil" ? a.top.ceilDividedBy(a.bottom) : a.top.floorDividedBy(a.bottom));
}

export function extreme(a: StaticNumber, b: StaticNumber, which: "min" | "max"): StaticNumber {
  const x = valueOf(a);
  const y = valueOf(b);
  if (x !== undefined && y !== undefined) return (which === "min" ? x <= y : x >= y) ? a : b;
  const left = sizeOf(a);
  const right = sizeOf(b);
  if (left && right) return integer(which === "min" ? left.min(right) : left.max(right));
  return { kind: "real", value: undefined };
}

/** Whether the comparison holds; undefined when it depends on symbols. */
export function compare(a: StaticNumber, b: StaticNumber, operator: string): boolean | undefined {
  const x = valueOf(subtract(a, b)) ?? undefined;
  const left = valueOf(a);
  const right = valueOf(b);
  const difference = left !== undefined && right !== undefined ? (left === right ? 0 : left - right) : x;
  if (difference === undefined) return undefined;
  switch (operator) {
    case "==":
      return difference === 0;
    case "!=":
      return difference !== 0;
    case "<":
      return difference < 0;
    case "<=":
      return difference <= 0;
    case ">":
      return difference > 0;
    case ">=":
      return difference >= 0;
    default:
      return undefined;
  }
}

/** As it is shown to people. */
export function numberText(number: StaticNumber): string {
  if (number.kind === "real") return number.value === undefined ? "a number" : String(number.value);
  const bottom = number.bottom.constant === 1 ? "" : ` / ${number.bottom.toString()}`;
  return `${number.top.toString()}${bottom}`;
}
