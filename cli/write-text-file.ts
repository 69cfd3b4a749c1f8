/** Writes a text file as a whole or not at all: aside, then in place. */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Replaces `path`, keeping who may read it. */
export function writeTextFile(path: string, text: string): void {
  const aside = `${path}.${process.pid}.tmp`;
  try {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    writeFileSync(aside, text, mode === undefined ? {} : { mode });
    renameSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}
