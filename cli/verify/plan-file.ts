/** Which plan of a bundle a model runs: targets may lay weights out differently, and each has one of its own. */
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import type { DeviceReport } from "../../runtime/device.js";

/** Path inside the bundle. */
export function planFile(manifest: Manifest, { device, level }: DeviceReport): string {
  for (const target of manifest.targets) {
    if (target.name !== device) continue;
    const own = target.name === "native" ? target.levels.find((one) => one.level === level) : target;
    if (own && "plan" in own) return own.plan;
  }
  return manifest.plan;
}
