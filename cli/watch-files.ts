/** Waiting for the next edit of some files. */
import { statSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Editors write files in several steps; changes this close together are one. */
const SETTLE_MILLISECONDS = 80;

/** What people edit: a build writes into folders too. */
const EDITED = /\.(moe|yaml|yml)$/;

function isNewer(file: string, time: number): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.mtimeMs > time;
}

/**
 * Resolves after one of the files, or another source beside them, has changed and rested, or when `signal` is aborted.
 *
 * @param since When the work on them began, in milliseconds since 1970: an edit during the work counts as well.
 */
export function nextChange(files: readonly string[], since: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const done = (): void => {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const changed = (): void => {
      clearTimeout(timer);
      timer = setTimeout(done, SETTLE_MILLISECONDS);
    };
    // Folders are watched, since editors replace files instead of writing into them.
    const places = new Set(files.flatMap((file) => [dirname(file), file]));
    const watchers = [...places].flatMap((place) => {
      try {
        const watcher = watch(place, (_, name) => {
          if (name === null || EDITED.test(name)) changed();
        });
        // A folder that is taken away: the next build says what is missing.
        return [watcher.on("error", changed)];
      } catch {
        return [];
      }
    });
    signal.addEventListener("abort", done, { once: true });
    if (files.some((file) => isNewer(file, since))) changed();
  });
}
