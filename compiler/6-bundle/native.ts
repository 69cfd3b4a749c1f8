/** Native kernels of a bundle: an object for each level, with the plan and the weights that it wants. */
import type { Plan } from "../4-schedule/plan.js";
import type { BundleInput } from "./bundle.js";
import { memoryOf, PLAN_FILE } from "./describe.js";
import type { ManifestLevel, ManifestShard } from "./manifest.js";
import { planText } from "./plan-text.js";

/** Kernels for one level, compiled. */
export interface NativeLevel {
  readonly level: string;
  readonly needs: readonly string[];
  readonly plan: Plan;
  readonly object: Uint8Array;
  readonly scratchBytes: number;
}

/**
 * Writes objects, plans that differ from the bundle's, and weights that are laid out differently; equal ones are shared.
 *
 * @param put Writes one file.
 * @param write Writes the weights of a plan, under a name, unless they are there already.
 */
export function writeLevels(
  input: Pick<BundleInput, "plan" | "native">,
  put: (path: string, bytes: Uint8Array | string) => void,
  write: (plan: Plan, name: string) => readonly ManifestShard[],
): readonly ManifestLevel[] {
  const plans = new Map([[planText(input.plan), PLAN_FILE]]);
  return (input.native ?? []).map(({ level, needs, plan, object, scratchBytes }): ManifestLevel => {
    const file = `kernels-${level}.o`;
    put(file, object);
    const text = planText(plan);
    const planFile = plans.get(text) ?? `plan-${level}.json`;
    if (!plans.has(text)) put(planFile, text);
    plans.set(text, planFile);
    const shards = write(plan, `weights-${level}`);
    return { level, needs, object: file, scratchBytes, plan: planFile, memory: memoryOf(plan), shards };
  });
}
