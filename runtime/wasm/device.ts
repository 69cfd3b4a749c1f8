/**
 * The WebAssembly device: one memory that holds all spaces, one module with all kernels, and threads that share both
 * where the host allows it.
 */
import type { MemorySpace, Plan } from "../../compiler/4-schedule/plan.js";
import type { MoecError } from "../../compiler/errors/moec-error.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { Device, DeviceReport } from "../device.js";
import type { Host } from "../host.js";
import { flattenEntry, type FlatLaunch } from "../plan/launches.js";
import type { SizeValues } from "../plan/sizes.js";
import { fillTable, kernelFailed, PreparedEntry, runAlone } from "./calls.js";
import { wasmFeatures } from "./features.js";
import { mapMemory, type MemoryMap } from "./memory-map.js";
import { CONTROL, CONTROL_WORDS, finishCall, instantiate, openCall, ROW, stopWork } from "./work.js";
import type { KernelFunction, SharedWork } from "./work.js";

/** What to do where a thread can't start. */
const FEWER = "Ask for fewer: `--threads 1` needs none beside the program's own, and so does `threads: 1` of `load`.";

export interface WasmChoice {
  readonly threads: number;
  readonly whyOneThread?: string;
  readonly relaxedSimd: boolean;
  /** Sums of four products of bytes are exact; of a device: its kernels use them. */
  readonly quads: boolean;
}

/**
 * What of the bundle's variants this host can run.
 *
 * @param threads How many are wanted; all that run at the same time when it is not given.
 * @throws MoecError MOE5309 when the engine has no SIMD.
 */
export function chooseWasm(host: Host, threads?: number): WasmChoice {
  host.enableRelaxedSimd();
  const features = wasmFeatures();
  if (!features.simd) throw moecError("MOE5309", { device: "wasm", reason: "this engine has no SIMD" });
  const { relaxedSimd, quads } = features;
  const why =
    threads === 1
      ? "one was asked for"
      : (host.whyNoThreads ??
        (features.sharedMemory ? undefined : "this engine can't share memory between threads") ??
        (host.parallelism > 1 ? undefined : "the machine has one core"));
  if (why !== undefined) return { threads: 1, whyOneThread: why, relaxedSimd, quads };
  return { threads: threads ?? host.parallelism, relaxedSimd, quads };
}

export interface WasmDeviceParts {
  readonly plan: Plan;
  readonly module: WebAssembly.Module;
  readonly scratchBytes: number;
  readonly choice: WasmChoice;
  readonly host: Host;
  /** The number of threads is what would be good, and fewer are taken where the system gives no more. */
  readonly mayBeFewer?: boolean;
  /** How many texts have states of their own; 1 when absent. */
  readonly texts?: number;
}

/**
 * Takes the memory, makes the instances and starts the threads.
 *
 * @throws MoecError MOE5310 when the model is larger than one memory, MOE5309 when the host refuses that memory, MOE5312
 * when the plan names a kernel that the module lacks, MOE4208 when a thread can't start and there may not be fewer.
 */
export function makeWasmDevice(parts: WasmDeviceParts): Device {
  return new WasmDevice(parts);
}

class WasmDevice implements Device {
  readonly report: DeviceReport;
  private readonly map: MemoryMap;
  private readonly memory: WebAssembly.Memory;
  private readonly work: SharedWork;
  readonly texts: number;
  private readonly entries: ReadonlyMap<string, PreparedEntry>;
  private text = 0;
  private readonly rows: FlatLaunch[] = [];
  private readonly stops: (() => void)[] = [];
  private readonly canBlock: boolean;
  /** Of a thread that does not run: the others do its share until then. */
  private failure: Error | undefined;

  constructor({ plan, module, scratchBytes, choice, host, texts = 1, mayBeFewer = false }: WasmDeviceParts) {
    const { threads } = choice;
    this.canBlock = host.canBlock;
    this.texts = texts;
    this.map = mapMemory(plan, scratchBytes, threads, texts);
    this.memory = takeMemory(this.map, threads > 1);
    const places = { texts, stride: this.map.textStride };
    const flat = plan.entries.map((entry) => [entry.name, flattenEntry(plan, entry, this.map.bases, places)] as const);
    const first = flat.flatMap(([, launches]) => launches);
    const names = [...new Set(first.map((launch) => launch.kernel))];
    const args = new Map(first.map((launch) => [launch.kernel, launch.args.length]));
    const exports = instantiate(module, this.memory, this.map.scratch[0]!);
    const kernels = names.map((name) => {
      if (typeof exports[name] === "function")
        return { run: exports[name] as KernelFunction, args: args.get(name) ?? 0 };
      throw moecError("MOE5312", { at: "entries", reason: `the module has no kernel \`${name}\`` });
    });
    const numbers = new Map(names.map((name, number) => [name, number]));
    this.entries = new Map(
      flat.map(([name, launches]) => {
        const kernels = launches.map((launch) => numbers.get(launch.kernel)!);
        return [name, new PreparedEntry(launches, kernels)];
      }),
    );
    this.work = makeWork([...this.entries.values()], kernels, threads > 1);
    let fewer: Pick<DeviceReport, "threads" | "whyOneThread" | "whyFewerThreads"> | undefined;
    for (let thread = 1; thread < threads; thread++) {
      const { control, table, stride } = this.work;
      const named = names.map((name, number) => ({ name, args: kernels[number]!.args }));
      const scratch = this.map.scratch[thread]!;
      const start = { module, memory: this.memory, scratch, control, table, stride, kernels: named };
      const failed = (reason: string): MoecError =>
        moecError("MOE4208", { thread: thread + 1, threads, reason }, undefined, FEWER);
      try {
        this.stops.push(host.startThread(start, (reason) => void (this.failure ??= failed(reason))));
      } catch (error) {
        if (mayBeFewer) {
          // Those that run take the chunks of the ones that don't.
          const why = failed(reasonOf(error)).message;
          fewer = { threads: thread, ...(thread === 1 ? { whyOneThread: why } : { whyFewerThreads: why }) };
          break;
        }
        this.dispose();
        throw failed(reasonOf(error));
      }
    }
    this.report = { device: "wasm", ...choice, ...fewer, memoryBytes: this.map.bytes };
  }

  selectText(text: number): void {
    this.text = text;
  }

  write(space: MemorySpace, offset: number, bytes: Uint8Array): void {
    this.window(space, offset, bytes.length).set(bytes);
  }

  window(space: MemorySpace, offset: number, length: number): Uint8Array {
    const base = this.map.bases[space] + (space === "state" ? this.text * this.map.textStride : 0);
    return new Uint8Array(this.memory.buffer, base + offset, length);
  }

  read(space: MemorySpace, offset: number, length: number): Uint8Array {
    return this.window(space, offset, length);
  }

  /** @throws MoecError MOE5322, MOE5329, and MOE4208 once a thread is known not to run. */
  run(entry: string, sizes: SizeValues): void {
    if (this.failure) throw this.failure;
    const prepared = this.entries.get(entry);
    if (!prepared) throw moecError("MOE5322", { name: entry, available: [...this.entries.keys()].join(", ") });
    const count = fillTable(prepared, { ...sizes, text: this.text }, this.work, this.report.threads, this.rows);
    if (count === 0) return;
    if (this.report.threads === 1) {
      runAlone(this.work, this.rows);
      return;
    }
    finishCall(this.work, openCall(this.work, count), this.canBlock);
    const failed = Atomics.load(this.work.control, CONTROL.failed);
    if (failed > 0) throw kernelFailed(this.rows[failed - 1]!, "it trapped on one of the threads");
  }

  dispose(): void {
    if (this.stops.length > 0) stopWork(this.work.control);
    for (const stop of this.stops.splice(0)) stop();
  }
}

/** The whole memory at once: it never grows, so views of it stay good. */
function takeMemory(map: MemoryMap, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: map.pages, maximum: map.pages, shared });
  } catch {
    throw moecError("MOE5309", { device: "wasm", reason: `the host refuses a memory of ${map.bytes} bytes` });
  }
}

function makeWork(entries: readonly PreparedEntry[], kernels: SharedWork["kernels"], shared: boolean): SharedWork {
  const stride = ROW.args + Math.max(0, ...kernels.map((kernel) => kernel.args));
  const rows = Math.max(1, ...entries.map((entry) => entry.launches.length));
  const buffer = (bytes: number): ArrayBuffer | SharedArrayBuffer =>
    shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  return {
    control: new Int32Array(buffer(CONTROL_WORDS * 4)),
    table: new Float64Array(buffer(rows * stride * 8)),
    stride,
    kernels,
  };
}
