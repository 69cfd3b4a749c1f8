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

/** What decides the bytes of the weights space. */
export function layoutText({ spaces, weights, buffers }: Plan): string {
  return JSON.stringify([spaces.weights, weights, buffers.filter(({ space }) => space === "weights")]);
}

/**
 * Writes objects, plans that differ from the bundle's, and weights that are laid out differently; equal ones are shared.
 *
 * @param put Writes one file.
 * @param shards Writes the weights of a plan, under a name.
 */
export function writeLevels(
  input: Pick<BundleInput, "plan" | "native">,
  put: (path: string, bytes: Uint8Array | string) => void,
  shards: (plan: Plan, name: string) => readonly ManifestShard[],
): { readonly levels: readonly ManifestLevel[]; readonly shards: readonly ManifestShard[] } {
  const plans = new Map([[planText(input.plan), PLAN_FILE]]);
  const own = shards(input.plan, "weights");
  const layouts = new Map([[layoutText(input.plan), own]]);
  const levels = (input.native ?? []).map(({ level, needs, plan, object, scratchBytes }): ManifestLevel => {
    const file = `kernels-${level}.o`;
    put(file, object);
    const text = planText(plan);
    const planFile = plans.get(text) ?? `plan-${level}.json`;
    if (!plans.has(text)) put(planFile, text);
    plans.set(text, planFile);
    const layout = layoutText(plan);
    const written = layouts.get(layout) ?? shards(plan, `weights-${level}`);
    layouts.set(layout, written);
    return { level, needs, object: file, scratchBytes, plan: planFile, memory: memoryOf(plan), shards: written };
  });
  return { levels, shards: own };
}

/** Files that only native devices read; `shards` are those of the bundle's own plan. */
export function nativeOnly(levels: readonly ManifestLevel[], shards: readonly ManifestShard[]): ReadonlySet<string> {
  const shared = new Set([PLAN_FILE, ...shards.map(({ file }) => file)]);
  const used = levels.flatMap((level) => [level.object, level.plan, ...level.shards.map(({ file }) => file)]);
  return new Set(used.filter((file) => !shared.has(file)));
}
