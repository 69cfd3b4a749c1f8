/** Which files of a bundle belong to a target. */
import type { ManifestTarget } from "./manifest.js";

/** Files that a target needs beside the bundle's own plan and weights. */
export function targetFiles(target: ManifestTarget): readonly string[] {
  switch (target.name) {
    case "wasm":
      return target.kernels.map(({ file }) => file);
    case "native":
      return target.levels.flatMap(({ object, plan, shards }) => [object, plan, ...shards.map(({ file }) => file)]);
    case "webgpu":
      return [target.programs, target.plan, ...target.shards.map(({ file }) => file)];
    case "cuda": {
      const { source, launches, plan, modules, shards } = target;
      return [source, launches, plan, ...[...modules, ...shards].map(({ file }) => file)];
    }
    default:
      return target satisfies never;
  }
}
