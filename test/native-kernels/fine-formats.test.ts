/**
 * q4_K, q6_K and their like computed in their own blocks: products with few rows and many, tied tables and experts,
 * against the reference on the numbers that the blocks stand for. Activations are exact in 8 bits, so what differs is
 * rounding of sums.
 */
import { describe, expect, it } from "vitest";
import type { KQuants, Program } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { cuda, wasmSimd, webgpu, x86v3, x86v4, type Target } from "../../compiler/targets/index.js";
import { compare, type CompareOptions } from "../schedule/compare.js";
import { axis, f32, param, program } from "../schedule/programs.js";
import {
  activations,
  expertCall,
  expertProduct,
  halves,
  product,
  rounding,
  scoresOf,
} from "../schedule/product-cases.js";
import { compiled, runs } from "./runners.js";
import { levels } from "../support/native.js";
import { hotLoops } from "./assembly.js";
import { fineBlocks, fineFormats, turned } from "./fine-blocks.js";

/** The level that most machines have, and one whose products are sums of pairs. */
const tried = levels.filter((level) => level === x86v4 || level === x86v3);
const T = axis("T");

/** Compares a program whose parameters are named by their formats. */
function compareBlocks(
  own: Program,
  target: Target,
  what: Pick<CompareOptions, "calls" | "runners"> & {
    readonly axes: readonly string[];
    readonly columns: number;
    /** Where layers of several formats lie, instead of each in its own. */
    readonly storage?: "any_K";
    /** Numbers of the blocks in the order of the parameter. */
    readonly values?: (values: Float32Array) => number[];
  },
): void {
  const formats = own.params.filter(({ path }) => path !== "b").map(({ path }) => path as KQuants);
  const made = new Map(
    own.params.map(({ path, axes }) => {
      const count = axes.reduce((product, { size }) => product * size.constant!, 1);
      return [path, path === "b" ? undefined : fineBlocks(path as KQuants, count, formats.length)] as const;
    }),
  );
  compare(own, {
    calls: what.calls,
    params: (path, count) => {
      const blocks = made.get(path);
      return blocks ? (what.values?.(blocks.values) ?? [...blocks.values]) : halves(3, count);
    },
    blocks: (path) => {
      const bytes = made.get(path)?.bytes;
      return bytes && { storage: path as KQuants, axes: what.axes, bytes };
    },
    options: {
      storage: ({ path }) => (path === "b" ? "f32" : (what.storage ?? (path as KQuants))),
      limits: { T: 130, context: 130 },
    },
    tolerance: rounding(what.columns),
    target,
    runners: what.runners ?? ["native"],
  });
}

/** x w + b for each format. */
function products(formats: readonly KQuants[], columns: number, rows: number): Program {
  const [D, F] = [axis("D", columns), axis("F", rows)];
  return program({
    inputs: { x: f32(T, D) },
    params: [...formats.map((format) => param(format, [D, F])), param("b", [F])],
    build: (scope, [x], p) =>
      formats.map((format) => scope.one("add", [scope.one("contract", [x!, p(format)], { over: ["D"] }), p("b")])),
  });
}

const isShort = (format: KQuants): boolean => !format.endsWith("_K");

describe.each(tried)("finer formats on $name", (target) => {
  // Bytes with pairs differ by their bits alone.
  const own = target === x86v4 ? fineFormats : (["q4_K", "q6_K", "q5_1"] as const);
  it.each([
    { formats: own, columns: 256, rows: 17, counts: [0, 1, 5], isChecked: target === x86v4 },
    { formats: own, columns: 512, rows: 40, counts: [1, 2, 3, 7, 36] },
    { formats: own.filter(isShort), columns: 96, rows: 41, counts: [1, 6] },
    { formats: own.filter(isShort), columns: 544, rows: 16, counts: [1, 9] },
  ])("multiply $columns columns and $rows rows", ({ formats, columns, rows, counts, isChecked }) =>
    compareBlocks(products(formats, columns, rows), target, {
      ...{ columns, axes: ["F", "D"], ...(isChecked ? { runners: ["native", "interpreter"] } : {}) },
      calls: counts.map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
      values: (values) => turned(values, 1, rows, columns),
    }),
  );

  it("multiply layers of several formats", () => {
    const [columns, rows] = [512, 24];
    const made = products(["q4_K", "q5_K", "q6_K"], columns, rows);
    compareBlocks(made, target, {
      ...{ columns, axes: ["F", "D"], storage: "any_K" },
      calls: [1, 5].map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
      values: (values) => turned(values, 1, rows, columns),
    });
  });

  it("read tied tables through the packing, and tables that nothing multiplies", () => {
    const [L, V, D] = [axis("L", 2), axis("V", 43), axis("D", 256)];
    const ids = { kind: "tensor", dtype: "i32", axes: [T] } as const;
    const tied = program({
      inputs: { x: f32(T, D), ids },
      params: own.map((format) => param(format, [V, D])),
      build: (scope, [x, chosen], p) =>
        own.flatMap((format) => [
          scope.one("contract", [x!, p(format)], { over: ["D"] }),
          scope.one("gather", [p(format), chosen!], { axis: "V" }),
        ]),
    });
    const sizes = { T: 3 };
    const calls = [{ inputs: { x: activations(4, 3 * 256), ids: [42, 0, -1] }, sizes }];
    compareBlocks(tied, target, { calls, axes: ["V", "D"], columns: 256 });
    const tables = program({
      inputs: { ids },
      params: own.map((format) => param(format, [L, V, D])),
      build: (scope, [chosen], p) => own.map((format) => scope.one("gather", [p(format), chosen!], { axis: "V" })),
    });
    compareBlocks(tables, target, {
      calls: [{ inputs: { ids: [42, 7, 0] }, sizes }],
      axes: ["L", "V", "D"],
      columns: 0,
    });
  });

  it("are matrices of experts", () => {
    const [columns, rows, tokens] = [256, 17, 9];
    const { bytes, values } = fineBlocks("q6_K", 5 * rows * columns, 2);
    compare(expertProduct(columns, rows), {
      calls: Object.values(scoresOf(tokens)).flatMap((scores) =>
        [1, tokens].map((t) => expertCall(t, columns, scores)),
      ),
      params: () => turned(values, 5, rows, columns),
      blocks: () => ({ storage: "q6_K", axes: ["E", "F", "D"], bytes }),
      options: { storage: () => "q6_K" },
      tolerance: rounding(columns),
      target,
      runners: ["native"],
    });
  });
});

it.runIf(runs(x86v4))("products with q4_K stay in registers", { timeout: 60_000 }, async () => {
  const limits = { T: 64, context: 64 };
  const { kernels } = schedule(product(512, 64), x86v4, { limits, storage: () => "q4_K" });
  const { assembly } = await compiled(kernels, x86v4);
  const loops = hotLoops(await assembly(), kernels.at(-1)!.name, "vpdpbusd");
  // Two runs of eight words and four tiles a turn, for one row and for each group of many.
  const counts = loops.map((loop) => loop.count("vpdpbusd", "zmm"));
  for (const { rows, vectors } of x86v4.tiles!.fineTiles) expect(counts).toContain(rows * vectors * 2 * 8);
  for (const loop of loops) {
    expect(loop.spills, loop.text).toEqual([]);
    expect(loop.calls, loop.text).toEqual([]);
  }
});

it.each([wasmSimd, webgpu, cuda])("$name says that it has no kernels for them", (target) => {
  const limits = { T: 4, context: 4 };
  expect(() => schedule(product(256, 16), target, { limits, storage: () => "q4_K" })).toThrow(/stored as q4_K here/);
});
