/** A whole decoder, prefill and decode, with its caches. */
import { describe, it } from "vitest";
import { compare } from "./compare.js";
import { smallest, tinyMoe } from "./tiny.js";

const tokens = (seed: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (seed * 7 + i * 5) % 11);

describe("a decoder with experts", () => {
  it("agrees with the reference through prefill and decode", () => {
    compare(tinyMoe(smallest), {
      calls: [
        { inputs: { tokens: tokens(1, 5) }, sizes: { T: 5, past: 0 } },
        { inputs: { tokens: tokens(2, 1) }, sizes: { T: 1, past: 5 } },
        { inputs: { tokens: tokens(3, 17) }, sizes: { T: 17, past: 6 } },
        { inputs: { tokens: tokens(4, 1) }, sizes: { T: 1, past: 23 } },
      ],
      // Two layers of products over at most 24 terms and norms; values stay below 8.
      tolerance: 1e-4,
    });
  });
});
