/**
 * One device for all schedules of a process. A software driver compiles a kernel in tenths of seconds and keeps it until
 * the process ends, and the library's declarations share half of their kernels: each text is compiled once.
 */
import type { GpuDevice, GpuPipeline, GpuShaderModule } from "../../runtime/webgpu/gpu.js";
import { runningDevice, type OpenedGpu } from "./webgpu.js";

/** A module that is not compiled yet. */
interface Source extends GpuShaderModule {
  readonly code: string;
}

type Listener = Parameters<GpuDevice["addEventListener"]>[1];

type PipelineOptions = Parameters<GpuDevice["createComputePipelineAsync"]>[0];

/** What the runtime does not use. */
interface TestDevice extends GpuDevice {
  createComputePipeline(options: PipelineOptions): GpuPipeline;
  pushErrorScope(filter: "validation"): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

interface Shared {
  readonly device: TestDevice;
  /** By their text. */
  readonly pipelines: Map<string, Promise<GpuPipeline>>;
  /** Of those that are in use. */
  readonly listeners: Set<Listener>;
}

/** The first comment of a module names its kernel, and changes nothing. */
const withoutTitle = (code: string): string => code.replace(/^\/\/.*$/m, "");

/** Dawn in Node asks without a pause whether it is ready when it compiles beside: that takes as long again. */
async function compiledNow(device: TestDevice, options: PipelineOptions): Promise<GpuPipeline> {
  device.pushErrorScope("validation");
  const pipeline = device.createComputePipeline(options);
  const problem = await device.popErrorScope();
  if (problem) throw new Error(problem.message);
  return pipeline;
}

/**
 * A device that may be destroyed any number of times: the one behind it goes on, and keeps its pipelines. Layouts of the
 * same bindings are the same to WebGPU, and the text of a module says its bindings, so a pipeline is known by its text.
 */
function lease({ device, pipelines, listeners }: Shared): GpuDevice {
  const own = new Set<Listener>();
  return {
    queue: device.queue,
    limits: device.limits,
    lost: device.lost,
    addEventListener: (_, listener) => {
      own.add(listener);
      listeners.add(listener);
    },
    createBuffer: (options) => device.createBuffer(options),
    createShaderModule: ({ code, label = "" }): Source => ({ code, label }),
    createBindGroupLayout: (options) => device.createBindGroupLayout(options),
    createPipelineLayout: (options) => device.createPipelineLayout(options),
    createComputePipelineAsync: (options) => {
      const { code, label } = options.compute.module as Source;
      const key = withoutTitle(code);
      let pipeline = pipelines.get(key);
      if (!pipeline) {
        const module = device.createShaderModule({ code, label });
        pipeline = compiledNow(device, { ...options, compute: { ...options.compute, module } });
        pipelines.set(key, pipeline);
      }
      return pipeline;
    },
    createBindGroup: (options) => device.createBindGroup(options),
    createCommandEncoder: () => device.createCommandEncoder(),
    destroy: () => {
      for (const listener of own) listeners.delete(listener);
    },
  };
}

async function open(): Promise<(Shared & Omit<OpenedGpu, "device">) | undefined> {
  const running = await runningDevice();
  if (!running) return undefined;
  const device = running.device as unknown as TestDevice;
  const listeners = new Set<Listener>();
  device.addEventListener("uncapturederror", (event) => {
    for (const listener of listeners) listener(event);
  });
  return { ...running, device, pipelines: new Map(), listeners };
}

let opened: ReturnType<typeof open> | undefined;

/** The device of this process, to be destroyed when it is not needed; undefined where there is no driver. */
export async function sharedDevice(): Promise<
  (Omit<OpenedGpu, "device"> & { readonly device: GpuDevice }) | undefined
> {
  const shared = await (opened ??= open());
  return shared && { name: shared.name, support: shared.support, device: lease(shared) };
}
