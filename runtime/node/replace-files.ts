/** Files that are replaced as wholes or not at all, also by several processes at once. */
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, lstatSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeFolder } from "./folders.js";
import { isAlive } from "./is-alive.js";
import { withPath } from "./system-errors.js";

/**
 * Folders on the way to them are made. When something fails all paths have what they had before, and folders that were
 * made are gone.
 *
 * @param write Fills files beside the `paths`, in their order; they take the places of these when all are written.
 */
export function replaceFiles<T>(paths: readonly string[], write: (asides: readonly string[]) => T): T {
  const replacement = new Replacement(paths);
  try {
    replacement.begin();
    const result = write(replacement.asides);
    replacement.putInPlace();
    return result;
  } catch (error) {
    throw replacement.failed(error);
  } finally {
    replacement.clear();
  }
}

/** The same where writing takes turns with other work. */
export async function replaceFilesInTurns<T>(
  paths: readonly string[],
  write: (asides: readonly string[]) => Promise<T>,
): Promise<T> {
  const replacement = new Replacement(paths);
  try {
    replacement.begin();
    const result = await write(replacement.asides);
    replacement.putInPlace();
    return result;
  } catch (error) {
    throw replacement.failed(error);
  } finally {
    replacement.clear();
  }
}

/** Files that are written beside the places that they take. */
class Replacement {
  readonly asides: readonly string[];
  /** What lay at the paths, where several files have to go back together. */
  private readonly kept: readonly string[];
  private readonly undo: (() => void)[] = [];

  constructor(private readonly paths: readonly string[]) {
    const mark = (): string => `${process.pid}.${randomBytes(4).toString("hex")}`;
    const beside = (path: string): string => join(dirname(path), `.${basename(path)}.${mark()}`);
    this.asides = paths.map(beside);
    // One rename replaces a file as a whole: nothing to go back to.
    this.kept = paths.length > 1 ? paths.map(beside) : [];
  }

  /** Makes the folders. */
  begin(): void {
    for (const folder of new Set(this.paths.map((path) => dirname(path)))) {
      this.undo.push(makeFolder(folder));
      if (!lookedAt.has(folder)) removeLeft(folder);
      lookedAt.add(folder);
    }
  }

  putInPlace(): void {
    let done = 0;
    try {
      for (const [index, path] of this.paths.entries()) {
        const kept = this.kept[index];
        if (kept !== undefined) keep(path, kept);
        renameSync(this.asides[index]!, path);
        done++;
      }
    } catch (error) {
      this.goBack(done);
      throw error;
    }
  }

  /** Puts back what lay at the first `done` paths, and at the next one where that was moved away. */
  private goBack(done: number): void {
    for (const [index, path] of this.paths.slice(0, done + 1).entries()) {
      const kept = this.kept[index];
      if (kept !== undefined && existsSync(kept)) renameSync(kept, path);
      else if (index < done) remove(path);
    }
  }

  /** The error to throw, after the folders that were made are gone. */
  failed(error: unknown): unknown {
    this.clear();
    for (const undo of this.undo.splice(0).reverse()) undo();
    return withPath(error, this.paths[0] ?? "");
  }

  /** What stays when all is done: the paths alone. */
  clear(): void {
    [...this.asides, ...this.kept].forEach(remove);
  }
}

/** A second name for a file, so that its own name never stands for nothing; on disks without that it is renamed. */
function keep(path: string, kept: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  // A folder is not replaced: the rename onto it says so.
  if (!stats || stats.isDirectory()) return;
  try {
    linkSync(path, kept);
  } catch {
    renameSync(path, kept);
  }
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

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It is in its place already, or nothing can be done about it.
  }
}
