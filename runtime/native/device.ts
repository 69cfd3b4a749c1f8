/**
 * The native device: weights mapped from their files or copied, other spaces in memory of their own, and one native call
 * for all launches of an entry point.
 */
import type { MemorySpace, Plan } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { Device, DeviceReport } from "../device.js";
import type { WeightFile } from "../host.js";
import { flattenEntry, type SpaceBases } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import { textStride } from "../plan/texts.js";
import { watchBusErrors } from "./bus-errors.js";
import { loadCode, type LoadedCode } from "./code.js";
import { LaunchTable } from "./launches.js";
import { Mapping } from "./mapping.js";
import { Pool } from "./pool.js";
import { WeightSpace } from "./weight-space.js";

export interface NativeDeviceParts {
  readonly plan: Plan;
  readonly object: Uint8Array;
  /** Name of the object, for messages. */
  readonly file: string;
  /** What the kernels were compiled for. */
  readonly level: string;
  readonly scratchBytes: number;
  readonly threads: number;
  /** What the report says of them. */
  readonly why?: Pick<DeviceReport, "whyOneThread" | "whyNotBetter">;
  /** How many texts have states of their own; 1 when absent. */
  readonly texts?: number;
  /** Files of the weights, to be mapped; without them they are written. */
  readonly weights?: readonly WeightFile[];
}

/** @throws MoecError MOE4205 to MOE4208, MOE5312 when the plan names a kernel that the object lacks. */
export function makeNativeDevice(parts: NativeDeviceParts): Device {
  return new NativeDevice(parts);
}

class NativeDevice implements Device {
  readonly report: DeviceReport;
  private readonly code: LoadedCode;
  private readonly weights: WeightSpace;
  private readonly spaces: Record<Exclude<MemorySpace, "weights">, Mapping>;
  private readonly pool: Pool;
  readonly texts: number;
  private readonly tables: ReadonlyMap<string, LaunchTable>;
  private readonly textStride: number;
  private text = 0;
  private hasRun = false;
  /** What was taken, in order; given back the other way round. */
  private readonly taken: (() => void)[] = [];

  constructor(parts: NativeDeviceParts) {
    const { plan, object, file, level, scratchBytes, threads, texts = 1, weights } = parts;
    this.texts = texts;
    this.textStride = textStride(plan);
    try {
      this.code = loadCode(object, file);
      this.taken.push(() => this.code.free());
      if (weights) watchBusErrors(this.code);
      this.weights = new WeightSpace(plan.spaces.weights, weights);
      this.taken.push(() => this.weights.free());
      this.spaces = {
        state: this.take(this.textStride * texts, "caches"),
        arena: this.take(plan.spaces.arena, "intermediate results"),
        io: this.take(plan.spaces.io, "inputs and outputs"),
      };
      const { state, arena, io } = this.spaces;
      const bases = {
        weights: this.weights.address,
        state: state.address,
        arena: arena.address,
        io: io.address,
      };
      this.tables = this.prepare(plan, bases, threads);
      this.pool = new Pool(this.code, threads, scratchBytes);
      this.taken.push(() => this.pool.dispose());
    } catch (error) {
      this.dispose();
      throw error;
    }
    const own = [this.spaces.state, this.spaces.arena, this.spaces.io, ...this.tables.values(), this.pool];
    this.report = {
      device: "native",
      level,
      threads,
      ...parts.why,
      relaxedSimd: false,
      memoryBytes: own.reduce((sum, { bytes }) => sum + bytes, plan.spaces.weights),
      mappedBytes: this.weights.mappedBytes,
    };
  }

  private prepare(plan: Plan, bases: SpaceBases, threads: number): ReadonlyMap<string, LaunchTable> {
    const tables = new Map<string, LaunchTable>();
    const places = { texts: this.texts, stride: this.textStride };
    for (const entry of plan.entries) {
      const table = new LaunchTable(flattenEntry(plan, entry, bases, places), (name) => this.kernel(name), threads);
      this.taken.push(() => table.free());
      tables.set(entry.name, table);
    }
    return tables;
  }

  private take(bytes: number, what: string): Mapping {
    const mapping = Mapping.memory(bytes, what);
    this.taken.push(() => mapping.free());
    return mapping;
  }

  private kernel(name: string): number {
    if (this.code.has(name)) return this.code.address(name);
    throw moecError("MOE5312", { at: "entries", reason: `the object has no kernel \`${name}\`` });
  }

  selectText(text: number): void {
    this.text = text;
  }

  write(space: MemorySpace, offset: number, bytes: Uint8Array): void {
    this.window(space, offset, bytes.length).set(bytes);
  }

  window(space: MemorySpace, offset: number, length: number): Uint8Array {
    if (space === "weights") return this.weights.view(offset, length);
    const first = space === "state" ? this.text * this.textStride : 0;
    return this.spaces[space].view(first + offset, length);
  }

  read(space: MemorySpace, offset: number, length: number): Uint8Array {
    return this.window(space, offset, length);
  }

  run(entry: string, sizes: SizeValues): void {
    const table = this.tables.get(entry);
    if (!table) throw moecError("MOE5322", { name: entry, available: [...this.tables.keys()].join(", ") });
    this.weights.check();
    table.prepare({ ...sizes, text: this.text });
    this.pool.run(table.address, table.count);
    this.weights.checkFaults();
    // Not behind the first call: a process that asks for one token ends there.
    if (this.hasRun) void this.weights.enterNext();
    this.hasRun = true;
  }

  dispose(): void {
    for (const give of this.taken.splice(0).reverse()) give();
  }
}
