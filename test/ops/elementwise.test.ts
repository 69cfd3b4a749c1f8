import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { binaryRows } from "../../compiler/ops/elementwise-binary.js";
import { unaryRows } from "../../compiler/ops/elementwise-unary.js";
import { elementwiseOps } from "../../compiler/ops/elementwise.js";
import { erf, erfc, roundEven } from "../../compiler/ops/formulas.js";
import { floatMath, integerMath } from "./scalar-math.js";
import { numbers, run, tensor } from "./support.js";
import type { OpDef } from "../../compiler/ops/types.js";

const unary: Record<string, OpDef> = Object.fromEntries(
  Object.keys(unaryRows).map((name) => [name, elementwiseOps[name as keyof typeof unaryRows]]),
);
const binary: Record<string, OpDef> = Object.fromEntries(
  Object.keys(binaryRows).map((name) => [name, elementwiseOps[name as keyof typeof binaryRows]]),
);
const f32Unary = Object.keys(unary).filter((name) => unaryRows[name as keyof typeof unaryRows].operands[0] !== "bool");
const numeric = Object.keys(binary).filter(
  (name) => binaryRows[name as keyof typeof binaryRows].operands[0] !== "bool",
);

const epsilon = 2 ** -24; // half an ulp of 1 in f32

/**
 * |error| that a formula of f32 operations may have for an exact value: 2 ulp for each of about 8 operations, and the
 * least subnormal (2^-149) for each where the value is as small as that.
 */
const roundingOf = (value: number): number => 16 * 2 * epsilon * Math.abs(value) + 8 * 2 ** -149;

/** Absolute errors beyond rounding: the approximation of erf, and what is left of 1 - 1 where terms cancel. */
const absolute: Readonly<Record<string, (x: number) => number>> = {
  erf: () => 1.5e-7 + 4 * epsilon,
  gelu: (x) => (Math.abs(x) / 2) * (1.5e-7 + 6 * epsilon),
  // e^(-2u) has the relative error of its argument times the argument: |2u| * 4 eps, for |2u| up to 90 where it counts.
  gelu_tanh: (x) => 90 * 8 * epsilon * Math.abs(elementwise("gelu_tanh", x)) + 1e-37,
  sigmoid: (x) => 2 * epsilon * Math.abs(x) * elementwise("sigmoid", x) + 1e-37,
  silu: (x) => 2 * epsilon * Math.abs(x) * Math.abs(elementwise("silu", x)) + 1e-36,
  softplus: () => 1e-38,
  exp: () => 1e-44,
};

function elementwise(name: string, ...operands: number[]): number {
  const tensors = operands.map((value) => tensor("", [value]));
  return numbers(run(name as "exp", tensors))[0]!;
}

describe("elementwise formulas in f32 agree with the reference in doubles", () => {
  for (const name of f32Unary) {
    it(name, () => {
      const math = floatMath(Math.fround);
      fc.assert(
        fc.property(fc.float({ min: Math.fround(-1e4), max: Math.fround(1e4), noNaN: true }), (x) => {
          const exact = elementwise(name, x);
          const found = unary[name]!.scalar!(math, x);
          if (!Number.isFinite(exact) || Math.abs(exact) > 3.4e38) {
            expect(Object.is(found, Math.fround(exact))).toBe(true);
          } else {
            const bound = roundingOf(exact) + (absolute[name]?.(x) ?? 1e-44);
            expect(Math.abs(found - exact)).toBeLessThanOrEqual(bound);
          }
        }),
        { numRuns: 400 },
      );
    });
  }
  for (const name of numeric.filter((op) => op !== "pow" && op !== "mod")) {
    it(name, () => {
      const math = floatMath(Math.fround);
      fc.assert(
        fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
          const exact = elementwise(name, a, b);
          expect(binary[name]!.scalar!(math, a, b)).toBe(Math.fround(exact));
        }),
      );
    });
  }
  it("mod, where the quotient is exact in f32", () => {
    const math = floatMath(Math.fround);
    fc.assert(
      fc.property(
        fc.integer({ min: -4096, max: 4096 }),
        fc.integer({ min: 1, max: 64 }),
        fc.boolean(),
        (a, n, minus) => {
          const b = minus ? -n : n;
          // -0 and 0 are one remainder.
          expect(binary.mod!.scalar!(math, a, b) + 0).toBe(elementwise("mod", a, b) + 0);
        },
      ),
    );
  });
  it("pow, to the error of b * log|a|", () => {
    const math = floatMath(Math.fround);
    const base = fc.float({ min: Math.fround(0.01), max: 20, noNaN: true });
    fc.assert(
      fc.property(base, fc.float({ min: -6, max: 6, noNaN: true }), (a, b) => {
        const exact = elementwise("pow", a, b);
        // log rounds once, its product with b once: the exponent is off by 2 eps |b log a|, and exp rounds once.
        const bound = (4 * epsilon * Math.abs(b * Math.log(a)) + 4 * epsilon) * exact;
        expect(Math.abs(binary.pow!.scalar!(math, a, b) - exact)).toBeLessThanOrEqual(bound);
      }),
    );
    expect(binary.pow!.scalar!(math, -2, 3)).toBeCloseTo(-8, 5);
    expect(binary.pow!.scalar!(math, -2, 0.5)).toBeNaN();
    expect(binary.pow!.scalar!(math, 0, 0)).toBe(1);
    expect(binary.pow!.scalar!(math, 0, 2)).toBe(0);
  });
});

describe("ends of the range", () => {
  const limits: Readonly<Record<string, readonly [number, number]>> = {
    exp: [0, Infinity],
    tanh: [-1, 1],
    sigmoid: [0, 1],
    silu: [0, Infinity],
    gelu: [0, Infinity],
    gelu_tanh: [0, Infinity],
    erf: [-1, 1],
    relu: [0, Infinity],
    softplus: [0, Infinity],
    sign: [-1, 1],
    neg: [Infinity, -Infinity],
    reciprocal: [0, 0],
  };
  for (const [name, [low, high]] of Object.entries(limits)) {
    it(`${name} has its limits at the infinities, NaN only from NaN`, () => {
      for (const math of [floatMath((x) => x), floatMath(Math.fround)]) {
        const formula = (x: number): number => unary[name]!.scalar!(math, x);
        // + 0 makes -0 and 0 one value.
        expect(formula(-Infinity) + 0).toBe(low);
        expect(formula(Infinity) + 0).toBe(high);
        expect(formula(NaN)).toBeNaN();
        for (const x of [-3e38, -1e20, -5000, 5000, 1e20, 3e38]) expect(formula(x)).not.toBeNaN();
      }
      expect(elementwise(name, -Infinity) + 0).toBe(low);
      expect(elementwise(name, Infinity) + 0).toBe(high);
      expect(elementwise(name, NaN)).toBeNaN();
    });
  }
});

describe("integers", () => {
  const any = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
  for (const name of numeric.filter((op) => op !== "pow")) {
    it(`${name} wraps, never traps, and equals its formula`, () => {
      fc.assert(
        fc.property(any, any, (a, b) => {
          const [x, y] = [tensor("", [a], "i32"), tensor("", [b], "i32")];
          const exact = numbers(run(name as "add", [x, y]))[0]!;
          const op = binary[name]!;
          expect((op.scalarInteger ?? op.scalar!)(integerMath(), a, b) + 0).toBe(exact + 0);
        }),
      );
    });
  }
  it("defines division by zero and at the least integer", () => {
    const divide = (a: number, b: number): number =>
      numbers(run("div", [tensor("", [a], "i32"), tensor("", [b], "i32")]))[0]!;
    expect(divide(7, -2)).toBe(-3);
    expect(divide(5, 0)).toBe(0);
    expect(divide(-(2 ** 31), -1)).toBe(-(2 ** 31));
  });
});

describe("functions", () => {
  it("erf and erfc have the values of tables", () => {
    // Abramowitz & Stegun, table 7.1.
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(1)).toBeCloseTo(0.8427007929, 10);
    expect(erf(2)).toBeCloseTo(0.995322265, 10);
    expect(erfc(4) / 1.541725790028002e-8).toBeCloseTo(1, 12);
    expect(erf(-1)).toBe(-erf(1));
    // Both forms meet at 3.
    expect(Math.abs(erf(3 - 1e-12) - erf(3))).toBeLessThan(1e-14);
  });
  it("rounds half to even", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6].map((x) => roundEven(x) + 0)).toEqual([0, 2, 2, 0, -2, 2, -3]);
  });
  it("casts with saturation", () => {
    const cast = (x: number, to: string) => numbers(run("cast", [tensor("", [x])], { to }))[0]!;
    expect([2.9, -2.9, 3e9, -3e9, NaN].map((x) => cast(x, "i32"))).toEqual([2, -2, 2 ** 31 - 1, -(2 ** 31), 0]);
    expect([0, -0.5].map((x) => cast(x, "bool"))).toEqual([0, 1]);
    expect(numbers(run("cast", [tensor("", [16777217], "i32")], { to: "f32" }))).toEqual([16777216]);
  });
  it("aligns by name and broadcasts", () => {
    const sum = run("add", [tensor("T=2, D=2", [1, 2, 3, 4]), tensor("D=2, B=2", [10, 20, 30, 40])]);
    expect(sum.axes.map((axis) => axis.name)).toEqual(["T", "D", "B"]);
    expect(numbers(sum)).toEqual([11, 21, 32, 42, 13, 23, 34, 44]);
  });
  it("where does not look at the other side", () => {
    const condition = tensor("T=2", [1, 0], "bool");
    expect(numbers(run("where", [condition, tensor("T=2", [1, NaN]), tensor("", [7])]))).toEqual([1, 7]);
  });
});

it("docs/add-an-op.md names files that exist, two of them for an elementwise op", () => {
  const page = readFileSync("docs/add-an-op.md", "utf8");
  const elementwisePart = page.slice(page.indexOf("## Elementwise"), page.indexOf("## Other"));
  const files = [...elementwisePart.matchAll(/^\d\. `([^`]+)`/gm)].map((match) => match[1]!);
  for (const file of [...page.matchAll(/`((?:compiler|test|docs|scripts)\/[^`*]+\.(?:ts|md|mjs))`/g)]) {
    expect(() => readFileSync(file[1]!), file[1]).not.toThrow();
  }
  expect(files.filter((file) => !file.startsWith("test/")).length).toBeLessThanOrEqual(2);
  expect(files.length).toBeGreaterThan(0);
});
