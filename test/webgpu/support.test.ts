/** What a device may have beyond the least: kernels that use it are accepted, and give what those without it give. */
import { beforeAll, describe, expect, it } from "vitest";
import { schedule } from "../../compiler/4-schedule/index.js";
import { foldAlternatives, type WgslFeature } from "../../compiler/5-emit/wgsl/alternatives.js";
import { emitWgsl } from "../../compiler/5-emit/wgsl/index.js";
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { add, thread } from "../../compiler/4-schedule/kernel-expressions.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { webgpu } from "../../compiler/targets/index.js";
import { codeFor, leastSupport, supportOf, type Support } from "../../runtime/webgpu/support.js";
import type { GpuDevice } from "../../runtime/webgpu/gpu.js";
import { compilePrograms } from "../../runtime/webgpu/programs.js";
import { compare, type CompareOptions } from "../schedule/compare.js";
import { activations, halves, product } from "../schedule/product-cases.js";
import { checkingDevice, runningDevice, runWgsl, wgslProblems } from "../support/webgpu.js";
import { compareOnDawn } from "../support/webgpu-machine.js";

let checking: Awaited<ReturnType<typeof checkingDevice>>;
let running: Awaited<ReturnType<typeof runningDevice>>;
beforeAll(async () => {
  checking = await checkingDevice();
  running = await runningDevice();
});

const sets: readonly (readonly WgslFeature[])[] = [[], ["subgroups"], ["shader-f16"], ["shader-f16", "subgroups"]];

describe("what a device is opened with", () => {
  const adapter = (...names: string[]) => ({ features: new Set(names) }) as unknown as Parameters<typeof supportOf>[1];
  const gpu = (...names: string[]) =>
    ({ wgslLanguageFeatures: new Set(names) }) as unknown as Parameters<typeof supportOf>[0];

  it("is what its adapter and its WGSL have", () => {
    expect(supportOf(gpu(), adapter())).toEqual(leastSupport);
    expect(supportOf(gpu("subgroup_id"), adapter("shader-f16", "subgroups")).features.toSorted()).toEqual(sets[3]);
    expect(supportOf(gpu("packed_4x8_integer_dot_product"), adapter()).packedDots).toBe(true);
    // Threads that do not know the number of their subgroup have no place for what it brings.
    expect(supportOf(gpu(), adapter("subgroups")).features).toEqual([]);
  });
});

describe("weights of f16", () => {
  const shapes = [
    [96, 200],
    [100, 24],
  ] as const;
  const what = (columns: number): CompareOptions => ({
    target: webgpu,
    calls: [1, 9].map((t) => ({ inputs: { x: activations(t, t * columns) }, sizes: { T: t } })),
    // Multiples of 1/1024 up to 1/2 are exact in f16.
    params: (_, count) => halves(3, count).map((x) => Math.round(x * 1024) / 1024),
    options: { storage: ({ path }) => (path === "b" ? "f32" : "f16"), limits: { T: 9, context: 9 } },
    // Numbers up to 1 and 1/2: sums of so many products, none above half their number.
    tolerance: columns * (columns / 2) * 2 ** -24,
  });

  it.for(shapes)("[%d, %d]: are accepted with every set of features", async ([columns, rows], { skip }) => {
    const { options } = what(columns);
    const { kernels, plan } = schedule(product(columns, rows, true), webgpu, options as Parameters<typeof schedule>[2]);
    const programs = emitWgslPrograms(kernels, plan, webgpu);
    const all = programs.flatMap(({ code, alternatives }) => alternatives.map(({ plain }) => code.split(plain).length));
    expect(all.length).toBeGreaterThan(0);
    expect(new Set(all)).toEqual(new Set([2]));
    const typed = programs.map((one) => codeFor(one, { ...leastSupport, features: ["shader-f16"] }));
    expect(typed.some((code) => code.startsWith("enable f16;\n") && code.includes("array<f16>"))).toBe(true);
    if (!checking) return skip("webgpu is not installed");
    for (const features of sets) {
      const compiled = await compilePrograms(checking as unknown as GpuDevice, programs, {
        features,
        packedDots: true,
      });
      expect(compiled.size).toBe(programs.length);
    }
  });

  it.for(shapes)("[%d, %d]: are what they are without", async ([columns, rows], { skip }) => {
    compare(product(columns, rows, true), what(columns));
    if (!running?.support.features.includes("shader-f16")) return skip("no driver with shader-f16");
    await compareOnDawn(product(columns, rows, true), what(columns), "gpu");
  });
});

describe("folds by subgroups", () => {
  const threads = 96;
  const ops = ["add", "min", "max"] as const;
  const k = new KernelBuilder("folds", { doc: "folds of a line, twice", threads });
  const x = k.buffer("x", "f32", "read");
  const out = k.buffer("out", "f32", "write");
  // The second round writes where the first one's values were.
  for (let round = 0; round < 2; round++) {
    const own = k.let("own", k.load(x, add(thread, round * threads)));
    ops.forEach((op, i) => k.store(out, add(thread, (round * ops.length + i) * threads), k.fold("whole", op, own)));
  }
  const kernel = k.finish();
  const support: Support = { features: ["subgroups"], packedDots: true };
  const code = (plain: string): string => codeFor({ code: plain, alternatives: foldAlternatives(kernel) }, support);

  /** Small whole numbers, whose sums are exact in any order; and a line with what has rules of its own. */
  const lines = {
    "whole numbers": Array.from({ length: 2 * threads }, (_, i) => ((i * 37) % 101) - 50),
    "zeros and infinities": Array.from({ length: 2 * threads }, (_, i) => [0, -0, Infinity, 1][(i * 7) % 4]!),
    "a NaN": Array.from({ length: 2 * threads }, (_, i) => (i === 70 || i === 100 ? NaN : i - threads)),
  };

  it("take the place of those in shared memory", () => {
    expect(code(emitWgsl(kernel, webgpu))).toMatch(/^enable subgroups;\n[^]*subgroupAdd\(value\)/);
    expect(code(emitWgsl(kernel, webgpu))).not.toContain("moec_folded");
  });

  it.for(Object.entries(lines))("are those of the interpreter: %s", async ([, values], { skip }) => {
    const bytes = values.length * 4;
    const wanted = new Float32Array(2 * ops.length * threads);
    const memory = new ArrayBuffer(bytes + wanted.byteLength);
    new Float32Array(memory).set(values);
    makeInterpreter([kernel]).launch("folds", memory, [0, bytes], [], 0, 1);
    wanted.set(new Float32Array(memory, bytes));
    if (!checking) return skip("webgpu is not installed");
    expect(await wgslProblems(checking, code(emitWgsl(kernel, webgpu)))).toEqual([]);
    if (!running?.support.features.includes("subgroups")) return skip("no driver with subgroups");
    const data = [Float32Array.from(values), new Float32Array(wanted.length)];
    const [, found] = await runWgsl(running.device, kernel, data, [], 1, code);
    expect([...(found as Float32Array)]).toEqual([...wanted]);
  });
});
