/**
 * The steps of an entry point as a flat list of launches: loops are unrolled once at load, addresses and scalars that do
 * not depend on the call are numbers already, and what is left is a short list of functions to ask for each call.
 */
import type { MemorySpace, Plan, PlanEntry, PlanLaunch, PlanStep } from "../../compiler/4-schedule/plan.js";
import { moecError } from "../../compiler/errors/raise.js";
import { compileSize, type CompiledSize, type SizeFunction, type SizeValues } from "./sizes.js";

/** Where each memory space begins, in bytes of the device's memory. */
export type SpaceBases = Readonly<Record<MemorySpace, number>>;

export interface FlatLaunch {
  readonly kernel: string;
  readonly label: string;
  readonly grid: CompiledSize;
  /** Addresses of the buffers, then scalars; entries that `changing` names are 0. */
  readonly args: Float64Array;
  readonly changing: readonly { readonly at: number; readonly evaluate: SizeFunction }[];
}

/**
 * Unrolls the loops of `entry`.
 *
 * @throws MoecError MOE5312 when the plan names a buffer that it does not declare or holds a text that is not a size.
 */
export function flattenEntry(plan: Plan, entry: PlanEntry, bases: SpaceBases): readonly FlatLaunch[] {
  const addresses = new Map(plan.buffers.map((buffer) => [buffer.id, bases[buffer.space] + buffer.offset]));
  const launches: FlatLaunch[] = [];
  const walk = (steps: readonly PlanStep[], turns: SizeValues): void => {
    for (const step of steps) {
      switch (step.kind) {
        case "launch":
          launches.push(flattenLaunch(step, turns, addresses));
          break;
        case "loop":
          for (let turn = 0; turn < step.count; turn++) walk(step.steps, { ...turns, [step.name]: turn });
          break;
        default:
          step satisfies never;
      }
    }
  };
  walk(entry.steps, {});
  return launches;
}

function flattenLaunch(launch: PlanLaunch, turns: SizeValues, addresses: ReadonlyMap<string, number>): FlatLaunch {
  const args: CompiledSize[] = launch.buffers.map((use) => {
    const address = addresses.get(use.buffer);
    if (address === undefined) throw damaged(launch, `buffer \`${use.buffer}\` is not declared`);
    const strides = Object.entries(use.strides).map(([loop, stride]) => stride * (turns[loop] ?? 0));
    const base = strides.reduce((sum, bytes) => sum + bytes, address);
    const offset = compile(launch, use.offset, turns);
    return offset.constant === undefined
      ? { constant: undefined, evaluate: (values) => base + offset.evaluate(values) }
      : { constant: base + offset.constant, evaluate: () => base };
  });
  for (const scalar of launch.scalars) {
    if (scalar.type === "i32") args.push(compile(launch, scalar.value, turns));
    else args.push({ constant: scalar.value, evaluate: () => scalar.value });
  }
  return {
    kernel: launch.kernel,
    label: launch.label,
    grid: compile(launch, launch.grid, turns),
    args: Float64Array.from(args, (arg) => arg.constant ?? 0),
    changing: args.flatMap((arg, at) => (arg.constant === undefined ? [{ at, evaluate: arg.evaluate }] : [])),
  };
}

function compile(launch: PlanLaunch, text: string, turns: SizeValues): CompiledSize {
  try {
    return compileSize(text, turns);
  } catch (error) {
    throw damaged(launch, error instanceof Error ? error.message : String(error));
  }
}

function damaged(launch: PlanLaunch, reason: string): Error {
  return moecError("MOE5312", { at: launch.label, reason });
}
