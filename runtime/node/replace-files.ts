/** Files that are replaced as wholes or not at all, also by several processes at once. */
import { randomBytes } from "node:crypto";
import { copyFileSync, linkSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { moecError } from "../../compiler/errors/raise.js";
import { makeFolder } from "./folders.js";
import { isAlive } from "./is-alive.js";
import { systemReason, withPath } from "./system-errors.js";

/**
 * Folders on the way to them are made. When something fails all paths have what they had before, and folders that were
 * made are gone.
 *
 * @throws MoecError MOE5467 with where they lie when files that had to go back could not.
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
  /** Those of them that could not be put back. */
  private readonly unsaved = new Set<string>();
  private readonly undo: (() => void)[] = [];

  constructor(private readonly paths: readonly string[]) {
    const mark = (): string => `${process.pid}.${randomBytes(4).toString("hex")}`;
    const beside = (path: string): string => join(dirname(path), `.${basename(path)}.${mark()}`);
    this.asides = paths.map(beside);
    // One rename replaces a file as a whole: nothing to go back to.
    this.kept = paths.length > 1 ? paths.map((path) => `${beside(path)}${KEPT}`) : [];
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
    const placed: Placed[] = [];
    try {
      for (const [index, path] of this.paths.entries()) {
        const kept = this.kept[index];
        const holds = kept !== undefined && keep(path, kept);
        renameSync(this.asides[index]!, path);
        placed.push({ path, kept: holds ? kept : undefined });
      }
    } catch (error) {
      throw this.goBack(placed, error);
    }
  }

  /** Puts back what lay at the paths, the last one first: a path may be there twice. Gives the error to throw. */
  private goBack(placed: readonly Placed[], error: unknown): unknown {
    const left: string[] = [];
    for (const { path, kept } of [...placed].reverse()) {
      try {
        if (kept === undefined) rmSync(path, { force: true });
        else renameSync(kept, path);
      } catch {
        left.push(
          kept === undefined ? `\`${path}\` is new` : `what was in \`${path}\` is in \`${this.save(path, kept)}\``,
        );
      }
    }
    if (left.length === 0) return error;
    const { dest, path } = error as NodeJS.ErrnoException & { readonly dest?: string };
    const place = placeOf(dest ?? path ?? "");
    return moecError("MOE5467", { path: place, reason: systemReason(error), left: left.join(", ") });
  }

  /** What can't be put back gets a name that nothing of ours takes for left; where not even that works it keeps its own. */
  private save(path: string, kept: string): string {
    const saved = `${path}.before-${randomBytes(4).toString("hex")}`;
    try {
      renameSync(kept, saved);
      return saved;
    } catch {
      this.unsaved.add(kept);
      return kept;
    }
  }

  /** The error to throw, after the folders that were made are gone. */
  failed(error: unknown): unknown {
    this.clear();
    for (const undo of this.undo.splice(0).reverse()) undo();
    return withPath(error, this.paths[0] ?? "");
  }

  /** What stays when all is done: the paths, and what could not be put back to them. */
  clear(): void {
    [...this.asides, ...this.kept].filter((path) => !this.unsaved.has(path)).forEach(remove);
  }
}

/** A path that has its new file, and where that lies which it had before. */
interface Placed {
  readonly path: string;
  readonly kept: string | undefined;
}

/**
 * A second name for a file, so that its own name never stands for nothing; on disks without that, a copy.
 *
 * @returns whether there was something to keep.
 */
function keep(path: string, kept: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  // A folder is not replaced: the rename onto it says so.
  if (!stats || stats.isDirectory()) return false;
  try {
    linkSync(path, kept);
  } catch {
    if (stats.isSymbolicLink()) symlinkSync(readlinkSync(path), kept);
    else copyFileSync(path, kept);
  }
  return true;
}

/** The end of the name of a file that is kept until all others are in their places. */
const KEPT = "~";

const ASIDE = /^\.(.+)\.(\d+)\.[0-9a-f]{8}(~?)$/;

/** The file that one beside it stands for; other paths as they are. */
export function placeOf(path: string): string {
  const own = ASIDE.exec(basename(path))?.[1];
  return own === undefined ? path : join(dirname(path), own);
}

/** Folders in which this process has looked for what others left: a cache is written to once for each file. */
const lookedAt = new Set<string>();

/** Milliseconds after which a file that nobody wrote to is left: its process may run on another machine. */
const LEFT_AFTER = 60_000;

/** Removes the files that killed processes left beside those they were about to replace; one that is missing is put back. */
function removeLeft(folder: string): void {
  for (const name of namesIn(folder)) {
    const [, own, writer, kept] = ASIDE.exec(name) ?? [];
    if (own === undefined || isAlive(Number(writer))) continue;
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) continue;
    // A second name has the times of the file; only that of its entry changed with the name.
    const written = kept === KEPT ? Math.max(stats.mtimeMs, stats.ctimeMs) : stats.mtimeMs;
    if (Date.now() - written <= LEFT_AFTER) continue;
    if (kept === KEPT) settle(path, join(folder, own));
    else remove(path);
  }
}

/** What was kept goes back to where nothing is, and is not needed where something is. */
function settle(kept: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return remove(kept);
  try {
    renameSync(kept, path);
  } catch {
    // It may be the only copy: it stays.
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
