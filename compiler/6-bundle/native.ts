/** Native kernels of a bundle: an object for each level, with the plan and the weights that it wants. */
import type { Plan } from "../4-schedule/plan.js";
import type { BundleInput, TargetWriter } from "./bundle.js";
import { memoryOf, PLAN_FILE } from "./describe.js";
import type { ManifestLevel } from "./manifest.js";
import { planText } from "./plan-text.js";

/** Kernels for one level, compiled. */
export interface NativeLevel {
  readonly level: string;
  readonly needs: readonly string[];
  readonly plan: Plan;
  readonly object: Uint8Array;
  readonly scratchBytes: number;
}

/** Writes objects, plans that differ from the bundle's, and weights that are laid out differently; equal ones are shared. */
export function writeLevels(
  input: Pick<BundleInput, "plan" | "native">,
  { put, weights }: TargetWriter,
): readonly ManifestLevel[] {
  const plans = new Map([[planText(input.plan), PLAN_FILE]]);
  return (input.native ?? []).map(({ level, needs, plan, object, scratchBytes }): ManifestLevel => {
    const file = `kernels-${level}.o`;
    put(file, object);
    const text = planText(plan);
    const planFile = plans.get(text) ?? `plan-${level}.json`;
    if (!plans.has(text)) put(planFile, text);
    plans.set(text, planFile);
    const shards = weights(plan, `weights-${level}`);
    return { level, needs, object: file, scratchBytes, plan: planFile, memory: memoryOf(plan), shards };
  });
}
