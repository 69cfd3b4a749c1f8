/** Products by tensor cores, as schedules write them: played on the CPU and compared with the reference. */
import { describe, expect, it } from "vitest";
import type { Program } from "../../compiler/2-graph/ir.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { cuda } from "../../compiler/targets/index.js";
import { compare, numbers } from "../schedule/compare.js";
import { fixedAxes, Machine } from "../schedule/machine.js";
import { activations, expertCall, gatedExperts, halves, held, product, scoresOf } from "../schedule/product-cases.js";
import { hasCudaCpu } from "../support/cuda-cpu.js";

type Format = Parameters<typeof held>[0];
const target = cuda;
/** Half a minute alone; most of it is the C++ compiler. */
const timeout = 240_000;

function scheduled(program: Program, format: Format, rows: number) {
  return schedule(program, target, {
    limits: { T: rows, context: rows },
    storage: (decl) => (decl.path === "b" ? "f32" : format),
  });
}

/**
 * n products of numbers up to 1 and 1/2. Halves: x is off by 2^-22 of itself, and eight products at a time are added with
 * the sum so far, at most n / 2, each cut by 2^-23 of it and once more at the end. Bytes: x is exact by the choice of the
 * activations, sums of 32 too, and each is scaled and added with four roundings.
 */
const bound = (format: Format, n: number): number =>
  format[0] === "q"
    ? (n / 32) * 4 * (n / 2) * 2 ** -24
    : (n / 2) * 2 ** -22 + Math.ceil(n / 8) * 10 * (n / 2) * 2 ** -23;

describe.runIf(hasCudaCpu)("products by tensor cores", () => {
  const cases: readonly (readonly [Format, number, number])[] = [
    ["f16", 72, 24],
    ["bf16", 41, 200],
    ["q8_0", 96, 200],
    ["q4_0", 64, 24],
  ];
  it.each(cases)("%s[%d, %d]", { timeout }, (format, columns, rows) => {
    const program = product(columns, rows, true);
    const kernels = scheduled(program, format, 70).kernels.map(({ name }) => name.replace(/_\d+$/, ""));
    expect(kernels).toContain("product_matrix");
    // Two groups of rows, the second with six; one row behind a tile; too few for tensor cores.
    compare(program, {
      target,
      calls: [70, 17, 5, 4, 0].map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
      params: (path, count) => (path === "w" ? held(format, 1, columns, rows, halves(3, count)) : halves(3, count)),
      options: { storage: (decl) => (decl.path === "b" ? "f32" : format), limits: { T: 70, context: 70 } },
      tolerance: bound(format, columns) + 2 ** -23,
    });
  });

  it.each(["f16", "q4_0"] as const)("%s experts: gate and up in one kernel", { timeout }, (format) => {
    // Three tokens of ten have two of five experts each: not enough rows; forty have.
    const t = 40;
    const scores = scoresOf(t)["all to two experts"]!;
    compare(gatedExperts(64, 32), {
      target,
      calls: [t, 3].map((count) => expertCall(count, 64, scores)),
      params: (path, count) => {
        const values = numbers(path.length, count).map((v) => Math.fround(v / 16));
        return path === "down" ? held(format, 5, 32, 64, values) : held(format, 5, 64, 32, values);
      },
      options: { storage: () => format, limits: { T: t, context: t } },
      // Gate and up are at most 4. Their product, at most 16, is off by twice 4 times the bound of each; for bytes it
      // becomes a multiple of 1/127 of the largest of 32 first. 32 terms of up to 1/16, two experts with weights up to 2.
      tolerance: 4 * 32 * (1 / 16) * (2 * 4 * bound(format, 64) + (format === "q4_0" ? 16 / 254 : 0)),
    });
  });

  it.each(["f16", "bf16"] as const)("%s: rows of any size are as exact as others", { timeout }, (format) => {
    const [columns, rows, t] = [64, 32, 8];
    const program = product(columns, rows);
    const machine = new Machine(scheduled(program, format, t), target, "cuda");
    const [decl] = program.params as [(typeof program.params)[number]];
    const data = Float64Array.from(held(format, 1, columns, rows, halves(3, columns * rows)));
    const tensor: ReferenceTensor = { kind: "tensor", dtype: "f32", axes: fixedAxes(decl), data };
    machine.setParams(() => tensor);
    const x = numbers(4, t * columns);
    const entry = program.entries[0]!.name;
    const run = (input: readonly number[]): number[] => Object.values(machine.run(entry, { x: input }, { T: t }))[0]!;
    const plain = run(x);
    const powers = [0, 60, -60, 100, -80, 17, -1, 5].map((power) => 2 ** power);
    const scaled = run(x.map((value, i) => Math.fround(value * powers[Math.floor(i / columns)]!)));
    // Powers of two change no other bit of a row.
    expect(scaled).toEqual(plain.map((value, i) => value * powers[Math.floor(i / rows)]!));
    const wrong = run(x.map((value, i) => (i === 3 ? Infinity : i === columns ? NaN : value)));
    expect(wrong.slice(0, 2 * rows).some(Number.isFinite)).toBe(false);
    expect(wrong.slice(2 * rows)).toEqual(plain.slice(2 * rows));
  });
});

describe("on the interpreter", () => {
  it("kernels of tensor cores are sound, access by access", () => {
    for (const format of ["f16", "q8_0"] as const) {
      const made = scheduled(product(64, 40), format, 70);
      expect(() => makeInterpreter(made.kernels, { checked: true })).not.toThrow();
      const machine = new Machine(made, target, "interpreter");
      const data = Float64Array.from(held(format, 1, 64, 40, halves(3, 64 * 40)));
      machine.setParams(() => ({
        kind: "tensor",
        dtype: "f32",
        axes: [
          { name: "D", size: 64 },
          { name: "F", size: 40 },
        ],
        data,
      }));
      const x = activations(9, 70 * 64);
      const found = Object.values(machine.run("forward", { x }, { T: 70 }))[0]!;
      for (let i = 0; i < found.length; i += 13) {
        const [row, output] = [Math.floor(i / 40), i % 40];
        const want = Array.from({ length: 64 }, (_, k) => x[row * 64 + k]! * data[k * 40 + output]!).reduce(
          (a, b) => a + b,
        );
        expect(Math.abs(found[i]! - want)).toBeLessThanOrEqual(bound(format, 64));
      }
    }
  });
});
