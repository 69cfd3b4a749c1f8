/**
 * Dawn in Node (`npm ci --prefix bench/gpu`): its null backend checks WGSL without a driver, and a software Vulkan driver
 * runs it. Tests that need one ask here and skip with a printed reason.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { emitWgsl } from "../../compiler/5-emit/wgsl/index.js";
import { webgpu } from "../../compiler/targets/index.js";
import type { Gpu as RuntimeGpu, GpuAdapter as RuntimeAdapter } from "../../runtime/webgpu/gpu.js";
import { supportOf, type Support } from "../../runtime/webgpu/support.js";
import type { Data, ScalarValue } from "../seams/case.js";

// The part of WebGPU that is used here; its types are in no package that the tests may need.
interface GpuMessage {
  readonly type: string;
  readonly lineNum: number;
  readonly linePos: number;
  readonly message: string;
}
interface GpuBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}
interface GpuModule {
  getCompilationInfo(): Promise<{ readonly messages: readonly GpuMessage[] }>;
}
/** What the tests only pass on. */
type Handle = object;
interface GpuPass {
  setPipeline(pipeline: Handle): void;
  setBindGroup(index: number, group: unknown): void;
  dispatchWorkgroups(x: number, y?: number): void;
  end(): void;
}
interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, size: number): void;
  finish(): unknown;
}
interface GpuDevice {
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferLike): void;
    submit(commands: readonly unknown[]): void;
  };
  pushErrorScope(filter: string): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
  createShaderModule(options: { readonly code: string }): GpuModule;
  createBindGroupLayout(options: {
    readonly entries: readonly {
      readonly binding: number;
      readonly visibility: number;
      readonly buffer: { readonly type: string };
    }[];
  }): Handle;
  createPipelineLayout(options: { readonly bindGroupLayouts: readonly Handle[] }): Handle;
  createComputePipelineAsync(options: {
    readonly layout: Handle | "auto";
    readonly compute: { readonly module: GpuModule; readonly entryPoint: string };
  }): Promise<Handle>;
  createBuffer(options: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroup(options: {
    readonly layout: Handle;
    readonly entries: readonly { readonly binding: number; readonly resource: { readonly buffer: GpuBuffer } }[];
  }): unknown;
  createCommandEncoder(): GpuEncoder;
}
interface GpuAdapter {
  readonly info: { readonly description: string };
  readonly features: { has(name: string): boolean };
  requestDevice(options: { readonly requiredFeatures: readonly string[] }): Promise<GpuDevice>;
}
interface Gpu {
  readonly wgslLanguageFeatures: { has(name: string): boolean };
  requestAdapter(): Promise<GpuAdapter | null>;
}
/** A device, opened with all that the kernels may use and its driver has. */
export interface OpenedGpu {
  readonly device: GpuDevice;
  readonly name: string;
  readonly support: Support;
}

const usage = { compute: 4, map: 1, copyFrom: 4, copyTo: 8, uniform: 64, storage: 128 } as const;

const dawn = fileURLToPath(new URL("../../bench/gpu/node_modules/webgpu/index.js", import.meta.url));

/** By their flags. Dawn aborts the process when what `create` gave is collected while a device lives. */
const kept = new Map<string, Gpu>();

async function create(flags: readonly string[]): Promise<Gpu | undefined> {
  const known = kept.get(flags.join());
  if (known) return known;
  if (!existsSync(dawn)) {
    console.warn("skipped: webgpu is not installed; `npm ci --prefix bench/gpu --ignore-scripts` installs it");
    return undefined;
  }
  const module = (await import(dawn)) as { create(flags: readonly string[]): Gpu };
  const gpu = module.create(flags);
  kept.set(flags.join(), gpu);
  return gpu;
}

async function opened(gpu: Gpu | undefined): Promise<OpenedGpu | undefined> {
  const adapter = await gpu?.requestAdapter();
  if (!gpu || !adapter) return undefined;
  const support = supportOf(gpu as unknown as RuntimeGpu, adapter as unknown as RuntimeAdapter);
  const device = await adapter.requestDevice({ requiredFeatures: support.features });
  return { device, name: adapter.info.description, support };
}

/** A device that checks everything, has every feature and runs nothing. */
export async function checkingDevice(): Promise<GpuDevice | undefined> {
  return (await opened(await create(["backend=null"])))?.device;
}

/** What Dawn says against a module and its pipeline: `line:column message`. */
export async function wgslProblems(device: GpuDevice, code: string): Promise<readonly string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const found = messages.map(({ type, lineNum, linePos, message }) => `${type} ${lineNum}:${linePos} ${message}`);
  try {
    await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  } catch (error) {
    found.push((error as Error).message);
  }
  const scoped = await device.popErrorScope();
  return scoped && found.length === 0 ? [scoped.message] : found;
}

/** Where Debian's browser keeps a software driver and the loader for it. */
const browserDriver = { icd: "/usr/lib/chromium/vk_swiftshader_icd.json", loader: "/usr/lib/chromium/libvulkan.so.1" };

/** A device that runs shaders: the system's Vulkan driver, or the software driver of an installed browser. */
export async function runningDevice(): Promise<OpenedGpu | undefined> {
  // Silences a layer of Mesa that looks for a display.
  process.env["NODEVICE_SELECT"] = "1";
  if (process.env["VK_ICD_FILENAMES"] === undefined && existsSync(browserDriver.icd)) {
    process.env["VK_ICD_FILENAMES"] = browserDriver.icd;
    try {
      // Dawn opens the loader by its name, which finds one that the process has opened before.
      (createRequire(import.meta.url)("koffi") as { load(path: string): unknown }).load(browserDriver.loader);
    } catch {
      // The system may have a loader of its own.
    }
  }
  const gpu = await create([]);
  const found = await opened(gpu);
  if (gpu && !found) console.warn("skipped: no Vulkan driver, not even a software one, was found");
  return found;
}

const roundedUp = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);

/** Run blocks 0..blocks of a kernel; gives what the buffers hold afterwards. */
export async function runWgsl(
  device: GpuDevice,
  kernel: Kernel,
  inputs: readonly Data[],
  scalars: readonly ScalarValue[],
  blocks: number,
  rewrite: (code: string) => string = (code) => code,
): Promise<readonly Data[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: rewrite(emitWgsl(kernel, webgpu)) });
  // Said in full, because a layout made from the module lacks the buffers that it does not use.
  const types = kernel.buffers.map(({ access }) => (access === "read" ? "read-only-storage" : "storage"));
  const layout = device.createBindGroupLayout({
    entries: [...types, "uniform"].map((type, binding) => ({ binding, visibility: usage.compute, buffer: { type } })),
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "main" },
  });
  const upload = (bytes: Uint8Array, use: number): GpuBuffer => {
    const size = roundedUp(bytes.byteLength);
    const padded = new Uint8Array(size);
    padded.set(bytes);
    const buffer = device.createBuffer({ size, usage: use | usage.copyTo | usage.copyFrom });
    device.queue.writeBuffer(buffer, 0, padded.buffer);
    return buffer;
  };
  const buffers = inputs.map((data) =>
    upload(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), usage.storage),
  );
  const words = new Int32Array(scalars.length + 2);
  const floats = new Float32Array(words.buffer);
  scalars.forEach((scalar, i) => {
    if (typeof scalar === "number") words[i] = scalar;
    else floats[i] = scalar.f32;
  });
  words[scalars.length + 1] = blocks;
  const uniform = upload(new Uint8Array(words.buffer), usage.uniform);
  const group = device.createBindGroup({
    layout,
    entries: [...buffers, uniform].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  // Two dimensions and some blocks too many, as a grid beyond 65535 blocks would have.
  pass.dispatchWorkgroups(Math.ceil(blocks / 2) + 1, 2);
  pass.end();
  const staged = inputs.map(({ byteLength }, i) => {
    const size = roundedUp(byteLength);
    const buffer = device.createBuffer({ size, usage: usage.map | usage.copyTo });
    encoder.copyBufferToBuffer(buffers[i]!, 0, buffer, 0, size);
    return buffer;
  });
  device.queue.submit([encoder.finish()]);
  const results: Data[] = [];
  for (const [i, data] of inputs.entries()) {
    await staged[i]!.mapAsync(1);
    const result = data.slice();
    const bytes = new Uint8Array(staged[i]!.getMappedRange(), 0, data.byteLength);
    new Uint8Array(result.buffer).set(bytes);
    staged[i]!.unmap();
    results.push(result);
  }
  for (const buffer of [...buffers, uniform, ...staged]) buffer.destroy();
  const problem = await device.popErrorScope();
  if (problem) throw new Error(problem.message);
  return results;
}
