/** One MoE layer for WebGPU: how many dispatches it takes, and what Dawn says of its kernels. */
import { beforeAll, describe, expect, it } from "vitest";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import { webgpu } from "../../compiler/targets/index.js";
import { diskHost } from "../../cli/source-host.js";
import { flattenEntry } from "../../runtime/plan/launches.js";
import type { GpuDevice } from "../../runtime/webgpu/gpu.js";
import { compilePrograms } from "../../runtime/webgpu/programs.js";
import { checkingDevice } from "../support/webgpu.js";

const project = check("bench/layer/layer.moe", diskHost(process.cwd()));
const layer = (storage: StorageType) => {
  const program = optimize(buildProgram(project, { sizes: { D: 128, F: 64, E: 8 } }));
  return schedule(program, webgpu, { limits: { T: 128, context: 128 }, storage: () => storage });
};
const bases = { weights: 0, state: 0, arena: 0, io: 0 };

let checking: Awaited<ReturnType<typeof checkingDevice>>;
beforeAll(async () => {
  checking = await checkingDevice();
});

describe.each(["f32", "f16", "q8_0", "q4_0"] as const)("an MoE layer with %s weights", (storage) => {
  const { kernels, plan } = layer(storage);

  it.each(["gpu", "cpu"] as const)("decodes in at most five dispatches (%s)", (on) => {
    const launches = flattenEntry(plan, plan.entries[0]!, bases, { on });
    const dispatched = launches.filter(({ grid }) => grid.evaluate({ T: 1, past: 0 }) > 0);
    expect(dispatched.map(({ kernel }) => kernel).length).toBeLessThanOrEqual(5);
    // Whatever the number of tokens, the two ways to write a value do not both run.
    const many = launches.filter(({ grid }) => grid.evaluate({ T: 128, past: 0 }) > 0);
    expect(many.length).toBeLessThanOrEqual(6);
  });

  it("has blocks of 64 threads and more where threads meet at little cost", () => {
    const threads = new Map(kernels.map((kernel) => [kernel.name, kernel.threads]));
    const products = flattenEntry(plan, plan.entries[0]!, bases, { on: "gpu" }).filter(({ kernel }) =>
      /product/.test(kernel),
    );
    expect(products.length).toBeGreaterThanOrEqual(5);
    for (const { kernel } of products) expect(threads.get(kernel)).toBe(64);
  });

  it("is sound, and valid WGSL", async ({ skip }) => {
    expect(verifyKernels(kernels)).toEqual([]);
    if (!checking) return skip("webgpu is not installed");
    const programs = emitWgslPrograms(kernels, plan, webgpu);
    const compiled = await compilePrograms(checking as unknown as GpuDevice, programs);
    expect(compiled.size).toBe(programs.length);
  });
});
