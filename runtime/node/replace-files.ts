/** Files that are replaced as wholes or not at all, also by several processes at once. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Folders on the way to them are made.
 *
 * @param write Fills files beside the `paths`, in their order; they take the places of these when all are written.
 */
export function replaceFiles<T>(paths: readonly string[], write: (asides: readonly string[]) => T): T {
  const asides = besides(paths);
  try {
    const result = write(asides);
    putInPlace(asides, paths);
    return result;
  } finally {
    asides.forEach(remove);
  }
}

/** The same where writing takes turns with other work. */
export async function replaceFilesInTurns<T>(
  paths: readonly string[],
  write: (asides: readonly string[]) => Promise<T>,
): Promise<T> {
  const asides = besides(paths);
  try {
    const result = await write(asides);
    putInPlace(asides, paths);
    return result;
  } finally {
    asides.forEach(remove);
  }
}

function besides(paths: readonly string[]): readonly string[] {
  const mark = `${process.pid}.${randomBytes(4).toString("hex")}`;
  for (const path of paths) mkdirSync(dirname(path), { recursive: true });
  return paths.map((path) => join(dirname(path), `.${basename(path)}.${mark}`));
}

/** The file that one beside it stands for; other paths as they are. */
export function placeOf(path: string): string {
  const own = /^\.(.+)\.\d+\.[0-9a-f]{8}$/.exec(basename(path))?.[1];
  return own === undefined ? path : join(dirname(path), own);
}

function putInPlace(asides: readonly string[], paths: readonly string[]): void {
  for (const [index, aside] of asides.entries()) renameSync(aside, paths[index]!);
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in its place already, or nothing can be done about it.
  }
}
