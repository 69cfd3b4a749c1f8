/**
 * The example model on WebGPU by a software driver: greedy text equals the reference, block formats equal the
 * interpreter's numbers on the same kernels. Skips with a printed reason where Dawn or a driver is missing.
 */
import { describe, expect, it } from "vitest";
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import { webgpu } from "../../compiler/targets/index.js";
import { makeWebGpuDevice, type WebGpuParts } from "../../runtime/webgpu/device.js";
import type { GenerationStep } from "../../runtime/generate/generate.js";
import type { GpuDevice } from "../../runtime/webgpu/gpu.js";
import { compilePrograms } from "../../runtime/webgpu/programs.js";
import { expectLogits } from "../support/logits.js";
import { checkingDevice, runningDevice } from "../support/webgpu.js";
import { gpuModel } from "../support/webgpu-model.js";
import { reference, tinyProgram, tinySchedule } from "./tiny-moe.js";

const checking = await checkingDevice();
const running = await runningDevice();
/** A device of its own for each model, which destroys it. */
async function fresh(): Promise<Pick<WebGpuParts, "device" | "name" | "isSoftware" | "support">> {
  const { device, ...rest } = (await runningDevice())!;
  return { device: device as unknown as GpuDevice, ...rest, isSoftware: true };
}

const COUNT = 12;

describe.skipIf(!checking)("the kernels of the example for WebGPU", () => {
  it.each(["f32", "f16", "q8_0", "q4_0"] as const)("are valid WGSL with %s weights", async (storage) => {
    const { kernels, plan } = tinySchedule(tinyProgram(), storage, webgpu);
    const programs = emitWgslPrograms(kernels, plan, webgpu);
    expect(programs.length).toBeGreaterThan(10);
    const compiled = await compilePrograms(checking as unknown as GpuDevice, programs);
    expect(compiled.size).toBe(programs.length);
  });
});

describe.skipIf(!running)("the example on WebGPU", () => {
  it.each(["f32", "f16"] as const)("writes the reference's text with %s weights", async (storage) => {
    const model = await gpuModel(storage, await fresh());
    const { prompt_ids, ids } = reference.greedy[0]!;
    const chosen: number[] = [];
    const text = model.generate(prompt_ids, {
      temperature: 0,
      maxTokens: COUNT,
      onStep: (step) => chosen.push(step.chosen),
    });
    for await (const _ of text);
    expect(chosen).toEqual(ids.slice(0, COUNT));
    model.dispose();
  });

  it("goes on with two texts in one call as with each alone", async () => {
    const model = await gpuModel("f16", { ...(await fresh()), texts: 2 });
    const shared: number[] = [];
    const texts = reference.greedy.slice(0, 2).map(async ({ prompt_ids }, text) => {
      const chosen: number[] = [];
      const onStep = (step: GenerationStep): void => {
        chosen.push(step.chosen);
        shared.push(step.texts);
      };
      for await (const _ of model.generate(prompt_ids, { text, temperature: 0, maxTokens: COUNT, onStep }));
      return chosen;
    });
    expect(await Promise.all(texts)).toEqual(reference.greedy.slice(0, 2).map(({ ids }) => ids.slice(0, COUNT)));
    // The prompts take turns, and the first text may be a step ahead of the second; all others are of both.
    expect(shared.filter((count) => count === 2).length).toBeGreaterThanOrEqual(2 * (COUNT - 2));
    model.dispose();
  });

  it.each(["q8_0", "q4_0"] as const)("gives the interpreter's logits with %s weights", async (storage) => {
    const tokens = reference.greedy[1]!.prompt_ids;
    const [gpu, plain] = [await gpuModel(storage, await fresh()), await gpuModel(storage)];
    await expectLogits(gpu, plain, tokens);
    gpu.dispose();
    plain.dispose();
  });

  it("spreads weights over several buffers where one may not hold them", async () => {
    const { device } = await fresh();
    const limits = { maxStorageBufferBindingSize: 2.5 * 2 ** 20, maxBufferSize: 2 ** 30 };
    const small = new Proxy(device, {
      get: (target, key) => {
        if (key === "limits") return { ...limits, maxComputeWorkgroupsPerDimension: 65535 };
        const value = Reflect.get(target, key) as unknown;
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    const { prompt_ids, ids } = reference.greedy[0]!;
    const model = await gpuModel("f16", { device: small, name: "small", isSoftware: true });
    const { outputs } = await model.call("forward", { tokens: prompt_ids });
    const logits = Object.values(outputs)[0]!.data.subarray(-2048);
    expect(logits.indexOf(Math.max(...logits))).toBe(ids[0]);
    model.dispose();
  });

  it("refuses by code what no split makes fit", async () => {
    const { kernels, plan } = tinySchedule(tinyProgram(), "f32", webgpu);
    const limits = {
      maxStorageBufferBindingSize: 2 ** 16,
      maxBufferSize: 2 ** 16,
      maxComputeWorkgroupsPerDimension: 1,
    };
    const device = { limits } as unknown as GpuDevice;
    const programs = emitWgslPrograms(kernels, plan, webgpu);
    await expect(makeWebGpuDevice({ plan, programs, device, name: "tiny" })).rejects.toEqual(
      expect.objectContaining({ code: "MOE4311" }),
    );
  });
});
