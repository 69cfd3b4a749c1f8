/**
 * The WebGPU device: spaces are GPU buffers, a call is one command buffer with a dispatch for each launch, and only what
 * is asked for comes back. The arguments of all launches of a call travel in one uniform buffer.
 */
import type { PlannedWgsl } from "../../compiler/5-emit/wgsl/planned.js";
import type { MemorySpace, Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { describeBytes } from "../bytes.js";
import type { Device, DeviceReport } from "../device.js";
import { flattenEntry, type FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import { textRows, textStride } from "../plan/texts.js";
import { MAP_READ, USAGE, type GpuBuffer, type GpuCommands, type GpuDevice } from "./gpu.js";
import { compilePrograms, groupOf, programKey, type GpuMemory, type Program } from "./programs.js";
import type { Support } from "./support.js";
import { chunkAt, cutWeights, type WeightChunk } from "./weight-chunks.js";

/** Each space is addressed from its own beginning. */
const BASES = { weights: 0, state: 0, arena: 0, io: 0 };
/** Dynamic offsets of uniforms are multiples of this. */
const UNIFORM_STEP = 256;

export interface WebGpuParts {
  readonly plan: Plan;
  readonly programs: readonly PlannedWgsl[];
  readonly device: GpuDevice;
  /** Which GPU it is, in words. */
  readonly name: string;
  /** True for a driver that computes on the processor: its blocks have one thread. */
  readonly isSoftware?: boolean;
  /** What the device was opened with; nothing when absent. */
  readonly support?: Support | undefined;
  /** How many texts have states of their own; 1 when absent. */
  readonly texts?: number | undefined;
}

interface PreparedLaunch {
  readonly flat: FlatLaunch;
  readonly program: Program;
}

/**
 * Takes the memory and compiles the kernels.
 *
 * @throws MoecError MOE4311 when the model does not fit into the GPU's limits, before anything is allocated; MOE4312 when
 * the driver refuses a kernel.
 */
export async function makeWebGpuDevice(parts: WebGpuParts): Promise<Device> {
  const { plan, device } = parts;
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const chunks = cutWeights(plan, limit);
  const { texts = 1 } = parts;
  const stride = textStride(plan);
  const needs = { state: stride * texts, arena: plan.spaces.arena, io: plan.spaces.io };
  for (const [what, bytes] of Object.entries(needs)) {
    if (bytes <= limit) continue;
    throw moecError("MOE4311", { what, needed: describeBytes(bytes), limit: describeBytes(limit) });
  }
  const on = parts.isSoftware ? "cpu" : "gpu";
  // Kernels that only calls for several texts use are not compiled for one.
  const entries = plan.entries.filter((entry) => texts > 1 || textRows(entry) === 0);
  const launches = new Map(
    entries.map((entry) => [entry.name, flattenEntry(plan, entry, BASES, { on, texts, stride })]),
  );
  const used = new Set([...launches.values()].flat().map(({ kernel, spaces }) => programKey(kernel, spaces)));
  const programs = await compilePrograms(
    device,
    parts.programs.filter(({ kernel, spaces }) => used.has(programKey(kernel, spaces))),
    parts.support,
  );
  return new WebGpuDevice(parts, chunks, launches, programs);
}

class WebGpuDevice implements Device {
  readonly report: DeviceReport;
  private readonly gpu: GpuDevice;
  private readonly memory: GpuMemory;
  private readonly entries: ReadonlyMap<string, readonly PreparedLaunch[]>;
  private readonly words: Int32Array;
  private readonly floats: Float32Array;
  private readonly most: number;
  private readonly made: GpuBuffer[] = [];
  /** Work that is recorded but not handed over: a read joins it, so a call and its output are one submission. */
  private open: GpuCommands | undefined;
  private failed: string | undefined;
  readonly texts: number;
  private readonly textStride: number;
  private text = 0;

  constructor(
    { plan, device, name, texts = 1 }: WebGpuParts,
    private readonly chunks: readonly WeightChunk[],
    flat: ReadonlyMap<string, readonly FlatLaunch[]>,
    programs: ReadonlyMap<string, Program>,
  ) {
    this.gpu = device;
    this.texts = texts;
    this.textStride = textStride(plan);
    this.most = device.limits.maxComputeWorkgroupsPerDimension;
    device.addEventListener("uncapturederror", ({ error }) => (this.failed ??= error.message));
    void device.lost.then(({ message }) => (this.failed ??= `the GPU was lost: ${message}`));
    this.entries = new Map(
      [...flat].map(([entry, launches]) => [entry, launches.map((launch) => prepare(launch, programs))]),
    );
    const all = [...this.entries.values()];
    const arguments_ = Math.max(0, ...all.flat().map((launch) => launch.flat.args.length));
    const slot = Math.ceil(((arguments_ + 1) * 4) / UNIFORM_STEP) * UNIFORM_STEP;
    const rows = Math.max(1, ...all.map((launches) => launches.length));
    const bytes = new ArrayBuffer(rows * slot);
    this.words = new Int32Array(bytes);
    this.floats = new Float32Array(bytes);
    this.memory = {
      uniform: this.make(bytes.byteLength, USAGE.uniform, "arguments"),
      uniformBytes: slot,
      spaces: {
        state: this.make(this.textStride * texts, USAGE.storage, "state"),
        arena: this.make(plan.spaces.arena, USAGE.storage, "arena"),
        io: this.make(plan.spaces.io, USAGE.storage, "io"),
      },
      weights: chunks.map(({ start, end }, i) => this.make(end - start, USAGE.storage, `weights ${i}`)),
    };
    const { weights, arena, io } = plan.spaces;
    this.report = {
      device: "webgpu",
      threads: 1,
      relaxedSimd: false,
      memoryBytes: weights + this.textStride * texts + arena + io,
      gpu: name,
      dispatches: Object.fromEntries([...this.entries].map(([entry, launches]) => [entry, ofOneToken(launches)])),
    };
  }

  private make(size: number, use: number, label: string): GpuBuffer {
    // A binding of no byte is none.
    const bytes = Math.max(16, Math.ceil(size / 16) * 16);
    const buffer = this.gpu.createBuffer({ size: bytes, usage: use | USAGE.copyTo | USAGE.copyFrom, label });
    this.made.push(buffer);
    return buffer;
  }

  selectText(text: number): void {
    this.text = text;
  }

  /** Where a byte of a space lies in the space's GPU buffer: states are those of the text that was selected. */
  private place(space: MemorySpace, offset: number): number {
    return space === "state" ? this.text * this.textStride + offset : offset;
  }

  write(space: MemorySpace, offset: number, bytes: Uint8Array): void {
    this.flush();
    if (space !== "weights") {
      this.gpu.queue.writeBuffer(this.memory.spaces[space], this.place(space, offset), bytes);
      return;
    }
    this.chunks.forEach(({ start, end }, i) => {
      const from = Math.max(start, offset);
      const to = Math.min(end, offset + bytes.length);
      if (from >= to) return;
      this.gpu.queue.writeBuffer(this.memory.weights[i]!, from - start, bytes.subarray(from - offset, to - offset));
    });
  }

  async read(space: MemorySpace, offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    const [source, at] =
      space === "weights"
        ? [
            this.memory.weights[chunkAt(this.chunks, offset)]!,
            offset - this.chunks[chunkAt(this.chunks, offset)]!.start,
          ]
        : [this.memory.spaces[space], this.place(space, offset)];
    const staged = this.gpu.createBuffer({ size: length, usage: USAGE.mapRead | USAGE.copyTo, label: "read" });
    try {
      (this.open ??= this.gpu.createCommandEncoder()).copyBufferToBuffer(source, at, staged, 0, length);
      this.flush();
      await staged.mapAsync(MAP_READ, 0, length);
      this.check();
      const copy = new Uint8Array(staged.getMappedRange(0, length).slice(0));
      staged.unmap();
      return copy;
    } finally {
      staged.destroy();
    }
  }

  run(entry: string, given: SizeValues): void {
    const sizes = { ...given, text: this.text };
    const launches = this.entries.get(entry);
    if (!launches) throw moecError("MOE5322", { name: entry, available: [...this.entries.keys()].join(", ") });
    this.flush();
    this.check();
    const commands = this.gpu.createCommandEncoder();
    const pass = commands.beginComputePass();
    let row = 0;
    for (const { flat, program } of launches) {
      const blocks = flat.grid.evaluate(sizes);
      if (blocks <= 0) continue;
      const chunks = this.fill(row, flat, blocks, sizes);
      const groups = Math.ceil(blocks / program.wgsl.groupBlocks);
      const across = Math.min(groups, this.most);
      pass.setPipeline(program.pipeline);
      pass.setBindGroup(0, groupOf(this.gpu, program, this.memory, chunks), [row * this.memory.uniformBytes]);
      pass.dispatchWorkgroups(across, Math.ceil(groups / across));
      row++;
    }
    pass.end();
    const used = (row * this.memory.uniformBytes) / 4;
    this.gpu.queue.writeBuffer(this.memory.uniform, 0, this.words.subarray(0, used));
    this.open = commands;
  }

  /** Writes the arguments of a launch; gives the chunks of its weights. */
  private fill(row: number, flat: FlatLaunch, blocks: number, sizes: SizeValues): readonly number[] {
    const first = (row * this.memory.uniformBytes) / 4;
    const { args, buffers, floats } = flat;
    const values = Float64Array.from(args);
    for (const { at, evaluate } of flat.changing) values[at] = evaluate(sizes);
    floats.forEach((isFloat, i) => {
      if (isFloat) this.floats[first + i] = values[buffers + i]!;
      else this.words[first + i] = values[buffers + i]!;
    });
    const chunks: number[] = [];
    for (let i = 0; i < buffers; i++) {
      let offset = values[i]!;
      if (flat.spaces[i] === "weights") {
        const chunk = chunkAt(this.chunks, offset);
        chunks.push(chunk);
        offset -= this.chunks[chunk]!.start;
      }
      if (offset % 4 !== 0) throw moecError("MOE5312", { at: flat.label, reason: `byte ${offset} begins no word` });
      this.words[first + floats.length + i] = offset / 4;
    }
    this.words[first + floats.length + buffers] = blocks;
    return chunks;
  }

  private flush(): void {
    if (!this.open) return;
    this.gpu.queue.submit([this.open.finish()]);
    this.open = undefined;
  }

  private check(): void {
    if (this.failed !== undefined) throw moecError("MOE4313", { reason: this.failed });
  }

  dispose(): void {
    this.open = undefined;
    for (const buffer of this.made.splice(0)) buffer.destroy();
    this.gpu.destroy();
  }
}

function prepare(flat: FlatLaunch, programs: ReadonlyMap<string, Program>): PreparedLaunch {
  const program = programs.get(programKey(flat.kernel, flat.spaces));
  if (!program) throw moecError("MOE5312", { at: flat.label, reason: `there is no program for \`${flat.kernel}\`` });
  return { flat, program };
}

/** Launches that a call of one token runs. */
function ofOneToken(launches: readonly PreparedLaunch[]): number {
  return launches.filter(({ flat: { grid } }) => {
    const sizes = Object.fromEntries(grid.names.map((name) => [name, name === "past" ? 0 : 1]));
    return grid.evaluate(sizes) > 0;
  }).length;
}
