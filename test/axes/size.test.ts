import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";

const names = ["D", "E", "H", "T", "past"] as const;

/** A random polynomial with its value under a random assignment, computed beside it in plain numbers. */
const leaf = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(...names));
type Tree = number | string | readonly ["+" | "-" | "*", Tree, Tree];
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(fc.constantFrom("+" as const, "-" as const, "*" as const), tie("tree"), tie("tree")),
  ),
}));
const values = fc.record(
  Object.fromEntries(names.map((name) => [name, fc.integer({ min: 1, max: 12 })])) as Record<
    (typeof names)[number],
    fc.Arbitrary<number>
  >,
);

function build(node: Tree): Size {
  if (typeof node !== "object") return Size.of(node);
  const [operator, left, right] = node;
  const a = build(left);
  const b = build(right);
  return operator === "+" ? a.plus(b) : operator === "-" ? a.minus(b) : a.times(b);
}

function compute(node: Tree, env: Record<string, number>): number {
  if (typeof node === "number") return node;
  if (typeof node === "string") return env[node]!;
  const [operator, left, right] = node;
  const a = compute(left, env);
  const b = compute(right, env);
  return operator === "+" ? a + b : operator === "-" ? a - b : a * b;
}

describe("Size", () => {
  it("computes what plain arithmetic computes", () => {
    fc.assert(
      fc.property(tree, values, (node, env) => {
        const expected = compute(node, env);
        fc.pre(Math.abs(expected) < 1e12);
        expect(build(node).evaluate(env)).toBe(expected === 0 ? 0 : expected);
      }),
    );
  });

  it("gives one text to one polynomial, and reads it back", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const x = build(a);
        const y = build(b);
        expect(x.plus(y).key).toBe(y.plus(x).key);
        expect(x.times(y).key).toBe(y.times(x).key);
        expect(x.minus(x).key).toBe("0");
        expect(Size.parse(x.key).key).toBe(x.key);
      }),
    );
  });

  it("divides exactly or not at all", () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const divisor = build(b);
        fc.pre(divisor.key !== "0");
        expect(build(a).times(divisor).dividedBy(divisor)?.key).toBe(build(a).key);
      }),
    );
    const sum = Size.of("D").times(Size.of(2)).plus(Size.of("T"));
    expect(sum.times(Size.of("D")).dividedBy(sum)?.key).toBe("D");
    expect(Size.of("D").dividedBy(Size.of("H"))).toBeUndefined();
    expect(Size.of("D").plus(Size.one).dividedBy(Size.of(2))).toBeUndefined();
    expect(Size.of("D").dividedBy(Size.zero)).toBeUndefined();
  });

  it("keeps roundings and bounds as atoms until their names are known", () => {
    const capacity = Size.of("T")
      .times(Size.of(5))
      .ceilDividedBy(Size.of("E").times(Size.of(4)));
    expect(capacity.key).toBe("ceil(5*T/(4*E))");
    expect(Size.of("T").ceilDividedBy(Size.of(2)).key).toBe("ceil(T/2)");
    expect(Size.of("T").plus(Size.of(3)).floorDividedBy(Size.of("H")).key).toBe("floor((T + 3)/H)");
    expect(Size.of("T").floorDividedBy(Size.of("H").plus(Size.one)).key).toBe("floor(T/(H + 1))");
    expect(Size.of("T").floorDividedBy(Size.of("H").power(2)).key).toBe("floor(T/(H^2))");
    expect(Size.parse(capacity.key).key).toBe(capacity.key);
    expect(capacity.evaluate({ T: 17, E: 8 })).toBe(Math.ceil((17 * 5) / 32));
    expect(Size.of("T").min(Size.of("E")).evaluate({ T: 3, E: 8 })).toBe(3);
    expect(Size.of("T").plus(Size.of(2)).max(Size.of("T")).key).toBe("T + 2");
    expect(Size.of("T").times(Size.of(8)).floorDividedBy(Size.of(8)).key).toBe("T");
  });

  it("renames every name of a product of sums", () => {
    const size = Size.of("D").plus(Size.of("H")).power(2);
    const renamed = size.substitute(new Map([["D", Size.of("H")]]));
    expect(renamed.key).toBe("4*H^2");
  });

  it("refuses what is not a size", () => {
    for (const text of ["", "D +", "2 D", "ceil(T)", "sqrt(D)", "D/E", "(D", "D)"]) {
      expect(() => Size.parse(text), text).toThrow(RangeError);
    }
    expect(() => Size.of(0.5)).toThrow(RangeError);
    expect(() => Size.of("T").evaluate({})).toThrow(/needs a value for T/);
  });
});
