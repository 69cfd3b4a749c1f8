/** Runs a schedule in tests: one memory, the plan's steps, kernels by the interpreter or as WebAssembly. */
import { Size } from "../../compiler/axes/size.js";
import type { ParamDecl } from "../../compiler/2-graph/ir.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { verifyKernels } from "../../compiler/4-schedule/kernel-verify.js";
import { layerCount, packWeight } from "../../compiler/4-schedule/layout/pack.js";
import type { StoredBlocks } from "../../compiler/4-schedule/layout/pack-blocks.js";
import type { Schedule } from "../../compiler/4-schedule/index.js";
import type { MemorySpace, PlanEntry, PlanStep } from "../../compiler/4-schedule/plan.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import type { Target } from "../../compiler/targets/index.js";
import { instantiate } from "../emit/wasm-host.js";
import { cudaLaunchNow } from "../support/cuda-cpu.js";
import { nativeLaunch } from "../support/native.js";

/**
 * `unsigned`: the interpreter where `dot_quads.either` reads bytes as unsigned; `processor`: the interpreter on the launches
 * for software drivers of GPUs.
 */
export type Runner = "interpreter" | "unsigned" | "processor" | "wasm" | "native" | "cuda";

type Launch = (
  kernel: string,
  addresses: number[],
  scalars: number[],
  from: number,
  to: number,
  bytes: number[],
) => void;

const pageBytes = 65536;
const spaces = ["weights", "state", "io", "arena"] as const;

export class Machine {
  readonly bases: Record<(typeof spaces)[number], number>;
  private readonly memory: WebAssembly.Memory;
  private readonly launch: Launch;
  private readonly buffers: ReadonlyMap<string, { address: number; bytes: number }>;

  constructor(
    readonly schedule: Schedule,
    target: Target,
    private readonly runner: Runner,
  ) {
    const { plan, kernels } = schedule;
    const problems = verifyKernels(kernels);
    if (problems.length > 0) throw new Error(problems.map((problem) => JSON.stringify(problem)).join("\n"));
    let top = 1024;
    const bases: Partial<typeof this.bases> = {};
    for (const space of spaces) {
      bases[space] = top;
      top += plan.spaces[space];
    }
    this.bases = bases as typeof this.bases;
    const scratch = top;
    top += 1 << 20;
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(top / pageBytes), maximum: 65536 });
    // What nobody has written is NaN as a float and -1 as a number.
    new Uint8Array(this.memory.buffer).fill(0xff, this.bases.io);
    this.buffers = new Map(
      plan.buffers.map((buffer) => [
        buffer.id,
        { address: this.bases[buffer.space] + buffer.offset, bytes: buffer.bytes },
      ]),
    );
    this.launch =
      runner === "wasm"
        ? this.wasm(target, scratch)
        : runner === "native"
          ? this.native(target, scratch)
          : runner === "cuda"
            ? cudaLaunchNow(this.schedule.kernels, target, this.memory.buffer)
            : this.interpreter();
    this.resetStates();
  }

  private interpreter(): Launch {
    const byteReading = this.runner === "unsigned" ? "unsigned" : "signed";
    const interpreter = makeInterpreter(this.schedule.kernels, { checked: true, byteReading });
    return (kernel, addresses, scalars, from, to, bytes) =>
      interpreter.launch(kernel, this.memory.buffer, addresses, scalars, from, to, bytes);
  }

  private wasm(target: Target, scratch: number): Launch {
    const exports = instantiate(this.schedule.kernels, target, this.memory, scratch);
    return (kernel, addresses, scalars, from, to) => exports[kernel]!(...addresses, ...scalars, from, to);
  }

  private native(target: Target, scratch: number): Launch {
    return nativeLaunch(this.schedule.kernels, target, this.memory.buffer, scratch);
  }

  private view(id: string, dtype: "f32" | "i32" | "bool"): Float32Array | Int32Array {
    const { address, bytes } = this.buffers.get(id)!;
    return dtype === "f32"
      ? new Float32Array(this.memory.buffer, address, bytes / 4)
      : new Int32Array(this.memory.buffer, address, bytes / 4);
  }

  resetStates(): void {
    for (const state of this.schedule.plan.states) this.view(state.buffer, state.dtype).fill(state.init);
  }

  /** @param blocks Numbers of a layer in the blocks of the weight's own format, where a test has them so. */
  setParams(
    params: (path: string) => ReferenceTensor,
    blocks?: (path: string, layer: number) => StoredBlocks | undefined,
  ): void {
    for (const weight of this.schedule.plan.weights) {
      const { data } = params(weight.path);
      const size = data.length / layerCount(weight);
      const bytes = packWeight(weight, (layer) => {
        const stored = blocks?.(weight.path, layer);
        if (stored) return stored;
        const own = data.subarray(layer * size, (layer + 1) * size);
        return weight.storage === "i32" ? Int32Array.from(own) : Float32Array.from(own);
      });
      new Uint8Array(this.memory.buffer).set(bytes, this.buffers.get(weight.buffer)!.address);
    }
  }

  setKnob(path: string, values: ArrayLike<number>): void {
    const knob = this.schedule.plan.knobs.find((port) => port.name === path);
    if (knob) this.view(knob.buffer, knob.dtype).set(values);
  }

  run(
    entryName: string,
    inputs: Readonly<Record<string, ArrayLike<number>>>,
    sizes: Readonly<Record<string, number>>,
  ): Record<string, number[]> {
    this.feed(entryName, inputs);
    this.launchAll(entryName, sizes);
    return this.outputs(entryName, sizes);
  }

  /** What the outputs of an entry hold after a call of these sizes. */
  outputs(entryName: string, sizes: Readonly<Record<string, number>>): Record<string, number[]> {
    const entry = this.entry(entryName);
    return Object.fromEntries(
      entry.outputs.map((port) => {
        const count = port.axes.reduce((n, axis) => n * parsed(axis.size).evaluate({ past: 0, ...sizes }), 1);
        return [port.name, Array.from(this.view(port.buffer, port.dtype).subarray(0, count))];
      }),
    );
  }

  /** Writes the inputs of an entry. */
  feed(entryName: string, inputs: Readonly<Record<string, ArrayLike<number>>>): PlanEntry {
    const entry = this.entry(entryName);
    for (const port of entry.inputs) this.view(port.buffer, port.dtype).set(inputs[port.name]!);
    return entry;
  }

  private entry(name: string): PlanEntry {
    return this.schedule.plan.entries.find((candidate) => candidate.name === name)!;
  }

  /** The bytes of a space, as they lie. */
  bytes(space: MemorySpace): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.bases[space], this.schedule.plan.spaces[space]);
  }

  /** Runs the launches of an entry on the inputs that are there. */
  launchAll(entryName: string, sizes: Readonly<Record<string, number>>): void {
    this.steps(this.entry(entryName).steps, { past: 0, ...sizes }, {});
  }

  /** The first number of a buffer of i32. */
  int(buffer: string): number {
    return this.view(buffer, "i32")[0]!;
  }

  setInt(buffer: string, value: number): void {
    this.view(buffer, "i32")[0] = value;
  }

  private steps(steps: readonly PlanStep[], sizes: Record<string, number>, turns: Record<string, number>): void {
    for (const step of steps) {
      if (step.kind === "loop") {
        for (let turn = 0; turn < step.count; turn++) {
          this.steps(step.steps, { ...sizes, [step.name]: turn }, { ...turns, [step.name]: turn });
        }
        continue;
      }
      if (step.on === (this.runner === "processor" ? "gpu" : "cpu")) continue;
      const places = step.buffers.map((arg) => {
        const { address, bytes } = this.buffers.get(arg.buffer)!;
        let offset = parsed(arg.offset).evaluate(sizes);
        for (const [loop, stride] of Object.entries(arg.strides)) offset += (turns[loop] ?? 0) * stride;
        return { address: address + offset, bytes: bytes - offset };
      });
      const scalars = step.scalars.map((scalar) =>
        scalar.type === "i32" ? parsed(scalar.value).evaluate(sizes) : scalar.value,
      );
      const grid = parsed(step.grid).evaluate(sizes);
      // Two pieces in the wrong order: blocks do not depend on each other.
      const middle = Math.floor(grid / 2);
      for (const [from, to] of [
        [middle, grid],
        [0, middle],
      ] as const) {
        if (from === to) continue;
        this.launch(
          step.kernel,
          places.map((p) => p.address),
          scalars,
          from,
          to,
          places.map((p) => p.bytes),
        );
      }
    }
  }
}

/** Each text of a plan is read once. */
const sizes = new Map<string, Size>();
function parsed(text: string): Size {
  let size = sizes.get(text);
  if (!size) sizes.set(text, (size = Size.parse(text)));
  return size;
}

/** Axes with numbers of a declaration. */
export function fixedAxes(decl: ParamDecl): { name: string; size: number }[] {
  return decl.axes.map((axis) => ({ name: axis.name, size: axis.size.constant! }));
}
