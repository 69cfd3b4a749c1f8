/** Products with packed weights in every format, plain and by experts, few rows and many. */
import { describe, it } from "vitest";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { wasmQuads } from "../../compiler/targets/index.js";
import { hasQuads } from "../support/quads.js";
import { compare, numbers, type CompareOptions } from "./compare.js";
import type { Runner } from "./machine.js";
import {
  activations,
  expertCall,
  expertProduct,
  gatedExperts,
  halves,
  held,
  product,
  rounding,
  scoresOf,
  tableOf,
  tied,
} from "./product-cases.js";

/** Where sums of four products of bytes are exact, engines read bytes one way or the other. */
const exact: readonly Runner[] = ["interpreter", "unsigned", ...(hasQuads() ? (["wasm"] as const) : [])];

const quads = { target: wasmQuads, runners: exact };
const formats: readonly (readonly [StorageType, string, Pick<CompareOptions, "target" | "runners">])[] = [
  ["f32", "", {}],
  ["f16", "", {}],
  ["q8_0", "", {}],
  ["q4_0", "", {}],
  ["q8_0", " by exact sums of four", quads],
  ["q4_0", " by exact sums of four", quads],
];

describe.each(formats)("%s weights%s", (format, _, target) => {
  it("multiplies, with a formula around the product", () =>
    void compare(product(64, 41, true), {
      calls: [0, 1, 2, 3, 17].map((t) => ({ inputs: { x: activations(t, t * 64) }, sizes: { T: t } })),
      params: (path, count) => (path === "w" ? held(format, 1, 64, 41, halves(3, count)) : halves(3, count)),
      options: { storage: (decl) => (decl.path === "w" ? format : "f32") },
      ...target,
      tolerance: rounding(64),
    }));

  // 320 columns are two passes of floats; 61 and 65 rows are more than the sums of one part.
  // Passes have at most 1024 columns, and parts 60 rows.
  it("multiplies rows by twos, over passes of columns and parts of rows", () =>
    void compare(product(1056, 19), {
      calls: [4, 5, 61].map((t) => ({ inputs: { x: activations(t, t * 1056) }, sizes: { T: t } })),
      params: (_, count) => held(format, 1, 1056, 19, halves(3, count)),
      options: { storage: () => format, limits: { T: 61, context: 61 } },
      ...target,
      tolerance: rounding(1056),
    }));

  // Three tiles come together where the format likes it, and the fourth alone; 288 columns are two passes of such a run.
  it("multiplies rows by threes, by runs of tiles", () =>
    void compare(product(288, 53), {
      calls: [4, 8, 61].map((t) => ({ inputs: { x: activations(t, t * 288) }, sizes: { T: t } })),
      params: (_, count) => held(format, 1, 288, 53, halves(3, count)),
      options: { storage: () => format, limits: { T: 61, context: 61 } },
      ...target,
      tolerance: rounding(288),
    }));

  it("reads a tied table through the packing", () =>
    void compare(tied(23, 32), {
      calls: [{ inputs: { x: activations(4, 96), ids: [22, 0, -1] }, sizes: { T: 3 } }],
      params: () => tableOf(format, 23, 32),
      options: { storage: () => format },
      ...target,
      tolerance: rounding(32),
    }));
});

const t = 17;
const scores = scoresOf(t);

describe("experts", () => {
  it.each(formats.flatMap((one) => Object.keys(scores).map((name) => [one[0] + one[1], name, one] as const)))(
    "%s, %s: one product for each expert",
    (_, name, [format, , target]) =>
      void compare(expertProduct(64, 20), {
        calls: [t, 1, 0].map((count) => expertCall(count, 64, scores[name]!)),
        params: (__, count) => held(format, 5, 64, 20, halves(8, count)),
        options: { storage: () => format },
        ...target,
        // Two experts with weights up to 2.
        tolerance: 4 * rounding(64),
      }),
  );

  it.each(Object.keys(scores))(
    "%s: gated experts",
    (name) =>
      void compare(gatedExperts(64, 20), {
        calls: [t, 3].map((count) => expertCall(count, 64, scores[name]!)),
        params: (path, count) => numbers(path.length, count).map((v) => Math.fround(v / 16)),
        // Gate and up are at most 4 with errors of 64 * 4 * 2^-24; their product of at most 16 goes through 20 terms of 1/16.
        tolerance: 2 * 20 * (1 / 16) * 16 * 64 * 2 ** -22,
      }),
  );
});
