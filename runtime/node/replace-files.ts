/** Files that are replaced as wholes or not at all, also by several processes at once. */
import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * @param write Fills files beside the `paths`, in their order; they take the places of these when all are written.
 */
export function replaceFiles<T>(paths: readonly string[], write: (asides: readonly string[]) => T): T {
  const mark = `${process.pid}.${randomBytes(4).toString("hex")}`;
  const asides = paths.map((path) => join(dirname(path), `.${basename(path)}.${mark}`));
  try {
    const result = write(asides);
    for (const [index, aside] of asides.entries()) renameSync(aside, paths[index]!);
    return result;
  } finally {
    asides.forEach(remove);
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in its place already, or nothing can be done about it.
  }
}
