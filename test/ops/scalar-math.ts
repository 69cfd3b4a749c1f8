/** ScalarMath on doubles, on f32 (every operation rounded) and on i32, to run the formulas that kernels are made of. */
import type { ScalarMath } from "../../compiler/ops/types.js";
import { roundEven } from "../../compiler/ops/formulas.js";

export function floatMath(round: (x: number) => number): ScalarMath<number> {
  const relations = {
    eq: (a: number, b: number) => a === b,
    ne: (a: number, b: number) => a !== b,
    lt: (a: number, b: number) => a < b,
    le: (a: number, b: number) => a <= b,
    gt: (a: number, b: number) => a > b,
    ge: (a: number, b: number) => a >= b,
  };
  return {
    constant: round,
    add: (a, b) => round(a + b),
    sub: (a, b) => round(a - b),
    mul: (a, b) => round(a * b),
    div: (a, b) => round(a / b),
    min: Math.min,
    max: Math.max,
    neg: (a) => -a,
    abs: Math.abs,
    floor: Math.floor,
    ceil: Math.ceil,
    round: roundEven,
    sqrt: (a) => round(Math.sqrt(a)),
    exp: (a) => round(Math.exp(a)),
    log: (a) => round(Math.log(a)),
    sin: (a) => round(Math.sin(a)),
    cos: (a) => round(Math.cos(a)),
    tanh: (a) => round(Math.tanh(a)),
    compare: (relation, a, b) => Number(relations[relation](a, b)),
    select: (condition, yes, no) => (condition !== 0 ? yes : no),
    and: (a, b) => a & b,
    or: (a, b) => a | b,
    not: (a) => 1 - a,
  };
}

/** Integer registers of 32 bits; a division that a target traps on throws. */
export function integerMath(): ScalarMath<number> {
  return {
    ...floatMath((x) => x),
    add: (a, b) => (a + b) | 0,
    sub: (a, b) => (a - b) | 0,
    mul: Math.imul,
    div: (a, b) => {
      if (b === 0 || (a === -(2 ** 31) && b === -1)) throw new Error(`trap: ${a} / ${b}`);
      return Math.trunc(a / b);
    },
    neg: (a) => -a | 0,
    abs: (a) => Math.abs(a) | 0,
  };
}
