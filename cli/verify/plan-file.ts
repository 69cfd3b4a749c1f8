/** Which plan of a bundle a model runs: targets may lay weights out differently, and each has one of its own. */
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import type { DeviceReport } from "../../runtime/device.js";

/** Path inside the bundle. */
export function planFile(manifest: Manifest, { device, level }: DeviceReport): string {
  for (const target of manifest.targets) {
    if (target.name !== device) continue;
    if (target.name === "native") return target.levels.find((one) => one.level === level)!.plan;
    if ("plan" in target) return target.plan;
  }
  return manifest.plan;
}
