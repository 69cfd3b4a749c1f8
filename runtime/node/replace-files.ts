/** Files that are replaced as wholes or not at all, also by several processes at once. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isAlive } from "./is-alive.js";
import { withPath } from "./system-errors.js";

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
  } catch (error) {
    throw withPath(error, paths[0] ?? "");
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
  } catch (error) {
    throw withPath(error, paths[0] ?? "");
  } finally {
    asides.forEach(remove);
  }
}

function besides(paths: readonly string[]): readonly string[] {
  const mark = `${process.pid}.${randomBytes(4).toString("hex")}`;
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    mkdirSync(folder, { recursive: true });
    if (!lookedAt.has(folder)) removeLeft(folder);
    lookedAt.add(folder);
  }
  return paths.map((path) => join(dirname(path), `.${basename(path)}.${mark}`));
}

const ASIDE = /^\.(.+)\.(\d+)\.[0-9a-f]{8}$/;

/** The file that one beside it stands for; other paths as they are. */
export function placeOf(path: string): string {
  const own = ASIDE.exec(basename(path))?.[1];
  return own === undefined ? path : join(dirname(path), own);
}

/** Folders in which this process has looked for what others left: a cache is written to once for each file. */
const lookedAt = new Set<string>();

/** Milliseconds after which a file that nobody wrote to is left: its process may run on another machine. */
const LEFT_AFTER = 60_000;

/** Removes the files that killed processes left beside those they were about to replace. */
function removeLeft(folder: string): void {
  for (const name of namesIn(folder)) {
    const writer = ASIDE.exec(name)?.[2];
    if (writer === undefined || isAlive(Number(writer))) continue;
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > LEFT_AFTER) remove(path);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder may be written to and not listed.
    return [];
  }
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
