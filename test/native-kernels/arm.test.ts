/**
 * Tiles for 64-bit ARM, run by qemu: products of bytes and of floats against doubles and the reference, and their inner
 * loops in LLVM's code.
 */
import { describe, expect, it } from "vitest";
import type { KQuants, StorageType } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { arm64Dot, x86v3 } from "../../compiler/targets/index.js";
import { compare } from "../schedule/compare.js";
import {
  activations,
  expertCall,
  expertProduct,
  halves,
  held,
  product,
  rounding,
  scoresOf,
  tableOf,
  tied,
} from "../schedule/product-cases.js";
import { haveTools } from "../support/compiled.js";
import { hotLoops, type Loop } from "./assembly.js";
import { fineBlocks, turned } from "./fine-blocks.js";
import { compiled, interpreted, runs } from "./runners.js";
import { check, formats, kernelsOf, shapes } from "./wide-cases.js";

const target = arm64Dot;
const { floatRows, floatVectors, byteTiles } = target.tiles!;
const byteVectors = byteTiles[0]!.vectors;

/** Vectors that a loop loads. */
const loaded = (loop: Loop): number =>
  ["ldr", "ldur"].reduce((sum, load) => sum + loop.count(load, "\tq"), 0) + 2 * loop.count("ldp", "\tq");

function expectInRegisters(loops: readonly Loop[]): void {
  for (const loop of loops) {
    expect(loop.spills, loop.text).toEqual([]);
    expect(loop.calls, loop.text).toEqual([]);
  }
}

/** One tile and one record, both filled up; and a pass of several records with a part of one. */
const tried = [shapes[1], shapes[3]];
const bytes = tried.flatMap((shape) => kernelsOf(shape, target));
const program = memo(() => compiled(bytes, target));

function memo<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

describe("products of bytes", () => {
  it("are sound kernels, and right on the interpreter", () => {
    expect(verifyKernels(bytes)).toEqual([]);
    check(interpreted(kernelsOf(tried[0]!, target)), tried[0]!, [0, 1, 7]);
  });

  it.runIf(runs(target))("are right", { timeout: 120_000 }, async () => {
    const { run } = await program();
    check(run, tried[0]!, [0, 2, 17, 129]);
    check(run, tried[1]!, [1, 3, 7]);
  });

  it.runIf(runs(target) && haveTools("llc-14"))(
    "take lanes of activations and stay in registers",
    { timeout: 60_000 },
    async () => {
      const text = await (await program()).assembly();
      for (const format of formats) {
        const many = hotLoops(text, `many_${format}_544`, "sdot", "aarch64");
        const few = hotLoops(text, `few_${format}_544`, "sdot", "aarch64");
        // Two halves of eight words.
        const products = many.map((loop) => loop.count("sdot", ".4b["));
        for (const { rows, vectors } of byteTiles) expect(products).toContain(rows * vectors * 2 * 8);
        for (const loop of [...many, ...few]) expect(loop.count("sdot", ".4b[")).toBe(loop.count("sdot", ""));
        for (const loop of many) {
          const rows = loop.count("sdot", "") / (byteVectors * 2 * 8);
          // The weights of 16 words and the scales of both halves, and four vectors of each row: 52 loads for 128 products.
          expect(loaded(loop)).toBe(byteVectors * (16 + 2) + 4 * rows);
        }
        for (const loop of few) {
          const rows = loop.count("sdot", "") / (4 * 4);
          // Half of a half record: each vector of weights once, and four words of each row.
          expect(loaded(loop)).toBe((format === "q8_0" ? 16 : 8) + rows);
        }
        expectInRegisters([...many, ...few]);
      }
    },
  );
});

it.runIf(runs(target) && haveTools("llc-14"))("sums of floats stay in registers", { timeout: 60_000 }, async () => {
  const options = { limits: { T: 16, context: 16 }, storage: (): StorageType => "f32" };
  const { kernels } = schedule(product(512, 64), target, options);
  const { assembly } = await compiled(kernels, target);
  const loops = hotLoops(await assembly(), kernels.at(-1)!.name, "fmla", "aarch64");
  // Four columns a turn, which are the lanes of a vector.
  const products = loops.map((loop) => loop.count("fmla", ".s["));
  for (let rows = floatRows; rows >= 1; rows--) expect(products).toContain(rows * floatVectors * 4);
  for (const loop of loops) {
    const rows = loop.count("fmla", "") / (floatVectors * 4);
    expect(loaded(loop)).toBe(floatVectors * 4 + rows);
  }
  expectInRegisters(loops);
});

describe.runIf(runs(target))("schedules", { timeout: 120_000 }, () => {
  const limits = { T: 64, context: 64 };

  it.each(["f32", "f16", "q8_0", "q4_0"] as const)("multiply %s weights and read a tied table", (format) => {
    const columns = 96;
    compare(tied(43, columns), {
      calls: [0, 1, 3, 11].map((count) => ({
        inputs: { x: activations(4, count * columns), ids: Array.from({ length: count }, (_, i) => 42 - i) },
        sizes: { T: count },
      })),
      params: () => tableOf(format, 43, columns),
      options: { storage: () => format, limits },
      tolerance: rounding(columns),
      target,
      runners: ["native"],
    });
  });

  it("multiply experts, all rows with one of them and none with others", () => {
    const [format, columns, rows, t] = ["q4_0", 64, 33, 9] as const;
    compare(expertProduct(columns, rows), {
      calls: Object.values(scoresOf(t)).map((scores) => expertCall(t, columns, scores)),
      params: (_, count) => held(format, 5, columns, rows, halves(8, count)),
      options: { storage: () => format, limits },
      // Two experts with weights up to 2.
      tolerance: 4 * rounding(columns),
      target,
      runners: ["native"],
    });
  });

  // A minimum and small scales; two scales of a run; a minimum and no small scales.
  it.each(["q4_K", "q6_K", "q5_1"] as const satisfies readonly KQuants[])("multiply %s weights", (format) => {
    const [columns, rows] = [512, 17];
    const blocks = fineBlocks(format, rows * columns, 5);
    compare(product(columns, rows), {
      calls: [1, 7].map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
      params: () => turned(blocks.values, 1, rows, columns),
      blocks: () => ({ storage: format, axes: ["F", "D"], bytes: blocks.bytes }),
      options: { storage: () => format, limits },
      tolerance: rounding(columns),
      target,
      runners: ["native"],
    });
  });
});

it("layouts are those of other levels, so that a bundle holds one copy of its weights", () => {
  for (const format of ["f32", "f16", "q8_0", "q4_0"] as const) {
    const [own, other] = [target, x86v3].map((level) =>
      schedule(product(96, 64), level, { limits: { T: 4, context: 4 }, storage: () => format }),
    );
    expect(own!.plan.weights).toEqual(other!.plan.weights);
  }
});
