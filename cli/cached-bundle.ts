/**
 * Bundles for `run` and `generate`: made once, made again when anything that goes into them has changed. They lie in
 * `.moec` beside the spec, which may be deleted at any time.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileMark } from "./file-mark.js";
import type { MadeBundle } from "./make-bundle.js";
import { packageRoot } from "./package-root.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";

export interface CachedBundle {
  readonly folder: string;
  /** Absent when the bundle was there already. */
  readonly made?: MadeBundle;
}

/**
 * The bundle of a project, built when it is not there or stale. The compiler is loaded only then.
 *
 * @param before Called before a build; what it throws ends it.
 */
export async function cachedBundle(
  shell: Shell,
  project: Project,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<CachedBundle> {
  const { spec, quantization, random, targets } = project;
  const cache = join(dirname(spec), ".moec");
  const name = [
    basename(spec, ".moe"),
    project.modelName,
    random === undefined ? quantization : `random-${quantization}`,
    targets.join("-") === "wasm" ? undefined : targets.join("-"),
  ];
  const folder = join(cache, name.filter((part) => part !== undefined).join("-"));
  const stampFile = `${folder}.stamp`;
  const kept = readStamp(stampFile);
  if (kept && existsSync(join(folder, "manifest.json")) && kept.stamp === stampOf(project, kept)) return { folder };
  await before();
  const { makeBundle } = await import("./make-bundle.js");
  const made = makeBundle(shell, project, folder);
  mkdirSync(cache, { recursive: true });
  const { sources, companions } = made;
  writeFileSync(stampFile, JSON.stringify({ sources, companions, stamp: stampOf(project, made) }));
  return { folder, made };
}

/** What a bundle was made of. */
type Origins = Pick<MadeBundle, "sources" | "companions">;

interface Stamp extends Origins {
  readonly stamp: string;
}

function readStamp(file: string): Stamp | undefined {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as Partial<Stamp>;
    const isWhole = Array.isArray(value.sources) && Array.isArray(value.companions) && typeof value.stamp === "string";
    return isWhole ? (value as Stamp) : undefined;
  } catch {
    return undefined;
  }
}

/** Hash of everything that goes into a bundle; large files count by size and time. */
function stampOf(project: Project, { sources, companions }: Origins): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(project));
  for (const file of sources) hash.update(existsSync(file) ? readFileSync(file) : "gone");
  // A folder's mark is its list of names; what lies in it has marks of its own.
  for (const file of [...project.weights, ...companions, ...compilerFiles()]) hash.update(fileMark(file));
  return hash.digest("hex");
}

/** The compiled compiler and the standard library: a new moec builds anew. */
function compilerFiles(): readonly string[] {
  return ["dist/compiler", "dist/grammar", "stdlib"].flatMap((part) => {
    const folder = join(packageRoot, part);
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(js|moe)$/.test(file))
      .sort()
      .map((file) => join(folder, file));
  });
}
