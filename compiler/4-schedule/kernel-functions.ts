/**
 * exp, log, sin, cos and tanh as kernel IR, for targets without such instructions (WebAssembly) and for the interpreter.
 * Every operation here is exact or correctly rounded and none is `fma`, so all targets that use these bodies give equal
 * bits, scalar and vector alike.
 *
 * Each function reduces its argument to a short interval and evaluates a polynomial whose coefficients were fitted at
 * Chebyshev nodes in 50 digits and rounded to f32. Error bounds against the exact value, kept by a test: exp and log
 * 1.5 ulp, tanh 3 ulp, sin and cos 2^-22 absolute up to 1.6 million (NaN beyond).
 */
import {
  abs,
  add,
  and,
  bitcast,
  compare,
  constant,
  div,
  mul,
  or,
  select,
  shl,
  shr,
  splat,
  sub,
  unary,
} from "./kernel-expressions.js";
import { KernelBuilder } from "./kernel-builder.js";
import type { Expression, Statement, UnaryOp } from "./kernel-ir.js";
import { registerType } from "./kernel-types.js";

/** Unary operations that are functions rather than instructions on some targets. */
export type FunctionOp = "exp" | "log" | "sin" | "cos" | "tanh";

export const functionOps: readonly FunctionOp[] = ["exp", "log", "sin", "cos", "tanh"];

export function isFunctionOp(op: UnaryOp): op is FunctionOp {
  return (functionOps as readonly UnaryOp[]).includes(op);
}

/** A function of one f32 value (or vector): statements, then the result. */
export interface FunctionBody {
  /** Name of the register with the argument. */
  readonly parameter: string;
  readonly body: readonly Statement[];
  readonly result: Expression;
}

/** In the sum of a small whole number and 1.5 * 2^23 the low bits are those of the number. */
const magic = 12582912;
const magicBits = 0x4b400000;

// Rounding is an operation of its own: adding and subtracting 1.5 * 2^23 is what some GPU drivers cancel out.
const rounded = (x: Expression): Expression => unary("round", x);

/** c[0] + z (c[1] + z (...)). */
function polynomial(z: Expression, coefficients: readonly number[]): Expression {
  const [last, ...rest] = [...coefficients].reverse();
  let sum: Expression = constant(last!, z.type);
  for (const coefficient of rest) sum = add(mul(sum, z), coefficient);
  return sum;
}

/** 2^n for n in -126..127. */
const powerOfTwo = (n: Expression): Expression => bitcast(shl(add(n, 127), 23), "f32");

/** e^x for x in -104..89 or NaN: e^x = 2^n e^r with |r| <= log(2) / 2. */
function expWithin(k: KernelBuilder, x: Expression): Expression {
  const whole = k.let("whole", rounded(mul(x, Math.LOG2E)));
  const n = k.let("n", sub(bitcast(add(whole, magic), "i32"), magicBits));
  // log(2) in two parts; the first has 15 bits, so its product with n is exact.
  const r = k.let("r", sub(sub(x, mul(whole, 0.693145751953125)), mul(whole, 1.428606765330187e-6)));
  const coefficients = [0.5, 0.1666657776, 0.04166655615, 0.008363173343, 0.001392617589];
  const fraction = k.let("fraction", add(add(mul(mul(r, r), polynomial(r, coefficients)), r), 1));
  // In two steps, because 2^n alone is no normal number at the ends of the range.
  const half = k.let("half", shr(n, 1));
  return k.let("power", mul(mul(fraction, powerOfTwo(half)), powerOfTwo(sub(n, half))));
}

function exp(k: KernelBuilder, x: Expression): Expression {
  const below = k.let("below", select(compare("gt", x, 89), 89, x));
  return expWithin(k, k.let("within", select(compare("lt", below, -104), -104, below)));
}

/** log x = e log 2 + log(1 + f) with 1 + f in sqrt(1/2)..sqrt(2). */
function log(k: KernelBuilder, x: Expression): Expression {
  const tiny = k.let("tiny", compare("lt", x, 2 ** -126));
  const normal = k.let("normal", select(tiny, mul(x, 2 ** 23), x));
  // Bits of sqrt(1/2): subtracting them makes the exponent field step at sqrt(2) instead of at 2.
  const rootHalf = 0x3f3504f3;
  const bits = k.let("bits", add(bitcast(normal, "i32"), 0x3f800000 - rootHalf));
  const bias = select(tiny, constant(127 + 23, bits.type), constant(127, bits.type));
  const exponent = k.let("exponent", sub(shr(bits, 23), bias));
  const f = k.let("f", sub(bitcast(add(and(bits, 0x7fffff), rootHalf), "f32"), 1));
  const e = k.let("e", { kind: "convert", operand: exponent, type: f.type });
  const s = k.let("s", div(f, add(f, 2)));
  const z = k.let("z", mul(s, s));
  const tail = k.let("tail", mul(z, polynomial(z, [0.6666666865, 0.4000012279, 0.2855082154, 0.2333046794])));
  const square = k.let("square", mul(mul(f, f), 0.5));
  // log(1 + f) = f - (square - s (square + tail)), summed from the small end.
  const small = add(mul(s, add(square, tail)), mul(e, 1.428606765330187e-6));
  const value = k.let("value", sub(mul(e, 0.693145751953125), sub(sub(square, small), f)));
  const positive = select(compare("gt", x, 0), value, select(compare("eq", x, 0), constant(-Infinity, x.type), NaN));
  return select(compare("eq", x, Infinity), Infinity, positive);
}

/** sin(x + quarter * pi / 2). */
function sineAt(k: KernelBuilder, x: Expression, quarter: number): Expression {
  const n = k.let("n", rounded(mul(x, 2 / Math.PI)));
  const quadrant = k.let("quadrant", add(bitcast(add(n, magic), "i32"), quarter));
  // n = high + low with 12 and 8 bits; pi / 2 in three parts of 12 bits and a rest: all products but the last are exact.
  const high = k.let("high", mul(rounded(mul(n, 1 / 256)), 256));
  const low = k.let("low", sub(n, high));
  let r = x;
  for (const part of [1.57080078125, -4.453584551811218e-6, -8.706138032721356e-10]) {
    r = k.let("r", sub(sub(r, mul(high, part)), mul(low, part)));
  }
  r = k.let("r", sub(r, mul(n, 6.223371969669989e-14)));
  const z = k.let("z", mul(r, r));
  const sine = add(mul(mul(r, z), polynomial(z, [-0.1666666716, 0.008333331905, -0.0001984008704, 2.724992555e-6])), r);
  const cosines = [0.04166666791, -0.001388888806, 2.480059993e-5, -2.7300959e-7];
  const cosine = add(sub(mul(mul(z, z), polynomial(z, cosines)), mul(z, 0.5)), 1);
  const value = k.let("value", select(compare("ne", and(quadrant, 1), 0), cosine, sine));
  const sign = shl(and(quadrant, 2), 30);
  const signed = bitcast(
    { kind: "binary", op: "xor", left: bitcast(value, "i32"), right: sign, type: sign.type },
    "f32",
  );
  return select(compare("le", abs(x), 1.6e6), signed, NaN);
}

/** Near 0 an odd polynomial, else 1 - 2 / (e^2|x| + 1) with the sign of x. */
function tanh(k: KernelBuilder, x: Expression): Expression {
  const size = k.let("size", abs(x));
  const z = k.let("z", mul(x, x));
  const coefficients = [-0.3333333433, 0.1333330423, -0.0539592579, 0.02176891826, -0.008343945257, 0.002292744815];
  const near = k.let("near", add(mul(mul(x, z), polynomial(z, coefficients)), x));
  // Beyond 20 the result is 1 to the last bit.
  const power = expWithin(k, k.let("twice", select(compare("gt", size, 20), 40, mul(size, 2))));
  const far = k.let("far", sub(splat(1, x.type.lanes), div(constant(2, x.type), add(power, 1))));
  const sign = and(bitcast(x, "i32"), -0x80000000);
  const signed = bitcast(or(bitcast(far, "i32"), sign), "f32");
  return select(compare("lt", size, 0.625), near, signed);
}

const bodies: Readonly<Record<FunctionOp, (k: KernelBuilder, x: Expression) => Expression>> = {
  exp,
  log,
  sin: (k, x) => sineAt(k, x, 0),
  cos: (k, x) => sineAt(k, x, 1),
  tanh,
};

/** The body of `op` on f32 with that many lanes. */
export function functionBody(op: FunctionOp, lanes: number): FunctionBody {
  const k = new KernelBuilder(`${op}_${lanes}`, { doc: "" });
  const result = bodies[op](k, { kind: "get", name: "argument", type: registerType("f32", lanes) });
  return { parameter: "argument", body: k.finish().body, result };
}
