/** Folders that are made on the way to something, and gone again when that fails. */
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder with those above it.
 *
 * @returns what removes those that were made, as long as nothing is in them.
 */
export function makeFolder(folder: string): () => void {
  // Asked before: a call that fails half-way does not say how far it came.
  const first = firstMissing(folder);
  if (first === undefined) return () => undefined;
  const undo = (): void => {
    removeEmpty(folder, first);
  };
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

function firstMissing(folder: string): string | undefined {
  let first: string | undefined;
  for (let path = folder; !existsSync(path); path = dirname(path)) first = path;
  return first;
}

/** Folders from `folder` up to `first`. */
function removeEmpty(folder: string, first: string): void {
  for (let path = folder; path.length >= first.length; path = dirname(path)) {
    try {
      rmdirSync(path);
    } catch (error) {
      // One that was never made has nothing above it to keep; into others somebody has put something.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return;
    }
  }
}
