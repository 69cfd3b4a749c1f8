/** Native kernels of a bundle: an object for each level, with the plan and the weights that it wants. */
import { memoryOf, PLAN_FILE } from "./describe.js";
import type { Target } from "../targets/index.js";
import type { BundleInput } from "./input.js";
import type { ManifestLevel, ManifestNativeTarget, NativePlatform } from "./manifest.js";
import { planText } from "./plan-text.js";
import type { TargetWriter } from "./writer.js";

/** Where code for a processor runs. */
export const platformOf = {
  "x86-64": "linux-x64",
  aarch64: "linux-arm64",
} as const satisfies Readonly<Record<NonNullable<Target["codegen"]>["architecture"], NativePlatform>>;

/** Writes objects, plans that differ from the bundle's, and weights that are laid out differently; equal ones are shared. */
export function writeLevels(
  input: Pick<BundleInput, "plan" | "native">,
  { put, weights }: TargetWriter,
): readonly ManifestNativeTarget[] {
  const plans = new Map([[planText(input.plan), PLAN_FILE]]);
  const platforms = new Map<NativePlatform, ManifestLevel[]>();
  for (const { level, platform, needs, plan, object, scratchBytes } of input.native ?? []) {
    const file = `kernels-${level}.o`;
    put(file, object);
    const text = planText(plan);
    const planFile = plans.get(text) ?? `plan-${level}.json`;
    if (!plans.has(text)) put(planFile, text);
    plans.set(text, planFile);
    const shards = weights(plan, `weights-${level}`);
    const written = { level, needs, object: file, scratchBytes, plan: planFile, memory: memoryOf(plan), shards };
    platforms.set(platform, [...(platforms.get(platform) ?? []), written]);
  }
  return [...platforms].map(([platform, levels]) => ({ name: "native", platform, levels }));
}
