/** Few rows by quantized weights: activations become bytes in the block that needs them, four products to a word. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Program } from "../../compiler/2-graph/ir.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import { webgpu } from "../../compiler/targets/index.js";
import type { GpuDevice } from "../../runtime/webgpu/gpu.js";
import { compilePrograms } from "../../runtime/webgpu/programs.js";
import { compare, numbers, type CompareOptions } from "../schedule/compare.js";
import { activations, expertCall, gatedExperts, halves, held, product, scoresOf } from "../schedule/product-cases.js";
import { checkingDevice } from "../support/webgpu.js";
import { compareOnDawn, type Limit } from "../support/webgpu-machine.js";

type Format = "q8_0" | "q4_0";
/** As many rows as are few: no plan for many of them. */
const limits = { T: 4, context: 4 };

/**
 * n products of numbers up to 1 and 1/2. Sums of 8 bytes are exact; each is scaled with at most eight roundings of 2^-24
 * (the activation's own, a quotient that WGSL lets be off by 2.5 units, two products) and added, n / 8 of them in any
 * order, with a sum of at most n / 2.
 */
const bound = (n: number): number => (8 + n / 8) * (n / 2) * 2 ** -24;

/** What bytes lose: half of 1/127 of the largest in 32, and what the roundings before move (127 * 6 * 2^-24 < 2^-14). */
const rounded = (n: number): number => ((n / 2) * (0.5 + 2 ** -14)) / 127;

function plain(format: Format, columns: number, rows: number, isExact: boolean): CompareOptions {
  const x = (t: number): number[] => (isExact ? activations(t, t * columns) : numbers(t, t * columns));
  return {
    target: webgpu,
    calls: [1, 4, 0].map((t) => ({ inputs: { x: x(t) }, sizes: { T: t } })),
    params: (path, count) => (path === "w" ? held(format, 1, columns, rows, halves(3, count)) : halves(3, count)),
    options: { storage: (decl) => (decl.path === "b" ? "f32" : format), limits },
    tolerance: bound(columns) + 2 ** -23 + (isExact ? 0 : rounded(columns)),
  };
}

const programsOf = (program: Program, format: Format) => {
  const { kernels, plan } = schedule(program, webgpu, {
    limits,
    storage: (decl) => (decl.path === "b" ? "f32" : format),
  });
  return emitWgslPrograms(kernels, plan, webgpu);
};

/** A record less than a block of threads, four tiles to a block, and a row that comes in two parts. */
const shapes = [
  [96, 200],
  [64, 1032],
  [4160, 24],
] as const;
const cases = (["q8_0", "q4_0"] as const).flatMap((format) =>
  shapes.map(([columns, rows]) => [format, columns, rows] as const),
);

let checking: Awaited<ReturnType<typeof checkingDevice>>;
beforeAll(async () => {
  checking = await checkingDevice();
});

describe("products of bytes on WebGPU", () => {
  it.each(cases)("%s[%d, %d] on the interpreter", (format, columns, rows) => {
    for (const isExact of [true, false]) compare(product(columns, rows, true), plain(format, columns, rows, isExact));
  });

  it.for([
    ["q8_0", ...shapes[0], true],
    ["q8_0", ...shapes[0], false],
    ["q8_0", ...shapes[1], true],
    ["q4_0", ...shapes[2], true],
    ["q4_0", ...shapes[0], false],
  ] as const)("%s[%d, %d] on Dawn, products of packed bytes: %s", async (one, { skip }) => {
    const [format, columns, rows, packedDots] = one;
    const what = plain(format, columns, rows, packedDots);
    const limit: Limit = (support) => ({ ...support, packedDots: support.packedDots && packedDots });
    if (!(await compareOnDawn(product(columns, rows, true), what, "gpu", limit))) skip("no driver");
  });

  it.for(["q8_0", "q4_0"] as const)("%s experts: gate and up in one kernel", async (format, { skip }) => {
    const t = 3;
    const what: CompareOptions = {
      target: webgpu,
      calls: [t, 1].map((count) => expertCall(count, 64, scoresOf(t)["spread out"]!)),
      params: (path, count) => {
        const values = numbers(path.length, count).map((v) => Math.fround(v / 16));
        return path === "down" ? held(format, 5, 32, 64, values) : held(format, 5, 64, 32, values);
      },
      options: { storage: () => format, limits },
      // Gate and up are at most 4. Their product, at most 16, is off by twice 4 times the bound of each and becomes a
      // multiple of 1/127 of the largest of 32. 32 terms of up to 1/16, two experts with weights up to 2.
      tolerance: 4 * 32 * (1 / 16) * (2 * 4 * bound(64) + 16 / 254),
    };
    compare(gatedExperts(64, 32), what);
    if (!(await compareOnDawn(gatedExperts(64, 32), what, "gpu"))) skip("no driver");
  });

  it.for(["q8_0", "q4_0"] as const)("%s: accepted by Dawn with the feature and without", async (format, { skip }) => {
    const programs = programsOf(product(4160, 24, true), format);
    const ofBytes = programs.filter(({ code }) => code.includes("dot4I8Packed("));
    expect(ofBytes.map(({ kernel }) => kernel.replace(/_\d+$/, ""))).toEqual(["product"]);
    if (!checking) return skip("webgpu is not installed");
    for (const packedDots of [true, false]) {
      const compiled = await compilePrograms(checking as unknown as GpuDevice, programs, { features: [], packedDots });
      expect(compiled.size).toBe(programs.length);
    }
  });

  it("leaves what a processor computes as it was: floats, in a thread of its own", () => {
    const strips = programsOf(product(96, 200), "q8_0").filter(({ kernel }) => /strips/.test(kernel));
    expect(strips).not.toEqual([]);
    for (const { code } of strips) expect(code).not.toMatch(/dot4I8Packed|workgroupBarrier/);
  });
});
