/** Schedules with wide tiles: products with a formula, tied tables and experts, few rows and many, against the reference. */
import { describe, expect, it } from "vitest";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { x86v3, x86v4 } from "../../compiler/targets/index.js";
import { compare, numbers } from "../schedule/compare.js";
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
} from "../schedule/product-cases.js";
import { levels } from "../support/native.js";

const formats = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const satisfies readonly StorageType[];
// Schedules are compiled as bundles are, by libLLVM; `levels` says why where it is missing.
const cases = levels.flatMap((target) => formats.map((format) => ({ target, format, level: target.name })));

describe.each(cases)("$format weights on $level", ({ format, target }) => {
  it.each([
    { columns: 64, rows: 41, counts: [0, 1, 2, 3, 5, 17, 33], interpreter: true },
    { columns: 96, rows: 16, counts: [1, 4], interpreter: true },
    { columns: 544, rows: 200, counts: [1, 7, 130, 175], interpreter: false },
  ])(
    "multiply $columns columns, with a formula around the product",
    ({ columns, rows, counts, interpreter }) =>
      void compare(product(columns, rows, true), {
        calls: counts.map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
        params: (path, count) => (path === "w" ? held(format, 1, columns, rows, halves(3, count)) : halves(3, count)),
        options: { storage: (decl) => (decl.path === "w" ? format : "f32"), limits: { T: 175, context: 175 } },
        tolerance: rounding(columns),
        target,
        runners: interpreter ? ["native", "interpreter"] : ["native"],
      }),
  );

  it("read a tied table through the packing", () =>
    void compare(tied(43, 96), {
      calls: [{ inputs: { x: activations(4, 288), ids: [42, 0, -1] }, sizes: { T: 3 } }],
      params: () => tableOf(format, 43, 96),
      options: { storage: () => format },
      tolerance: rounding(96),
      target,
      runners: ["native"],
    }));
});

const t = 37;
const { "ties and NaN": _, ...scores } = scoresOf(t);

describe.each(levels)("experts on $name", (target) => {
  it.each(formats)("%s, one product for each expert", (format) => {
    for (const chosen of Object.values(scores)) {
      compare(expertProduct(96, 64), {
        calls: [t, 1, 0].map((count) => expertCall(count, 96, chosen)),
        params: (_, count) => held(format, 5, 96, 64, halves(8, count)),
        options: { storage: () => format, limits: { T: 64, context: 64 } },
        // Two experts with weights up to 2.
        tolerance: 4 * rounding(96),
        target,
        runners: ["native"],
      });
    }
  });

  it.each(Object.keys(scores))(
    "%s: gated",
    (name) =>
      void compare(gatedExperts(96, 64), {
        calls: [t, 3].map((count) => expertCall(count, 96, scores[name]!)),
        params: (path, count) => numbers(path.length, count).map((v) => Math.fround(v / 16)),
        options: { limits: { T: 64, context: 64 } },
        // Gate and up are at most 6 with errors of 96 * 6 * 2^-24; their product of at most 36 goes through 64 terms of 1/16.
        tolerance: 2 * 64 * (1 / 16) * 36 * 96 * 2 ** -22,
        target,
        runners: ["native"],
      }),
  );
});

describe.each([x86v4, x86v3])("layouts of $name", (target) => {
  it.each(formats)("%s matrices are wide", (format) => {
    const { plan } = schedule(product(96, 64), target, { limits: { T: 4, context: 4 }, storage: () => format });
    expect(plan.weights.map(({ layout }) => layout)).toEqual([
      format === "q8_0" ? "wide-q8" : format === "q4_0" ? "wide-q4" : "wide-panels",
    ]);
  });
});
