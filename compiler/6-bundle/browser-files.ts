/** Which files of a bundle a browser reads. */
import type { Manifest, ManifestFile, ManifestTarget } from "./manifest.js";

/** Files that a target needs beside the bundle's own plan and weights. */
function filesOf(target: ManifestTarget): readonly string[] {
  switch (target.name) {
    case "wasm":
      return [
        ...target.kernels.map(({ file }) => file),
        ...(target.quads ? [target.quads.plan, ...target.quads.kernels.map(({ file }) => file)] : []),
      ];
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

/** What the runtime of a browser may ask for: a bundler that renames files has to know of them. */
export function forBrowsers(
  { plan, shards, targets }: Omit<Manifest, "files">,
  files: readonly ManifestFile[],
): string[] {
  const isMachine = ({ name }: ManifestTarget): boolean => name === "native" || name === "cuda";
  const read = new Set([plan, ...shards.map(({ file }) => file)]);
  for (const target of targets) if (!isMachine(target)) filesOf(target).forEach((file) => read.add(file));
  const others = new Set(targets.filter(isMachine).flatMap(filesOf));
  const paths = files.map(({ path }) => path).filter((path) => read.has(path) || !others.has(path));
  return ["manifest.json", ...paths].sort();
}
