/** Runs a program on the reference, the interpreter and as WebAssembly, and compares. */
import { expect } from "vitest";
import { evaluate, StateStore, verify } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { StoredBlocks } from "../../compiler/4-schedule/layout/pack-blocks.js";
import { schedule, type Schedule, type ScheduleOptions } from "../../compiler/4-schedule/index.js";
import { cacheRounding } from "../../compiler/checkpoints/cache-rounding.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { isGpu, targets, wasmRelaxed, type Target } from "../../compiler/targets/index.js";
import { fixedAxes, Machine, type Runner } from "./machine.js";

/** Numbers in -1..1 from a seed, the same on every machine (a 32-bit mix of the position). */
export function numbers(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39) >>> 0;
    return Math.fround(((h ^ (h >>> 15)) >>> 8) / 2 ** 23 - 1);
  });
}

/** Programs without a target of their own are scheduled for this one: `MOEC_TARGET=webgpu npx vitest run test/schedule`. */
const otherTarget = targets[process.env["MOEC_TARGET"] ?? ""];

/** Both kernels that a plan for GPUs may hold for one value, on the interpreter; else the interpreter and the target. */
const runnersOf = (target: Target): readonly Runner[] => {
  if (target.family === "cuda") return ["cuda"];
  return isGpu(target) ? ["interpreter", "processor"] : ["interpreter", "wasm"];
};

export interface Call {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly sizes: Readonly<Record<string, number>>;
}

export interface CompareOptions {
  readonly entry?: string;
  readonly calls: readonly Call[];
  readonly params?: (path: string, count: number) => readonly number[];
  /** The same numbers in blocks, for formats that nothing is converted to. */
  readonly blocks?: (path: string, layer: number) => StoredBlocks | undefined;
  readonly options?: Partial<ScheduleOptions>;
  readonly target?: Target;
  readonly runners?: readonly Runner[];
  /** Largest |difference| for a result of this size; 0 means equal bits. */
  readonly tolerance: number;
  /** Told of each call, for machines that answer later. */
  readonly onCall?: (moment: Moment) => void;
}

/** A call, and what the reference gives. */
export interface Moment {
  readonly schedule: Schedule;
  readonly entry: string;
  readonly params: (path: string) => ReferenceTensor;
  readonly call: Call;
  readonly expected: Readonly<Record<string, readonly number[]>>;
}

/** Outputs of the last call by the reference. */
export function compare(program: Program, what: CompareOptions): Readonly<Record<string, readonly number[]>> {
  expect(verify(program)).toEqual([]);
  const entryName = what.entry ?? program.entries[0]!.name;
  const entry = program.entries.find((candidate) => candidate.name === entryName)!;
  const cache = new Map<string, ReferenceTensor>();
  const params = (path: string): ReferenceTensor => {
    const known = cache.get(path);
    if (known) return known;
    const decl = program.params.find((param) => param.path === path)!;
    const axes = fixedAxes(decl);
    const count = axes.reduce((n, axis) => n * axis.size, 1);
    const values = what.params?.(path, count) ?? numbers(path.length, count).map((x) => Math.fround(x * 0.5));
    const tensor: ReferenceTensor = { kind: "tensor", dtype: decl.dtype, axes, data: Float64Array.from(values) };
    cache.set(path, tensor);
    return tensor;
  };
  const limits = { T: 32, context: 64, ...what.options?.limits };
  const target = what.target ?? otherTarget ?? wasmRelaxed;
  const plan = schedule(program, target, { ...what.options, limits });
  const machines = (what.runners ?? runnersOf(target)).map((runner) => {
    const machine = new Machine(plan, target, runner);
    machine.setParams(params, what.blocks);
    for (const knob of program.knobs) {
      const count = knob.axes.reduce((n, axis) => n * axis.size.evaluate({}), 1);
      machine.setKnob(knob.path, Array<number>(count).fill(knob.init));
    }
    return { runner, machine };
  });
  const states = new StateStore(cacheRounding(what.options?.cache ?? "f32"));
  let last: Readonly<Record<string, readonly number[]>> = {};
  for (const call of what.calls) {
    const inputs = Object.fromEntries(
      entry.inputs.map((name, index) => {
        const type = entry.body.params[index]!.type;
        if (type.kind !== "tensor") throw new Error("routes are no input");
        const axes = type.axes.map((axis) => ({
          name: axis.name,
          size: axis.size.evaluate({ past: 0, ...call.sizes }),
        }));
        return [
          name,
          { kind: "tensor", dtype: type.dtype, axes, data: Float64Array.from(call.inputs[name]!) } as const,
        ];
      }),
    );
    const expected = evaluate(program, entryName, { inputs, params, states, sizes: call.sizes }).outputs;
    last = Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [name, [...(value as ReferenceTensor).data]]),
    );
    what.onCall?.({ schedule: plan, entry: entryName, params, call, expected: last });
    for (const { runner, machine } of machines) {
      const found = machine.run(entryName, call.inputs, call.sizes);
      for (const name of entry.outputs) close(found[name]!, last[name]!, what.tolerance, `${runner} ${name}`);
    }
  }
  return last;
}

export function close(found: readonly number[], expected: readonly number[], tolerance: number, label: string): void {
  expect(found.length, label).toBe(expected.length);
  for (const [i, want] of expected.entries()) {
    const got = found[i]!;
    if (Object.is(got, want) || got === want || (Number.isNaN(got) && Number.isNaN(want))) continue;
    const error = Math.abs(got - want);
    if (!(error <= tolerance * Math.max(1, Math.abs(want)))) {
      throw new Error(`${label}[${i}]: ${got} instead of ${want} (off by ${error}, allowed ${tolerance})`);
    }
  }
}
