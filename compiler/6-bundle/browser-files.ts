/** Which files of a bundle a browser reads. */
import type { Manifest, ManifestFile, ManifestTarget } from "./manifest.js";
import { targetFiles } from "./target-files.js";

/** What the runtime of a browser may ask for: a bundler that renames files has to know of them. */
export function forBrowsers(
  { plan, shards, targets }: Omit<Manifest, "files">,
  files: readonly ManifestFile[],
): string[] {
  const isMachine = ({ name }: ManifestTarget): boolean => name === "native" || name === "cuda";
  const read = new Set([plan, ...shards.map(({ file }) => file)]);
  for (const target of targets) if (!isMachine(target)) targetFiles(target).forEach((file) => read.add(file));
  const others = new Set(targets.filter(isMachine).flatMap(targetFiles));
  const paths = files.map(({ path }) => path).filter((path) => read.has(path) || !others.has(path));
  return ["manifest.json", ...paths].sort();
}
