/** The kernels of the seams as WGSL: checked by Dawn, and run where a driver is found. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { block } from "../../compiler/4-schedule/kernel-expressions.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { emitWgsl } from "../../compiler/5-emit/wgsl/index.js";
import { codeFor, leastSupport } from "../../runtime/webgpu/support.js";
import { webgpu } from "../../compiler/targets/index.js";
import { addresses, difference, fill, memorySize } from "../kernels/memory.js";
import { bufferLength, bufferTypes, randomKernel } from "../kernels/random-kernel.js";
import { memoryBytes } from "../../compiler/4-schedule/kernel-types.js";
import { checkingDevice, runningDevice, runWgsl, wgslProblems } from "../support/webgpu.js";
import { disagreement, mistakes } from "./case.js";
import { seamCases } from "./cases.js";
import { interpreted } from "./interpreted.js";

const seed = 20262;
const cases = seamCases({ threads: 64, lanes: 1 });
const tape = fc.array(fc.nat(1 << 20), { minLength: 40, maxLength: 300 });
const randomKernels = (count: number, fma: boolean): ReturnType<typeof randomKernel>[] =>
  fc.sample(tape, { seed, numRuns: count }).map((numbers) => randomKernel(numbers, { fma, vectors: true }));

let checking: Awaited<ReturnType<typeof checkingDevice>>;
let running: Awaited<ReturnType<typeof runningDevice>>;
beforeAll(async () => {
  checking = await checkingDevice();
  running = await runningDevice();
});

describe("WGSL", () => {
  it("is accepted by Dawn", async ({ skip }) => {
    if (!checking) return skip("webgpu is not installed");
    for (const { kernel } of cases) {
      const code = emitWgsl(kernel, webgpu);
      expect(await wgslProblems(checking, code), code).toEqual([]);
    }
  });

  it("of random kernels is accepted by Dawn", async ({ skip }) => {
    if (!checking) return skip("webgpu is not installed");
    for (const kernel of randomKernels(60, true)) {
      const code = emitWgsl(kernel, webgpu);
      expect(await wgslProblems(checking, code), `seed ${seed}`).toEqual([]);
    }
  });

  it("gives the references and the interpreter's results on a driver", async ({ skip }) => {
    if (!running) return skip("no driver");
    const wrong: string[] = [];
    for (const seam of cases) {
      const found = await runWgsl(running.device, seam.kernel, seam.buffers, seam.scalars, seam.blocks);
      wrong.push(...mistakes(seam, found), ...disagreement(seam, found, interpreted(seam)));
    }
    expect(wrong, running.name).toEqual([]);
  });

  it("of random kernels gives the interpreter's bits on a driver", async ({ skip }) => {
    if (!running) return skip("no driver");
    const wrong: string[] = [];
    for (const [i, kernel] of randomKernels(24, false).entries()) {
      const [found, wanted] = [new ArrayBuffer(memorySize), new ArrayBuffer(memorySize)];
      for (const memory of [found, wanted]) fill(memory, seed + i);
      makeInterpreter([kernel]).launch("random", wanted, addresses, [i % 5, 1.5], 0, 1);
      const views = bufferTypes.map((type, b) => new Uint8Array(found, addresses[b], bufferLength * memoryBytes[type]));
      const results = await runWgsl(running.device, kernel, views, [i % 5, { f32: 1.5 }], 1);
      results.forEach((result, b) => views[b]!.set(result));
      const differs = difference(found, wanted);
      if (differs !== undefined) wrong.push(`tape ${i} of seed ${seed}: ${differs}`);
    }
    expect(wrong, running.name).toEqual([]);
  });

  it("does without products of packed bytes where WGSL has none", async ({ skip }) => {
    const seam = cases.find(({ kernel }) => emitWgsl(kernel, webgpu).includes("dot4I8Packed"))!;
    const least = (code: string): string => codeFor({ code, alternatives: [] }, leastSupport);
    const code = least(emitWgsl(seam.kernel, webgpu));
    expect(code).not.toContain("dot4I8Packed");
    if (!checking) return skip("webgpu is not installed");
    expect(await wgslProblems(checking, code)).toEqual([]);
    if (!running) return skip("no driver");
    const { kernel, buffers, scalars, blocks } = seam;
    const found = await runWgsl(running.device, kernel, buffers, scalars, blocks, least);
    expect([...mistakes(seam, found), ...disagreement(seam, found, interpreted(seam))]).toEqual([]);
  });

  it("multiplies four bytes in one instruction, and binds as it is told", () => {
    const { kernel } = cases[1]!;
    expect(emitWgsl(kernel, webgpu)).toContain("dot4I8Packed(bitcast<u32>(a_[");
    expect(emitWgsl(kernel, webgpu)).toContain("var<storage, read> w_");
    expect(emitWgsl(kernel, webgpu, { bindWritable: new Set(["w"]) })).toContain("var<storage, read_write> w_");
  });

  it("refuses a block that does not fit, by a code", () => {
    const k = new KernelBuilder("wide", { doc: "too many threads", threads: 512 });
    k.store(k.buffer("x", "i32", "write"), block, 1);
    expect(() => emitWgsl(k.finish(), webgpu)).toThrow(/wants 512 threads in a block; webgpu has 256/);
    const large = new KernelBuilder("large", { doc: "too much shared memory", threads: 64 });
    large.blockBuffer("tile", "f32", "shared", 4097);
    expect(() => emitWgsl(large.finish(), webgpu)).toThrow(/bytes of shared memory/);
  });
});
