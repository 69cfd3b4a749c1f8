/**
 * A spec compiled in this process, with weights of noise, so that each launch of its plan can be run and timed alone.
 * The bytes of the weights are made up in place: scales are small halves, everything else is random.
 */
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { StorageType } from "../../compiler/2-graph/ir.js";
import { optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import { layerCount, layoutOf } from "../../compiler/4-schedule/layout/pack.js";
import { q4RecordBytes, q8RecordBytes, scaleBytes } from "../../compiler/4-schedule/micro/layouts.js";
import type { PlanWeight } from "../../compiler/4-schedule/plan.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import type { Target } from "../../compiler/targets/index.js";
import { diskHost } from "../../cli/source-host.js";
import { flattenEntry, type FlatLaunch } from "../../runtime/plan/launches.js";
import { mapMemory } from "../../runtime/wasm/memory-map.js";
import { instantiate, type KernelFunction } from "../../runtime/wasm/work.js";

/** A part of a launch, and how many millions of operations the peak rate around it would have done in its time. */
export interface Slice {
  readonly milliseconds: number;
  readonly possible: number;
}

export interface Prepared {
  readonly module: Uint8Array;
  /** Runs all launches of a call, each in slices of its grid, and `peak` before and behind each slice. */
  run(
    tokens: number,
    seed: number,
    peak: () => number,
  ): readonly { readonly launch: FlatLaunch; readonly slices: readonly Slice[] }[];
  /** The first output of the last call. */
  output(tokens: number): Float32Array;
}

export interface PreparedOptions {
  readonly storage: StorageType;
  readonly sizes: Readonly<Record<string, number>>;
  readonly tokens: number;
  /** A target of the family `wasm`. */
  readonly target: Target;
}

/** Slices of one launch: short enough that some round runs each without being interrupted. */
const SLICES = 400;

/** Uniform words from a linear congruential generator. */
function* words(seed: number): Generator<number, never> {
  let state = seed >>> 0;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

function fillNoise(bytes: Uint8Array, seed: number): void {
  const stream = words(seed);
  const some = Uint32Array.from({ length: 1 << 16 }, () => stream.next().value);
  const noise = new Uint8Array(some.buffer);
  for (let at = 0; at < bytes.length; at += noise.length) bytes.set(noise.subarray(0, bytes.length - at), at);
}

function fillWeight(memory: ArrayBuffer, address: number, weight: PlanWeight): void {
  const layout = layoutOf(weight);
  const length = layerCount(weight) * layout.layerBytes;
  const bytes = new Uint8Array(memory, address, length);
  const half = 0x1400; // 2^-10
  switch (layout.name) {
    case "q8-tiles":
    case "q4-tiles": {
      fillNoise(bytes, address);
      const record = layout.name === "q8-tiles" ? q8RecordBytes : q4RecordBytes;
      for (let at = 0; at < length; at += record) new Uint16Array(memory, address + at, scaleBytes / 2).fill(half);
      return;
    }
    default: {
      if (layout.storage !== "f32" && layout.storage !== "f16") throw new Error(`no noise for ${layout.storage}`);
      const stream = words(length);
      const period = Float32Array.from({ length: 65521 }, () => (stream.next().value / 2 ** 31 - 1) / 32);
      if (layout.storage === "f32") {
        const floats = new Float32Array(memory, address, length / 4);
        for (let at = 0; at < floats.length; at += period.length)
          floats.set(period.subarray(0, floats.length - at), at);
      } else {
        // Halves between 2^-6 and 2^-5, of both signs.
        const halves = new Uint16Array(memory, address, length / 2);
        for (let i = 0; i < halves.length; i++) halves[i] = 0x2400 | (Math.imul(i, 40503) & 0x83ff);
      }
    }
  }
}

/** Compiles the entry `forward` of a spec whose input `x` is `[T, D]`. */
export function prepare(spec: string, options: PreparedOptions): Prepared {
  const project = check(spec, diskHost(process.cwd()));
  const errors = project.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join("\n"));
  const program = optimize(buildProgram(project, { sizes: { ...options.sizes } }));
  const limits = { T: options.tokens, context: options.tokens };
  const { kernels, plan } = schedule(program, options.target, {
    limits,
    storage: (param) => (param.axes.length > 2 || options.storage === "f32" ? options.storage : "f32"),
  });
  const bytes = emitWasm(kernels, options.target);
  const scratch = scratchBytes(kernels);
  const map = mapMemory(plan, scratch, 1);
  const memory = new WebAssembly.Memory({ initial: map.pages });
  const places = new Map(plan.buffers.map((buffer) => [buffer.id, map.bases[buffer.space] + buffer.offset]));
  for (const weight of plan.weights) fillWeight(memory.buffer, places.get(weight.buffer)!, weight);
  const module = new WebAssembly.Module(bytes as BufferSource);
  const exports = instantiate(module, memory, map.scratch[0]!);
  const entry = plan.entries[0]!;
  const launches = flattenEntry(plan, entry, map.bases);
  const input = entry.inputs[0]!;
  const width = Number(input.axes[1]!.size);
  const output = entry.outputs[0]!;
  return {
    module: bytes,
    run(tokens, seed, peak) {
      const stream = words(seed);
      const x = new Float32Array(memory.buffer, places.get(input.buffer), tokens * width);
      for (let i = 0; i < x.length; i++) x[i] = stream.next().value / 2 ** 31 - 1;
      const sizes = { T: tokens, past: 0 };
      return launches.map((launch) => {
        const args = [...launch.args];
        for (const { at, evaluate } of launch.changing) args[at] = evaluate(sizes);
        const grid = launch.grid.evaluate(sizes);
        const kernel = exports[launch.kernel] as KernelFunction;
        const step = Math.max(1, Math.ceil(grid / SLICES));
        const slices: Slice[] = [];
        for (let block = 0; block < grid; block += step) {
          const before = peak();
          const from = performance.now();
          kernel(...args, block, Math.min(grid, block + step));
          const milliseconds = performance.now() - from;
          slices.push({ milliseconds, possible: (milliseconds * (before + peak())) / 2 });
        }
        return { launch, slices };
      });
    },
    output: (tokens) => {
      const columns = Number(output.axes[1]!.size);
      return new Float32Array(memory.buffer, places.get(output.buffer), tokens * columns).slice();
    },
  };
}
