/** Levels of processors: those that moec builds for, and this machine's. */
import { arm64Dot, targets, x86v4Amx, type Target } from "../compiler/targets/index.js";
import { ownArchitecture } from "../runtime/native/elf.js";
import { missingFeatures } from "../runtime/native/processor.js";
import { UsageError } from "./failures.js";
import type { Project } from "./project.js";

const levelsOfX86: readonly Target[] = Object.values(targets)
  .filter(({ family, codegen }) => family === "llvm" && codegen !== undefined)
  .sort((a, b) => (b.codegen?.needs.length ?? 0) - (a.codegen?.needs.length ?? 0));

/** Levels that native kernels are built for where none are named, best first: those of this machine's architecture. */
export const nativeLevels: readonly Target[] = ownArchitecture === "aarch64" ? [arm64Dot] : levelsOfX86;

/**
 * All levels: also those of other machines, and matrices in registers, which gain only with many rows, and less the
 * busier the machine is.
 */
const levelsByName: readonly Target[] = [x86v4Amx, ...levelsOfX86, arm64Dot];

/** The best level of this machine's processor; undefined when it has none. */
export function ownLevel(): Target | undefined {
  return nativeLevels.find(({ codegen }) => missingFeatures(codegen?.needs ?? []).length === 0);
}

/**
 * The levels of a project: what it names, else all usual ones, so that the bundle runs on other machines too.
 *
 * @throws UsageError for an unknown level.
 */
export function levelsOf({ levels }: Pick<Project, "levels">): readonly Target[] {
  const unknown = levels?.find((name) => !levelsByName.some((level) => level.name === name));
  if (unknown !== undefined) {
    throw new UsageError(
      `there is no level \`${unknown}\`; levels are ${levelsByName.map(({ name }) => name).join(", ")}`,
    );
  }
  return levels === undefined ? nativeLevels : levelsByName.filter(({ name }) => levels.includes(name));
}
