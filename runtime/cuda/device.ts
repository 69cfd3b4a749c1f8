/**
 * The CUDA device: each space is one range of the GPU's memory, an entry point is a graph of launches, and calls follow
 * each other on one stream. Only a read waits for the GPU.
 */
import type { CudaLaunch } from "../../compiler/5-emit/cuda/index.js";
import type { MemorySpace, Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { Device, DeviceReport } from "../device.js";
import type { Address } from "../native/koffi.js";
import { flattenEntry, type FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import { textStride } from "../plan/texts.js";
import type { CudaGpu, GpuRange } from "./gpu.js";
import { LaunchGraph, type LoadedKernel } from "./graph.js";

export interface CudaDeviceParts {
  readonly plan: Plan;
  readonly gpu: CudaGpu;
  /** A cubin, or PTX with a zero at its end. */
  readonly code: Uint8Array;
  /** Where the code came from, for messages. */
  readonly file: string;
  readonly launches: readonly CudaLaunch[];
  /** How many texts have states of their own; 1 when absent. */
  readonly texts?: number;
}

/** @throws MoecError MOE4231, MOE4233, MOE4234, MOE5312 when the plan names a kernel that the code lacks. */
export function makeCudaDevice(parts: CudaDeviceParts): Device {
  try {
    return new CudaDevice(parts);
  } catch (error) {
    parts.gpu.close();
    throw error;
  }
}

class CudaDevice implements Device {
  readonly report: DeviceReport;
  readonly texts: number;
  private readonly gpu: CudaGpu;
  private readonly stream: Address;
  private readonly spaces: Readonly<Record<MemorySpace, GpuRange>>;
  private readonly textStride: number;
  private text = 0;
  /** By entry point, each made when first called. */
  private readonly graphs = new Map<string, LaunchGraph>();
  private readonly launches: ReadonlyMap<string, readonly FlatLaunch[]>;
  private readonly kernels = new Map<string, LoadedKernel>();

  constructor({ plan, gpu, code, file, launches, texts = 1 }: CudaDeviceParts) {
    this.gpu = gpu;
    this.texts = texts;
    this.textStride = textStride(plan);
    this.stream = gpu.open();
    this.load(code, file, launches);
    const bytes = { ...plan.spaces, state: this.textStride * texts };
    this.spaces = {
      weights: gpu.memory(bytes.weights, "the weights"),
      state: gpu.memory(bytes.state, "the caches"),
      arena: gpu.memory(bytes.arena, "intermediate results"),
      io: gpu.memory(bytes.io, "inputs and outputs"),
    };
    const { weights, state, arena, io } = this.spaces;
    const bases = { weights: weights.address, state: state.address, arena: arena.address, io: io.address };
    const places = { texts, stride: this.textStride };
    const flat = plan.entries.map((entry) => [entry.name, flattenEntry(plan, entry, bases, places)] as const);
    this.launches = new Map(flat);
    // A plan that is damaged says so now, not at the first call.
    for (const launch of flat.flatMap(([, launches]) => launches)) this.kernel(launch);
    this.report = {
      device: "cuda",
      threads: 1,
      relaxedSimd: false,
      memoryBytes: bytes.weights + bytes.state + bytes.arena + bytes.io,
      gpu: gpu.name,
      dispatches: Object.fromEntries(flat.map(([name, launches]) => [name, launches.length])),
    };
  }

  private load(code: Uint8Array, file: string, launches: readonly CudaLaunch[]): void {
    const { driver, name: gpu } = this.gpu;
    try {
      const module = driver.handle("cuModuleLoadData", code);
      this.gpu.keep(() => driver.call("cuModuleUnload", module));
      for (const { kernel, threads, groupBlocks } of launches) {
        const address = driver.handle("cuModuleGetFunction", module, kernel);
        this.kernels.set(kernel, { function: address, threads, groupBlocks });
      }
    } catch (error) {
      throw moecError("MOE4231", { file, gpu, reason: reasonOf(error) });
    }
  }

  private kernel({ kernel, label }: FlatLaunch): LoadedKernel {
    const loaded = this.kernels.get(kernel);
    if (loaded) return loaded;
    throw moecError("MOE5312", { at: label, reason: `the code has no kernel \`${kernel}\`` });
  }

  selectText(text: number): void {
    this.text = text;
  }

  private address(space: MemorySpace, offset: number): Address {
    const first = space === "state" ? this.text * this.textStride : 0;
    return this.spaces[space].address + first + offset;
  }

  write(space: MemorySpace, offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // The driver has copied the bytes when it returns: memory of a process can be moved away under it.
    this.gpu.driver.call("cuMemcpyHtoDAsync_v2", this.address(space, offset), bytes, bytes.length, this.stream);
  }

  read(space: MemorySpace, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (length === 0) return bytes;
    this.gpu.driver.call("cuMemcpyDtoHAsync_v2", bytes, this.address(space, offset), length, this.stream);
    this.gpu.driver.call("cuStreamSynchronize", this.stream);
    return bytes;
  }

  run(entry: string, sizes: SizeValues): void {
    let graph = this.graphs.get(entry);
    if (!graph) {
      const launches = this.launches.get(entry);
      if (!launches) throw moecError("MOE5322", { name: entry, available: [...this.launches.keys()].join(", ") });
      const made = new LaunchGraph(this.gpu.driver, launches, (launch) => this.kernel(launch));
      this.gpu.keep(() => made.free());
      this.graphs.set(entry, (graph = made));
    }
    graph.run({ ...sizes, text: this.text }, this.stream);
  }

  dispose(): void {
    this.gpu.close();
  }
}
