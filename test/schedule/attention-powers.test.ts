/** The weights of keys: those of `exp`, and never a number so small that processors take long over it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { block, exp } from "../../compiler/4-schedule/kernel-expressions.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { weightOfKey } from "../../compiler/4-schedule/lower/attention-powers.js";

const k = new KernelBuilder("weight", { doc: "y = [weight of x, e^x]" });
const x = k.buffer("x", "f32", "read");
const [weights, powers] = [k.buffer("weights", "f32", "write"), k.buffer("powers", "f32", "write")];
k.store(weights, block, weightOfKey(k, k.load(x, block)));
k.store(powers, block, exp(k.load(x, block)));
const interpreter = makeInterpreter([k.finish()]);

function both(difference: number): { readonly weight: number; readonly power: number } {
  const memory = new ArrayBuffer(12);
  new Float32Array(memory)[0] = difference;
  interpreter.launch("weight", memory, [0, 4, 8], [], 0, 1);
  const [, weight, power] = new Float32Array(memory) as unknown as [number, number, number];
  return { weight, power };
}

describe("weights of keys", () => {
  it("are powers of e, or 0 where those are less than 2^-115", () => {
    fc.assert(
      fc.property(fc.float({ min: -200, max: 0, noNaN: true }), (difference) => {
        const { weight, power } = both(difference);
        if (weight === 0) expect(power).toBeLessThan(2 ** -115);
        else {
          expect(weight).toBe(power);
          expect(weight).toBeGreaterThan(2 ** -116);
        }
      }),
    );
  });

  it("are 0 for masked keys, and what is no number stays none", () => {
    expect(both(-Infinity).weight).toBe(0);
    expect(both(Number.NaN).weight).toBeNaN();
  });
});
