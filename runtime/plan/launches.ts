/**
 * The steps of an entry point as a flat list of launches: loops are unrolled once at load, addresses and scalars that do
 * not depend on the call are numbers already, and what is left is a short list of functions to ask for each call.
 */
import type { Driver, MemorySpace, Plan, PlanEntry, PlanLaunch, PlanStep } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import { compileSize, type BoundNames, type CompiledSize, type SizeFunction } from "./sizes.js";
import { pastOf, textOf } from "./texts.js";

/** Where each memory space begins, in bytes of the device's memory. */
export type SpaceBases = Readonly<Record<MemorySpace, number>>;

/** Launches of one call are numbered with 20 bits (`wasm/work.ts`). */
const MAX_LAUNCHES = 2 ** 20 - 1;

/** Chunks per thread: enough that a thread which is put aside delays little, few enough that taking them is free. */
export const CHUNKS_PER_THREAD = 6;

/** The sizes that are known when an entry is called: the open axes of its inputs, and the positions before. */
export function runtimeSizes(entry: Pick<PlanEntry, "inputs">): readonly string[] {
  const open = entry.inputs.flatMap(({ axes }) => axes).filter(({ size }) => /^[A-Za-z_]\w*$/.test(size));
  return ["past", ...open.map(({ size }) => size)];
}

export interface FlatLaunch {
  readonly kernel: string;
  readonly label: string;
  readonly grid: CompiledSize;
  /** Addresses of the buffers, then scalars; entries that `changing` names are 0. */
  readonly args: Float64Array;
  /** How many of them are addresses. */
  readonly buffers: number;
  /** The space of each of these. */
  readonly spaces: readonly MemorySpace[];
  /** For each scalar whether it is an f32. */
  readonly floats: readonly boolean[];
  readonly changing: readonly { readonly at: number; readonly evaluate: SizeFunction }[];
  /** The sizes on which the grid or an argument depends, each once. */
  readonly names: readonly string[];
}

export interface FlattenOptions {
  /** Which of two ways to write the same values is taken; that of GPUs when absent. */
  readonly on?: Driver;
  /** Texts side by side on the device; 1 when absent. */
  readonly texts?: number;
  /** Bytes from the states of one text to those of the next. */
  readonly stride?: number;
}

/** What is around a step: turns of loops, and names that mean something else there. */
interface Surroundings {
  readonly names: BoundNames;
  /** The size that numbers the text whose states are meant; undefined where there is one text. */
  readonly text: string | undefined;
}

/**
 * Unrolls the loops of `entry`. With several texts a call says by the size `text` which of them it is for.
 *
 * @throws MoecError MOE5312 when the plan names a buffer that it does not declare or holds a text that is not a size.
 */
export function flattenEntry(
  plan: Plan,
  entry: PlanEntry,
  bases: SpaceBases,
  { on = "gpu", texts = 1, stride = 0 }: FlattenOptions = {},
): readonly FlatLaunch[] {
  const addresses = new Map(
    plan.buffers.map(({ id, space, offset }) => [id, { space, address: bases[space] + offset }]),
  );
  const known = new Set(runtimeSizes(entry));
  const launches: FlatLaunch[] = [];
  const walk = (steps: readonly PlanStep[], around: Surroundings): void => {
    for (const step of steps) {
      switch (step.kind) {
        case "launch":
          if (step.on !== undefined && step.on !== on) break;
          if (launches.length === MAX_LAUNCHES) throw damaged(step, `there are more than ${MAX_LAUNCHES} launches`);
          launches.push(flattenLaunch(step, around, addresses, known, stride));
          break;
        case "loop": {
          const count = step.texts ? Math.min(step.count, texts) : step.count;
          for (let turn = 0; turn < count; turn++) {
            const names = { ...around.names, [step.name]: turn };
            if (!step.texts) walk(step.steps, { ...around, names });
            else walk(step.steps, { names: { ...names, past: pastOf(turn) }, text: textOf(turn) });
          }
          break;
        }
        default:
          step satisfies never;
      }
    }
  };
  walk(entry.steps, { names: {}, text: texts > 1 ? "text" : undefined });
  return launches;
}

function flattenLaunch(
  launch: PlanLaunch,
  { names, text }: Surroundings,
  addresses: ReadonlyMap<string, { readonly space: MemorySpace; readonly address: number }>,
  known: ReadonlySet<string>,
  stride: number,
): FlatLaunch {
  const compile = (size: string): CompiledSize => compileKnown(launch, size, names, known);
  const args: CompiledSize[] = launch.buffers.map((use) => {
    const place = addresses.get(use.buffer);
    if (!place) throw damaged(launch, `buffer \`${use.buffer}\` is not declared`);
    const strides = Object.entries(use.strides).map(([loop, bytes]) => bytes * Number(names[loop] ?? 0));
    const base = strides.reduce((sum, bytes) => sum + bytes, place.address);
    const { constant, names: own, evaluate } = compile(use.offset);
    if (place.space === "state" && text !== undefined) {
      const all = [...own, text];
      return {
        constant: undefined,
        names: all,
        evaluate: (values) => base + evaluate(values) + values[text]! * stride,
      };
    }
    return constant === undefined
      ? { constant, names: own, evaluate: (values) => base + evaluate(values) }
      : { constant: base + constant, names: own, evaluate };
  });
  for (const scalar of launch.scalars) {
    if (scalar.type === "i32") args.push(compile(scalar.value));
    else args.push({ constant: scalar.value, names: [], evaluate: () => scalar.value });
  }
  const grid = compile(launch.grid);
  return {
    kernel: launch.kernel,
    label: launch.label,
    grid,
    buffers: launch.buffers.length,
    spaces: launch.buffers.map(({ buffer }) => addresses.get(buffer)!.space),
    floats: launch.scalars.map(({ type }) => type === "f32"),
    args: Float64Array.from(args, (arg) => arg.constant ?? 0),
    changing: args.flatMap((arg, at) => (arg.constant === undefined ? [{ at, evaluate: arg.evaluate }] : [])),
    names: [...new Set([grid, ...args].flatMap((each) => each.names))],
  };
}

function compileKnown(launch: PlanLaunch, text: string, names: BoundNames, known: ReadonlySet<string>): CompiledSize {
  let size: CompiledSize;
  try {
    size = compileSize(text, names);
  } catch (error) {
    throw damaged(launch, reasonOf(error));
  }
  const stranger = size.names.find((name) => !known.has(name) && name !== names["past"]);
  if (stranger === undefined) return size;
  throw damaged(launch, `\`${text}\` depends on \`${stranger}\`, which no input decides`);
}

function damaged(launch: PlanLaunch, reason: string): Error {
  return moecError("MOE5312", { at: launch.label, reason });
}
