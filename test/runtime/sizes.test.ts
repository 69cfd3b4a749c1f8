import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Size } from "../../compiler/axes/size.js";
import { compileSize } from "../../runtime/plan/sizes.js";

const names = ["T", "past", "layer"];
const leaf = fc.oneof(
  fc.integer({ min: -20, max: 20 }).map((value) => Size.of(value)),
  fc.constantFrom(...names).map((name) => Size.of(name)),
);
const { size } = fc.letrec<{ size: Size }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.plus(b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.minus(b)),
    fc.tuple(tie("size"), leaf).map(([a, b]) => a.times(b)),
    fc.tuple(tie("size"), fc.integer({ min: 1, max: 9 })).map(([a, b]) => a.ceilDividedBy(Size.of(b))),
    fc.tuple(tie("size"), fc.integer({ min: 1, max: 9 })).map(([a, b]) => a.floorDividedBy(Size.of(b))),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.min(b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => a.max(b)),
  ),
}));

describe("compiled sizes", () => {
  it("have the values of the sizes that were printed", () => {
    const values = fc.record({ T: fc.nat(50), past: fc.nat(50), layer: fc.nat(5) });
    fc.assert(
      fc.property(size, values, (exact, numbers) => {
        const text = exact.toString();
        // A negative zero and a zero are the same number of bytes.
        const expected = exact.evaluate(numbers) + 0;
        expect(compileSize(text).evaluate(numbers) + 0).toBe(expected);
        expect(compileSize(text, numbers).constant! + 0).toBe(expected);
      }),
    );
  });

  it("know when they depend on nothing", () => {
    expect(compileSize("4*(2 + 1)").constant).toBe(12);
    expect(compileSize("T").constant).toBeUndefined();
    expect(compileSize("64*layer + T", { layer: 3 }).evaluate({ T: 1 })).toBe(193);
  });

  it.each(["", "T +", "2 $ 3", "(T", "ceil(T,2)", "nothing(T,2)", "T T"])("refuse %j", (text) => {
    expect(() => compileSize(text)).toThrow(RangeError);
  });

  it("say which value is missing", () => {
    expect(() => compileSize("past + T").evaluate({ T: 1 })).toThrow("past");
  });
});
