/** Writes text files as wholes or not at all. */
import { chmodSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { replaceFiles } from "../runtime/node/replace-files.js";

export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Replaces all files or none, keeping who may read them; a link goes on leading to its file. */
export function writeTextFiles(files: readonly TextFile[]): void {
  const found = files.map(({ path, text }) => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    return { path: mode === undefined ? path : realpathSync(path), text, mode };
  });
  replaceFiles(
    found.map(({ path }) => path),
    (asides) => {
      for (const [index, { text, mode }] of found.entries()) {
        writeFileSync(asides[index]!, text, mode === undefined ? {} : { mode });
        // The mode that a file is made with is cut by the umask.
        if (mode !== undefined) chmodSync(asides[index]!, mode);
      }
    },
  );
}
