/**
 * Elementwise functions that are more than one operation: in doubles for the reference, and as formulas over
 * `ScalarMath` for kernels. The formulas keep to the function's range at the ends: a large |x| gives the limit, never
 * NaN; NaN gives NaN.
 */
import type { ScalarMath } from "./types.js";

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * Error function in doubles: the series of Abramowitz & Stegun 7.1.6 below 3 (all terms positive, so no cancellation),
 * the continued fraction 7.1.14 above; relative error about 1e-15.
 */
export function erf(x: number): number {
  return Math.abs(x) < 3 ? erfSeries(x) : x > 0 ? 1 - erfcFraction(x) : x < 0 ? erfcFraction(-x) - 1 : x;
}

/** 1 - erf(x) without cancellation for large x. */
export function erfc(x: number): number {
  return x >= 3 ? erfcFraction(x) : 1 - erf(x);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return twoOverRootPi * Math.exp(-x * x) * sum;
}

function erfcFraction(x: number): number {
  if (x > 30) return 0;
  // x + (1/2)/(x + 1/(x + (3/2)/(x + ...))), evaluated from the inside; 60 terms are exact to a double for x >= 3.
  let fraction = x;
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** x * sigmoid(x), with the limit 0 at -Infinity. */
export function silu(x: number): number {
  return x === -Infinity ? 0 : x * sigmoid(x);
}

/** x * P(normal <= x), with the limit 0 at -Infinity. */
export function gelu(x: number): number {
  return x === -Infinity ? 0 : 0.5 * x * erfc(-x / Math.SQRT2);
}

const tanhScale = Math.sqrt(2 / Math.PI);

/** Hendrycks & Gimpel's tanh form; 0.5 * (1 + tanh(u)) is sigmoid(2u), which does not cancel. */
export function geluTanh(x: number): number {
  return x === -Infinity ? 0 : x * sigmoid(2 * tanhScale * (x + 0.044715 * x ** 3));
}

export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Half to even. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/** Remainder with the sign of the divisor. */
export function floorMod(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/* ---- the same for kernels ---- */

/** x, but no less than `least`; NaN stays. */
function atLeast<E>(m: ScalarMath<E>, x: E, least: number): E {
  return m.select(m.compare("lt", x, m.constant(least)), m.constant(least), x);
}

export function sigmoidFormula<E>(m: ScalarMath<E>, x: E): E {
  return m.div(m.constant(1), m.add(m.constant(1), m.exp(m.neg(x))));
}

/** The bound keeps -Infinity / Infinity away; sigmoid is 0 in f32 far above it. */
export function siluFormula<E>(m: ScalarMath<E>, x: E): E {
  return m.mul(atLeast(m, x, -1000), sigmoidFormula(m, x));
}

export function geluFormula<E>(m: ScalarMath<E>, x: E): E {
  // Below -20 the exact value is under 1e-87; the bound keeps -Infinity * 0 away.
  const bounded = atLeast(m, x, -20);
  const normal = m.add(m.constant(1), erfFormula(m, m.mul(bounded, m.constant(Math.SQRT1_2))));
  return m.mul(m.mul(m.constant(0.5), bounded), normal);
}

export function geluTanhFormula<E>(m: ScalarMath<E>, x: E): E {
  // Far below the bound the result is 0 even in doubles; the bound keeps -Infinity * 0 away.
  const bounded = atLeast(m, x, -64);
  const cube = m.mul(bounded, m.mul(bounded, bounded));
  const u = m.mul(m.constant(2 * tanhScale), m.add(bounded, m.mul(m.constant(0.044715), cube)));
  return m.mul(bounded, sigmoidFormula(m, u));
}

/**
 * log(1 + y) with y = e^-|x| in (0, 1], by Kahan's correction: log(u) * y / (u - 1) with u = 1 + y as rounded, y itself
 * when u is 1.
 */
export function softplusFormula<E>(m: ScalarMath<E>, x: E): E {
  const one = m.constant(1);
  const y = m.exp(m.neg(m.abs(x)));
  const u = m.add(one, y);
  const exact = m.compare("eq", u, one);
  const divisor = m.select(exact, one, m.sub(u, one));
  const log1p = m.select(exact, y, m.div(m.mul(m.log(u), y), divisor));
  return m.add(m.max(x, m.constant(0)), log1p);
}

/** Abramowitz & Stegun 7.1.26; |error| <= 1.5e-7 for x >= 0. */
const erfRational = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429] as const;

/**
 * erf with |error| <= 1.5e-7 plus rounding. Below 1/2 the Maclaurin series to x^11 (7.1.5: it alternates, so the error
 * is below its next term, 2/sqrt(pi) * 0.5^13 / (6! * 13) = 1.5e-8, and relative to erf(x) below 3e-8), so that small x
 * keep their relative accuracy; above, 7.1.26 on |x| with the sign put back.
 */
export function erfFormula<E>(m: ScalarMath<E>, x: E): E {
  const size = m.abs(x);
  const square = m.mul(x, x);
  let series = m.constant(0);
  for (let n = 5, factorial = 120; n >= 0; factorial /= n, n--) {
    const coefficient = (n % 2 === 0 ? twoOverRootPi : -twoOverRootPi) / (factorial * (2 * n + 1));
    series = m.add(m.mul(series, square), m.constant(coefficient));
    if (n === 0) break;
  }
  const t = m.div(m.constant(1), m.add(m.constant(1), m.mul(m.constant(0.3275911), size)));
  let rational = m.constant(0);
  for (const coefficient of [...erfRational].reverse()) {
    rational = m.mul(m.add(rational, m.constant(coefficient)), t);
  }
  // |x| beyond 10 is 1 to every digit; the bound keeps Infinity * 0 away.
  const capped = m.select(m.compare("gt", size, m.constant(10)), m.constant(10), size);
  const positive = m.sub(m.constant(1), m.mul(rational, m.exp(m.neg(m.mul(capped, capped)))));
  const signed = m.select(m.compare("lt", x, m.constant(0)), m.neg(positive), positive);
  return m.select(m.compare("lt", size, m.constant(0.5)), m.mul(x, series), signed);
}

export function signFormula<E>(m: ScalarMath<E>, x: E): E {
  const zero = m.constant(0);
  const negative = m.select(m.compare("lt", x, zero), m.constant(-1), x);
  return m.select(m.compare("gt", x, zero), m.constant(1), negative);
}

/** a - b * floor(a / b); exact while |a / b| < 2^22. */
export function floorModFormula<E>(m: ScalarMath<E>, a: E, b: E): E {
  return m.sub(a, m.mul(b, m.floor(m.div(a, b))));
}

/** A divisor that no target traps on: 1 in place of 0 (result 0) and of -1 (result -a, which wraps). */
function safeDivisor<E>(m: ScalarMath<E>, b: E): E {
  const one = m.constant(1);
  return m.select(m.or(m.compare("eq", b, m.constant(0)), m.compare("eq", b, m.constant(-1))), one, b);
}

export function integerDivideFormula<E>(m: ScalarMath<E>, a: E, b: E): E {
  const quotient = m.div(a, safeDivisor(m, b));
  const negated = m.select(m.compare("eq", b, m.constant(-1)), m.neg(a), quotient);
  return m.select(m.compare("eq", b, m.constant(0)), m.constant(0), negated);
}

export function integerModFormula<E>(m: ScalarMath<E>, a: E, b: E): E {
  const zero = m.constant(0);
  const divisor = safeDivisor(m, b);
  // With the divisor 1 the remainder is 0, which is what 0 and -1 ask for.
  const rest = m.sub(a, m.mul(m.div(a, divisor), divisor));
  const apart = m.or(
    m.and(m.compare("lt", rest, zero), m.compare("gt", divisor, zero)),
    m.and(m.compare("gt", rest, zero), m.compare("lt", divisor, zero)),
  );
  return m.select(apart, m.add(rest, divisor), rest);
}

/**
 * a^b as e^(b log |a|) with the sign of a for odd whole b; NaN for a negative a with b not whole. Relative error about
 * |b log a| times that of log, plus that of exp.
 */
export function powFormula<E>(m: ScalarMath<E>, a: E, b: E): E {
  const zero = m.constant(0);
  const one = m.constant(1);
  const magnitude = m.exp(m.mul(b, m.log(m.abs(a))));
  const half = m.mul(b, m.constant(0.5));
  const whole = m.compare("eq", m.floor(b), b);
  const odd = m.compare("ne", m.floor(half), half);
  const nan = m.sqrt(m.constant(-1));
  const signed = m.select(whole, m.select(odd, m.neg(magnitude), magnitude), nan);
  const power = m.select(m.compare("lt", a, zero), signed, magnitude);
  const trivial = m.or(m.compare("eq", b, zero), m.compare("eq", a, one));
  return m.select(trivial, one, power);
}

/** a^b on 32-bit integers by squaring; with a negative b only 1 and -1 are not 0. */
export function integerPow(a: number, b: number): number {
  if (b < 0 && a !== 1 && a !== -1) return 0;
  let result = 1;
  let square = a;
  // Division instead of a shift keeps the sign out of the least integer, whose magnitude has no bit but the last.
  for (let rest = Math.abs(b); rest >= 1; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** `integerPow` without branches: one squaring for each bit of b. */
export function integerPowFormula<E>(m: ScalarMath<E>, a: E, b: E): E {
  const one = m.constant(1);
  const two = m.constant(2);
  let result = one;
  let square = a;
  let rest = m.abs(b);
  for (let bit = 0; bit < 31; bit++) {
    const half = m.div(rest, two);
    const odd = m.compare("eq", m.sub(rest, m.mul(half, two)), one);
    result = m.select(odd, m.mul(result, square), result);
    square = m.mul(square, square);
    rest = half;
  }
  const unit = m.or(m.compare("eq", a, one), m.compare("eq", a, m.constant(-1)));
  const gone = m.and(m.compare("lt", b, m.constant(0)), m.not(unit));
  return m.select(gone, m.constant(0), result);
}
